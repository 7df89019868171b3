"""Tickets as reports show them: a row of a list, one ticket with everything around it."""

from typing import Final

import msgspec

from exo_sidecar.domain import blockers, dispatch, fence, hierarchy, moves
from exo_sidecar.domain.checks import wanted
from exo_sidecar.domain.dispatch import Reason
from exo_sidecar.domain.holding import holders, holding
from exo_sidecar.model.check_run import Verified
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.instant import seconds_between
from exo_sidecar.model.lifecycle import Status, ways_out
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import Budgets, Scope, Ticket, TicketRecord, Version
from exo_sidecar.model.view import HistoryEntry, TicketRow, View
from exo_sidecar.operations.registry import Result

SESSIONS_MAX: Final = 20
HISTORY_MAX: Final = 500
TREE_MAX: Final = 500
"""Most records of each sort that one report shows."""


class LeaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a ticket, as the ledger knows it; `leases` asks the authority."""

    session: SessionId
    actor: str
    epoch: int | None


class TicketListed(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in a list."""

    id: TicketId
    title: str
    kind: str
    type: str
    status: Status
    priority: int
    parent: TicketId | None
    holder: str | None
    """The actor whose session holds it."""
    lease: LeaseShown | None
    score: int
    blocked_by: tuple[TicketId, ...]
    conflict_fields: tuple[str, ...]


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not count or cannot be read."""

    name: str
    reason: str
    count: int = 1


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket beside, above or below another."""

    id: TicketId
    title: str
    kind: str
    status: str
    distance: int = 0
    """Levels between the two in the hierarchy."""


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for work on a ticket, with what comes from above."""

    scope: Scope
    budgets: Budgets
    checks: tuple[str, ...]
    boundary: str


class NextStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A status that the table allows next."""

    status: Status
    meaning: str
    who: str
    guards: tuple[str, ...]
    obstacles: tuple[str, ...]
    """What stands against it now, whoever asks."""


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A session on a ticket."""

    id: SessionId
    actor: str
    status: str
    epoch: int | None
    started_at: str | None
    finished_at: str | None
    summary: str | None


class HandoffShown(msgspec.Struct, frozen=True, kw_only=True):
    """A handoff that waits to be taken up."""

    id: str
    to: str
    by: str = msgspec.field(name="from")
    """The actor who handed on."""
    summary: str
    reserved_until: str
    """Until then only who `to` names takes the ticket."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What the work on a ticket has used so far, by what its sessions said at their end."""

    sessions: int
    seconds: int
    """At work, interruptions left out, by the wall clocks of whoever wrote; of the last 20 sessions."""
    files: int
    """Most files that one session changed."""
    lines: int


class ConflictShown(msgspec.Struct, frozen=True, kw_only=True):
    """A field that was written in two clones at once; the first value stands."""

    field: str
    values: tuple[Version, ...]


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket's place: nearest ancestor first, descendants level by level."""

    ancestors: tuple[Related, ...]
    descendants: tuple[Related, ...]


class TicketShown(Result, frozen=True, kw_only=True):
    """One ticket with everything around it."""

    ticket: Ticket
    creator: str
    created_at: str
    updated_at: str
    resolution: str | None
    effective: Effective
    usage: Usage
    lease: LeaseShown | None
    handoff: HandoffShown | None
    """What was handed on with it and waits; None: nothing does."""
    sessions: tuple[SessionShown, ...]
    blocked_by: tuple[Related, ...]
    blocks: tuple[Related, ...]
    next_statuses: tuple[NextStatus, ...]
    held_back: tuple[Reason, ...]
    """Why it is not offered by `next`; empty when it is."""
    verified: Verified | None
    """The last time that its checks ran, or were passed over; None: they never did."""
    conflict_values: tuple[ConflictShown, ...]
    history: tuple[HistoryEntry, ...] | None = None
    tree: Tree | None = None


def listed(view: View, row: TicketRow) -> TicketListed:
    """Return a row with its holder and the blockers that it waits for."""
    lease = lease_of(view, row.id)
    record = view.ticket(row.id) if row.open_blockers else None
    waiting = blockers.unsatisfied(view, record.ticket) if record is not None else ()
    return TicketListed(
        id=row.id,
        title=row.title,
        kind=row.kind,
        type=row.type,
        status=row.status,
        priority=row.priority,
        parent=row.parent,
        holder=lease.actor if lease else None,
        lease=lease,
        score=row.score,
        blocked_by=tuple(blocker.id for blocker in waiting),
        conflict_fields=row.conflict_fields,
    )


def shown(view: View, record: TicketRecord, *, history: bool, tree: bool) -> TicketShown:
    """Return one ticket with everything around it."""
    ticket = record.ticket
    sessions = view.sessions(ticket=record.id, limit=SESSIONS_MAX)
    return TicketShown(
        ticket=ticket,
        creator=record.creator,
        created_at=record.created_at,
        updated_at=record.updated_at,
        resolution=record.resolution,
        effective=_effective(view, record),
        usage=_usage(sessions),
        lease=lease_of(view, record.id),
        handoff=_handoff(view, record.id),
        sessions=tuple(map(_session, sessions)),
        blocked_by=tuple(_related(view, blocker) for blocker in ticket.blockers),
        blocks=tuple(_related(view, dependent) for dependent in view.dependents(record.id)),
        next_statuses=_next_statuses(view, record),
        held_back=dispatch.explain(view, record).reasons,
        verified=view.last_checks(record.id),
        conflict_values=tuple(
            ConflictShown(field=name, values=values) for name, values in sorted(record.conflicts.items())
        ),
        history=view.history(record.id, limit=HISTORY_MAX) if history else None,
        tree=_tree(view, record) if tree else None,
    )


def lease_of(view: View, ticket: TicketId) -> LeaseShown | None:
    """Return who holds the ticket as far as the ledger knows, None when nobody does."""
    held = holding(view, ticket)
    return None if held is None else LeaseShown(session=held.session, actor=held.actor, epoch=held.epoch)


def held_by(view: View, actor: str) -> frozenset[TicketId]:
    """Return the tickets that sessions of the actor hold."""
    return frozenset(session.ticket for session in holders(view) if session.actor == actor)


def damaged(view: View) -> tuple[Damaged, ...]:
    """Return what the ledger holds and the list cannot show."""
    left_out = (Damaged(name=each.event, reason=each.reason, count=each.count) for each in view.quarantined())
    faults = (each for each in view.findings() if each.severity == "error")
    return (*left_out, *(Damaged(name=each.file or each.subject, reason=each.message) for each in faults))


def _effective(view: View, record: TicketRecord) -> Effective:
    return Effective(
        scope=fence.scope(view, record),
        budgets=fence.budgets(record),
        checks=wanted(record, view),
        boundary=fence.boundary(view, record),
    )


def _next_statuses(view: View, record: TicketRecord) -> tuple[NextStatus, ...]:
    return tuple(
        NextStatus(
            status=way.end,
            meaning=way.meaning,
            who=str(way.who),
            guards=tuple(str(guard) for guard in way.guards),
            obstacles=tuple(refusal.message for refusal in moves.obstacles(view, record, way)),
        )
        for way in ways_out(record.ticket.status)
    )


def _session(record: SessionRecord) -> SessionShown:
    return SessionShown(
        id=record.id,
        actor=record.actor,
        status=record.status,
        epoch=record.epoch,
        started_at=record.started_at,
        finished_at=record.finished_at,
        summary=record.finish.summary if record.finish else None,
    )


def _handoff(view: View, ticket: TicketId) -> HandoffShown | None:
    waiting = view.handoff(ticket)
    if waiting is None:
        return None
    return HandoffShown(
        id=waiting.id,
        to=waiting.content.to,
        by=waiting.actor,
        summary=waiting.content.summary,
        reserved_until=waiting.content.reserved_until,
    )


def _usage(sessions: tuple[SessionRecord, ...]) -> Usage:
    drifts = [each.finish.drift for each in sessions if each.finish is not None and each.finish.drift is not None]
    return Usage(
        sessions=len(sessions),
        seconds=sum(map(_seconds, sessions)),
        files=max((drift.files for drift in drifts), default=0),
        lines=max((drift.lines for drift in drifts), default=0),
    )


def _seconds(session: SessionRecord) -> int:
    """Return how long a session that ended was at work; 0 where the clocks that wrote it disagree."""
    if session.started_at is None or session.finished_at is None:
        return 0
    away = sum(_between(each.at, each.resumed_at or session.finished_at) for each in session.suspensions)
    return max(0, _between(session.started_at, session.finished_at) - away)


def _between(start: str, end: str) -> int:
    return max(0, seconds_between(start, end))


def _tree(view: View, record: TicketRecord) -> Tree:
    above = hierarchy.ancestors(view, record.ticket)
    below = hierarchy.descendants(view, record.id, limit=TREE_MAX)
    return Tree(
        ancestors=tuple(_related(view, each.id, distance) for distance, each in enumerate(above, start=1)),
        descendants=tuple(_related(view, each, distance) for each, distance in below),
    )


def _related(view: View, ticket_id: TicketId, distance: int = 0) -> Related:
    record = view.ticket(ticket_id)
    if record is None:
        return Related(id=ticket_id, title="", kind="task", status="missing", distance=distance)
    ticket = record.ticket
    return Related(id=ticket_id, title=ticket.title, kind=ticket.kind, status=ticket.status, distance=distance)
