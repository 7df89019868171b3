"""Intents: the forest of what is wanted, with what became of it, and work that belongs to no intent."""

from typing import Annotated, Final

import msgspec

from exo_sidecar.domain import forest
from exo_sidecar.domain.forest import Forest
from exo_sidecar.model import lifecycle
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.forest import Drifted, Node, Orphan, Progress
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.ticket import Risk, Scope, TicketRecord
from exo_sidecar.model.view import TicketFilter, TicketRow, View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

_SCANNED_MAX: Final = 100_000
_SHOWN_MAX: Final = 1000
"""Most intents, and most orphans, of one report."""
STALE_HOURS: Final = 120


class Intents(Params, frozen=True, kw_only=True):
    """Parameters of `intents`."""

    status: Annotated[str | None, param("Only intents of this status", metavar="STATUS", completes="status")] = None
    drift_above: Annotated[
        float | None, param("Only intents of which some session drifted further, 0 to 1", metavar="X")
    ] = None
    stale_hours: Annotated[int, param("Hours without a session after which an open intent is stale", metavar="N")] = (
        STALE_HOURS
    )


class IntentShown(msgspec.Struct, frozen=True, kw_only=True):
    """An intent, and what it comes to with everything below it."""

    id: TicketId
    title: str
    status: str
    risk: Risk
    scope: Scope
    drift: Drifted
    progress: Progress
    sessions: int
    stale: bool
    last_work: str | None
    """The latest sign of a session; None: there never was one."""
    children: tuple[Node, ...]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The forest in numbers: of the intents that are shown, and of all orphans."""

    intents: int
    open: int
    stale: int
    tasks: int
    done: int
    orphans: int
    mean_drift: float | None


class IntentsShown(Result, frozen=True, kw_only=True):
    """The forest."""

    intents: tuple[IntentShown, ...]
    orphans: tuple[Orphan, ...]
    """Open tasks without a living intent, and tasks of which a session left the boundary; up to 1000."""
    summary: Summary


@operation(Panel.TICKETS, reads_only=True, idempotent=True)
def run(ctx: Context, params: Intents) -> IntentsShown:
    """Show the forest of intents: what lies below each, how far it is, how far its sessions drifted, what is stale.

    Work without a living intent is an orphan, and so is work of which a session left the boundary that held for it.
    Archived intents are left out unless --status archived asks for them; what is archived below others still counts.
    """
    if params.drift_above is not None and not 0 <= params.drift_above <= 1:
        message = f"drift_above: {params.drift_above} is not a number from 0 to 1"
        raise ValueInvalid(message, parameter="drift_above")
    if params.stale_hours < 0:
        message = f"stale_hours: {params.stale_hours} is not a number from 0"
        raise ValueInvalid(message, parameter="stale_hours")
    view = ctx.view()
    rows = view.tickets(TicketFilter(archived=True), sort="age", after=None, limit=_SCANNED_MAX)
    found = Forest(rows, view.sessions(limit=_SCANNED_MAX), _done_and_put_away(view, rows))
    shown = _chosen(ctx, view, found, params)
    orphans = found.orphans()
    return IntentsShown(intents=shown[:_SHOWN_MAX], orphans=orphans[:_SHOWN_MAX], summary=_summary(shown, len(orphans)))


def _chosen(ctx: Context, view: View, found: Forest, params: Intents) -> tuple[IntentShown, ...]:
    wanted = lifecycle.parse(params.status) if params.status else None
    shown = []
    for row in found.rows.values():
        fits = row.status is wanted if wanted is not None else row.status is not Status.ARCHIVED
        record = view.ticket(row.id) if row.kind == "intent" and fits else None
        if record is None:
            continue
        each = _shown(ctx, record, found, params.stale_hours)
        if params.drift_above is None or (each.drift.max is not None and each.drift.max > params.drift_above):
            shown.append(each)
    return tuple(shown)


def _shown(ctx: Context, record: TicketRecord, found: Forest, stale_hours: int) -> IntentShown:
    ticket, grown = record.ticket, found.grown(record.id)
    return IntentShown(
        id=record.id,
        title=ticket.title,
        status=ticket.status,
        risk=ticket.risk,
        scope=ticket.scope,
        drift=grown.drift,
        progress=grown.progress,
        sessions=grown.sessions,
        stale=forest.is_stale(ticket.status, record.created_at, grown.last_work, ctx.now, stale_hours),
        last_work=grown.last_work,
        children=grown.children,
    )


def _summary(shown: tuple[IntentShown, ...], orphans: int) -> Summary:
    return Summary(
        intents=len(shown),
        open=sum(1 for each in shown if Status(each.status) not in CLOSED),
        stale=sum(1 for each in shown if each.stale),
        tasks=sum(each.progress.total for each in shown),
        done=sum(each.progress.done for each in shown),
        orphans=orphans,
        mean_drift=forest.mean([each.drift.mean for each in shown if each.drift.mean is not None]),
    )


def _done_and_put_away(view: View, rows: tuple[TicketRow, ...]) -> frozenset[TicketId]:
    """Return the archived tickets that were done: a row does not say how a ticket was closed."""
    archived = (view.ticket(row.id) for row in rows if row.status is Status.ARCHIVED)
    return frozenset(record.id for record in archived if record is not None and record.is_satisfied)
