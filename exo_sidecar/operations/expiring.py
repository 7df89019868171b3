"""Expired leases: what one clone has watched standing still for too long, told to all (docs/leases.md, "Moves").

The clock that counts is this machine's own, since it first saw the value; others believe what it says about exactly
that value, and a heartbeat makes another. Nobody is asked as long as nothing that this clone has seen is old enough.
"""

from typing import Final

from exo_sidecar.git.oid import Oid
from exo_sidecar.leases import attempt
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.refs import Seen
from exo_sidecar.leases.rules import stale_after_seconds
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model.event import Draft, LeaseExpired
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import TTL_SECONDS_MIN
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk

TOLD_MAX: Final = 100
"""Most leases that one call tells of; the next tells of more."""


def found(ctx: Context, desk: LeaseDesk) -> tuple[Seen, ...]:
    """Return the values of others that stood still for too long, that the authority still shows, and nobody told of."""
    supposed = _supposed(ctx)
    if not supposed or desk.authority.remote is None:  # one machine's leases are seen by all who share them
        return ()
    shown = desk.survey().leases
    still = (shown.get(seen.lease.ticket) for seen in supposed)
    return tuple(seen for seen in still if seen in supposed and seen is not None)


def told(view: View, expired: tuple[Seen, ...]) -> Outcome:
    """Return the events that tell of them, for all who do not know yet."""
    return Outcome(
        events=tuple(
            Draft(subject=ticket, data=LeaseExpired(ticket=ticket, value=seen.oid))
            for seen in expired
            if not view.is_expired(ticket := seen.lease.ticket, seen.oid)
        )
    )


def tell(ctx: Context, desk: LeaseDesk) -> None:
    """Write down which leases have expired before this clone's eyes, if any have."""
    expired = found(ctx, desk)
    if expired:
        ctx.transact(lambda view: told(view, expired))


def _supposed(ctx: Context) -> tuple[Seen, ...]:
    """Return the values that have expired as far as this clone knows without asking."""
    common, view, clock = ctx.place.common, ctx.view(), ctx.boot_clock()
    nonces, values = Nonces(common), []
    old = Observations(common).standing_still(clock, stale_after_seconds(TTL_SECONDS_MIN))
    for ticket, value in sorted(old.items()):
        seen = None if view.is_expired(ticket, value) else _read(ctx, ticket, value)
        if seen is None or seen.lease.state == "released" or nonces.is_ours(seen.lease):
            continue
        if Observations(common).is_stale(ticket, value, seen.lease.ttl_seconds, clock):
            values.append(seen)
    return tuple(values[:TOLD_MAX])


def _read(ctx: Context, ticket: TicketId, value: Oid) -> Seen | None:
    """Return a value that was seen before, None when it is here no more or is no lease."""
    try:
        return attempt.decode(ctx.repository, ticket, value)
    except LeaseDamaged:
        return None
