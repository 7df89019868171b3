"""Terms of a lease as people give them, and a lease as results show it."""

from typing import Final

import msgspec

from exo_sidecar.host import live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.leases import rules
from exo_sidecar.leases.rules import TtlOutOfRange
from exo_sidecar.model import duration
from exo_sidecar.model.config import LeaseSettings
from exo_sidecar.model.errors import Usage
from exo_sidecar.model.ids import SessionId
from exo_sidecar.operations.context import Context

_HOUR_SECONDS: Final = 3600


class LeaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """The lease of the caller's session."""

    epoch: int
    ttl_seconds: int
    deadline_in: int | None = None
    """Seconds that its holder may still count on it; None where that cannot be known."""


def ttl_seconds(settings: LeaseSettings, ttl: str | None, hours: int | None) -> int:
    """Return how long a lease is to live: as given, else as configured.

    Raises:
        TtlOutOfRange: more than the configuration allows, or outside of what the format allows.
        ValueInvalid: `ttl` is no duration.
        Usage: both are given.
    """
    if ttl is not None and hours is not None:
        message = "--ttl and --hours both say how long the lease is to live"
        raise Usage(message, hint="give one of them")
    text = settings.ttl if ttl is None else ttl
    seconds = duration.parse(text) if hours is None else hours * _HOUR_SECONDS
    longest = duration.parse(settings.max_ttl)
    if (refusal := rules.check_ttl(seconds)) is not None:
        raise refusal
    if seconds > longest:
        message = f"a ttl of {duration.show(seconds)} is longer than {duration.show(longest)}"
        raise TtlOutOfRange(message, hint="leases.max_ttl in config.yaml is the limit here", ttl_seconds=seconds)
    return seconds


def shown(ctx: Context, live: LiveSession | None) -> LeaseShown | None:
    """Return the lease of a live session as its facts have it, None when it holds none that is known here."""
    if live is None or live.epoch is None or live.ttl_seconds is None:
        return None
    left = live.lease_seconds_left(ctx.boot_clock())
    return LeaseShown(epoch=live.epoch, ttl_seconds=live.ttl_seconds, deadline_in=None if left is None else int(left))


def of_session(ctx: Context, session_id: SessionId) -> LeaseShown | None:
    """Return the lease of a session that lives in this clone."""
    return shown(ctx, live_sessions.read(ctx.place.common, session_id))
