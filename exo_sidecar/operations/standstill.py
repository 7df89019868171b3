"""Standstill: tickets at work of which nothing has been heard for `sessions.stale_hours`, as far as is known here."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.domain.holding import Holding, holding
from exo_sidecar.leases.last_known import last_known
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.instant import seconds_between
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.view import TicketFilter, View
from exo_sidecar.operations.context import Context

_SCANNED_MAX: Final = 100_000
_HOUR: Final = 3600


def tickets(ctx: Context, view: View) -> tuple[TicketId, ...]:
    """Return the active tasks that nobody holds, or whose session has given no sign for so long; nobody is asked."""
    hours = view.config().sessions.stale_hours
    active = TicketFilter(statuses=(Status.ACTIVE,), kinds=("task",))
    rows = view.tickets(active, sort="age", after=None, limit=_SCANNED_MAX)
    return tuple(row.id for row in rows if _silent_seconds(ctx, view, row.id) > hours * _HOUR)


def _silent_seconds(ctx: Context, view: View, ticket: TicketId) -> float:
    """Return how long ago the ticket's session was heard of; without end when there is none."""
    held = holding(view, ticket)
    if held is None:
        return float("inf")
    ages = [float(seconds_between(sign, ctx.now)) for sign in _signs(ctx, view, ticket, held)]
    live = next((each for each in ctx.live.sessions if each.session == held.session), None)
    heartbeat = live.heartbeat_age(ctx.boot_clock()) if live is not None else None
    return min([*ages, *([heartbeat] if heartbeat is not None else [])], default=float("inf"))


def _signs(ctx: Context, view: View, ticket: TicketId, held: Holding) -> Iterator[str]:
    """Yield when the session was heard of, by the wall clocks of whoever wrote that."""
    record = view.session(held.session)
    if record is not None:
        yield from (sign for sign in (record.started_at, *(each.resumed_at for each in record.suspensions)) if sign)
    seen = last_known(ctx.repository, ticket, ctx.boot_clock())
    if seen is not None and seen.lease.holder.session == held.session:
        yield seen.lease.renewed_at
