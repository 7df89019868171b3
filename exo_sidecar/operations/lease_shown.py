"""The lease of a session as results show it."""

import msgspec

from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.operations.context import Context


class LeaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """The lease of the caller's session."""

    epoch: int | None
    """The fencing token; None while it is provisional."""
    ttl_seconds: int
    deadline_in: int | None = None
    """Seconds that its holder may still count on it; None where that cannot be known."""
    provisional: bool = False
    """Whether the ticket was taken offline: not confirmed by the authority."""


def shown(ctx: Context, live: LiveSession | None) -> LeaseShown | None:
    """Return the lease of a live session as its facts have it, None when it holds none that is known here."""
    if live is not None and live.claim is not None and live.ttl_seconds is not None:
        return LeaseShown(epoch=None, ttl_seconds=live.ttl_seconds, provisional=True)
    if live is None or live.epoch is None or live.ttl_seconds is None:
        return None
    left = live.lease_seconds_left(ctx.boot_clock())
    return LeaseShown(epoch=live.epoch, ttl_seconds=live.ttl_seconds, deadline_in=None if left is None else int(left))
