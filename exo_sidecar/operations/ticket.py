"""Tickets: pieces of work, made, listed, shown, edited and moved."""

from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.domain import holding, moves, tickets, wording
from exo_sidecar.domain.holding import Standing
from exo_sidecar.domain.moves import Ask
from exo_sidecar.domain.tickets import Change, Wish
from exo_sidecar.model import actor as actors
from exo_sidecar.model import lifecycle
from exo_sidecar.model.errors import Internal, NotFound, ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import Kind, Profile, Risk, Ticket, TicketRecord
from exo_sidecar.model.view import TicketFilter, TicketRow, View
from exo_sidecar.operations import session_checks, ticket_fields, ticket_making, ticket_report
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.ticket_fields import NewTicketFields, TicketFields
from exo_sidecar.operations.ticket_making import TicketMade
from exo_sidecar.operations.ticket_report import Damaged, TicketListed, TicketShown

_LIMIT_MAX: Final = 1000
_HISTORY_MAX: Final = 1000


class CursorUnknown(NotFound):
    """The cursor is of another list."""

    code = "CURSOR_UNKNOWN"
    advice = "use the next_cursor of the same list, or none"


class TicketCreate(NewTicketFields, frozen=True, kw_only=True):
    """Parameters of `ticket-create`."""

    title: Annotated[str, param("What is to be done, in one line", positional=True)]
    parent: Annotated[str | None, param("The intent or epic it belongs to", metavar="ID", completes="ticket")] = None
    kind: Annotated[Literal["task", "epic"], param("Tasks are worked on, epics hold tasks")] = "task"
    type: Annotated[str | None, param("Sort of work, like feature, bug, chore, docs; feature when left away")] = None
    created_by: Annotated[
        str | None, param("The ticket whose work made this one", metavar="ID", completes="ticket")
    ] = None
    source: Annotated[
        str | None, param("A closed ticket whose work goes on in this one", metavar="ID", completes="ticket")
    ] = msgspec.field(name="from", default=None)
    status: Annotated[Literal["backlog", "todo"], param("backlog: an idea; todo: ready to be worked")] = "todo"
    blocker: Annotated[
        tuple[str, ...], param("A ticket that must be done first", metavar="ID", completes="ticket")
    ] = ()
    resource_profile: Annotated[Profile | None, param("How much of a machine the work takes")] = None
    link: Annotated[tuple[str, ...], param("An address or path that belongs to it")] = ()
    note: Annotated[tuple[str, ...], param("A note")] = ()


class TicketList(Params, frozen=True, kw_only=True):
    """Parameters of `ticket-list`."""

    status: Annotated[tuple[str, ...], param("Only this status", metavar="STATUS", completes="status")] = ()
    kind: Annotated[tuple[Kind, ...], param("Only this kind")] = ()
    type: Annotated[tuple[str, ...], param("Only this type")] = ()
    label: Annotated[tuple[str, ...], param("Only with this label; several: with all of them")] = ()
    parent: Annotated[str | None, param("Only directly below this ticket", metavar="ID", completes="ticket")] = None
    holder: Annotated[str | None, param("Only held by a session of this actor", metavar="ACTOR")] = None
    ready: Annotated[bool, param("Only what next would consider")] = False
    stale: Annotated[bool, param("Only at work, and nothing heard of it for sessions.stale_hours")] = False
    conflicted: Annotated[bool, param("Only with fields that two clones changed at once")] = False
    archived: Annotated[bool, param("Archived tickets too")] = False
    sort: Annotated[Literal["score", "priority", "age", "updated", "id"], param("Order")] = "score"
    limit: Annotated[int, param("Most tickets to list, up to 1000", metavar="N")] = 100
    cursor: Annotated[str | None, param("Go on after this one: the next_cursor of the list before")] = None


class TicketsListed(Result, frozen=True, kw_only=True):
    """A page of tickets."""

    items: tuple[TicketListed, ...]
    count: int
    next_cursor: str | None
    damaged: tuple[Damaged, ...]


class TicketShow(Params, frozen=True, kw_only=True):
    """Parameters of `ticket-show`."""

    id: Annotated[str, param("Ticket to show", positional=True, metavar="ID", completes="ticket")]
    history: Annotated[bool, param("With its events")] = False
    tree: Annotated[bool, param("With what lies above and below")] = False


class TicketEdit(TicketFields, frozen=True, kw_only=True):
    """Parameters of `ticket-edit`."""

    id: Annotated[str, param("Ticket to edit", positional=True, metavar="ID", completes="ticket")]
    title: Annotated[str | None, param("What is to be done, in one line")] = None
    parent: Annotated[
        str | None, param("The intent or epic it belongs to; none: stand alone", metavar="ID", completes="ticket")
    ] = None
    kind: Annotated[Kind | None, param("intent, epic or task")] = None
    type: Annotated[str | None, param("Sort of work, like feature, bug, chore, docs")] = None
    created_by: Annotated[
        str | None, param("The ticket whose work made this one; or none", metavar="ID", completes="ticket")
    ] = None
    brain_dump: Annotated[str | None, param("The wish in somebody's own words", stdin=True)] = None
    risk: Annotated[Risk | None, param("What may break")] = None
    resource_profile: Annotated[Profile | None, param("How much of a machine the work takes")] = None
    set_checks: Annotated[
        tuple[str, ...], param("The checks that must pass, all of them by id; none: no check", metavar="ID")
    ] = ()
    note: Annotated[tuple[str, ...], param("A note to add")] = ()
    add_blocker: Annotated[
        tuple[str, ...], param("A ticket that must be done first", metavar="ID", completes="ticket")
    ] = ()
    remove_blocker: Annotated[tuple[str, ...], param("A blocker to take away", metavar="ID", completes="ticket")] = ()
    add_label: Annotated[tuple[str, ...], param("A label to add")] = ()
    remove_label: Annotated[tuple[str, ...], param("A label to take away")] = ()
    add_link: Annotated[tuple[str, ...], param("A link to add")] = ()
    remove_link: Annotated[tuple[str, ...], param("A link to take away")] = ()
    add_scope_allow: Annotated[tuple[str, ...], param("Where work may write, too", metavar="GLOB")] = ()
    remove_scope_allow: Annotated[tuple[str, ...], param("Where work may write no more", metavar="GLOB")] = ()
    add_scope_deny: Annotated[tuple[str, ...], param("Where work may not write", metavar="GLOB")] = ()
    remove_scope_deny: Annotated[tuple[str, ...], param("A deny to take away", metavar="GLOB")] = ()


class TicketEdited(Result, frozen=True, kw_only=True):
    """A ticket after an edit."""

    id: TicketId
    ticket: Ticket
    changed: tuple[str, ...]
    """Flat names of the fields that differ now."""


class TicketMove(Params, frozen=True, kw_only=True):
    """Parameters of `ticket-move`."""

    id: Annotated[str, param("Ticket to move", positional=True, metavar="ID", completes="ticket")]
    status: Annotated[str, param("New status", positional=True, metavar="STATUS", completes="status")]
    reason: Annotated[str | None, param("Why", stdin=True)] = None
    tried: Annotated[str | None, param("What was tried before it was blocked", stdin=True)] = None
    evidence: Annotated[tuple[str, ...], param("A file that shows it", metavar="PATH")] = ()
    resolution: Annotated[str | None, param("How it was closed: done, cancelled, dropped, or in words")] = None


class TicketMoved(Result, frozen=True, kw_only=True):
    """A ticket after a move."""

    id: TicketId
    start: Status = msgspec.field(name="from")
    end: Status = msgspec.field(name="to")
    meaning: str
    history_length: int
    """Events about the ticket, this move included, up to 1000."""


@operation(Panel.TICKETS, writes=True)
def create(ctx: Context, params: TicketCreate) -> TicketMade:
    """Create a task or an epic below its parent.

    A task lies below an intent or an epic, an epic below an intent. Only the new ticket is written, so tickets that
    are created at once under one parent are all kept. With --from it takes what is not said here from a closed ticket,
    and is linked to it.
    """
    wish = Wish(
        kind=params.kind,
        fields=ticket_fields.scalars(params),
        sets=ticket_fields.sets(params),
        notes=params.note,
        status=params.status,
        id=params.id,
        idem_key=params.idem_key,
    )
    return ticket_making.make(ctx, wish, params.source)


@operation(Panel.TICKETS, reads_only=True)
def list_(ctx: Context, params: TicketList) -> TicketsListed:
    """List tickets, the most urgent first.

    Archived tickets are left out unless asked for. What does not count or cannot be read is named, not shown.
    """
    if not 1 <= params.limit <= _LIMIT_MAX:
        message = f"limit: {params.limit} is not a number from 1 to {_LIMIT_MAX}"
        raise ValueInvalid(message, parameter="limit")
    view = ctx.view()
    rows = _page(ctx, view, params)
    more = len(rows) > params.limit
    items = tuple(ticket_report.listed(view, row) for row in rows[: params.limit])
    return TicketsListed(
        items=items,
        count=len(items),
        next_cursor=items[-1].id if more else None,
        damaged=ticket_report.damaged(view),
    )


@operation(Panel.TICKETS, reads_only=True)
def show(ctx: Context, params: TicketShow) -> TicketShown:
    """Show one ticket with everything around it.

    What holds for work on it (with what comes from above), who holds it, its sessions, blockers both ways, which
    statuses may come next and what stands against them, and values that two clones wrote at once.
    """
    view = ctx.view()
    return ticket_report.shown(view, view.find_ticket(params.id), history=params.history, tree=params.tree)


@operation(Panel.TICKETS, writes=True)
def edit(ctx: Context, params: TicketEdit) -> TicketEdited:
    """Change fields of a ticket, never its status.

    While a session holds the ticket only that session or a person edits it, and only a person lets the work do more
    than before: write elsewhere, use more, skip a check.
    """
    change = Change(
        fields=ticket_fields.scalars(params),
        add=ticket_fields.sets(params, "add_"),
        remove=ticket_fields.sets(params, "remove_"),
        notes=params.note,
    )
    seen: list[TicketRecord] = []

    def rule(view: View) -> Outcome:
        record = view.find_ticket(params.id)
        seen.append(record)
        return tickets.edit(view, record, change, _standing(ctx, view, record))

    view = ctx.transact(rule)
    before = seen[-1]  # the transaction may have begun again: the last one counts
    after = _again(view, before.id)
    changed = tickets.changed_fields(before.ticket, after.ticket)
    return TicketEdited(id=after.id, ticket=after.ticket, changed=changed)


@operation(Panel.TICKETS, writes=True)
def move(ctx: Context, params: TicketMove) -> TicketMoved:
    """Move a ticket to another status.

    The move must be one of the lifecycle, and what it asks for must hold. It is judged against the ticket as it is when
    the move is written, so of two moves at once one wins and the other is told. A refused move is recorded too. What a
    ticket is blocked by, and what was tried, is remembered as a learning of that ticket.
    """
    ask = _ask(params)
    if ask.end in session_checks.JUDGED:
        view = ctx.view()
        ask = ask._replace(shown=session_checks.known(ctx, view, view.find_ticket(params.id), ask.end))
    seen: list[TicketRecord] = []

    def rule(view: View) -> Outcome:
        record = view.find_ticket(params.id)
        seen.append(record)
        return moves.move(view, record, ask, _standing(ctx, view, record))

    view = ctx.transact(rule)
    before = seen[-1]  # the transaction may have begun again: the last one counts
    wanted = lifecycle.row(before.ticket.status, ask.end)
    return TicketMoved(
        id=before.id,
        start=before.ticket.status,
        end=ask.end,
        meaning=wanted.meaning if wanted else "",
        history_length=len(view.history(before.id, limit=_HISTORY_MAX)),
    )


def _ask(params: TicketMove) -> Ask:
    return Ask(
        end=lifecycle.parse(params.status),
        reason=wording.passage("reason", params.reason) if params.reason else None,
        tried=wording.passage("tried", params.tried) if params.tried else None,
        evidence=tuple(wording.path("evidence", each) for each in params.evidence),
        resolution=wording.title("resolution", params.resolution) if params.resolution else None,
    )


def _standing(ctx: Context, view: View, record: TicketRecord) -> Standing:
    """Return how the caller stands to the ticket; under an agent nobody counts as a person."""
    return holding.standing(view, record.id, ctx.caller, human=ctx.is_person)


def _page(ctx: Context, view: View, params: TicketList) -> tuple[TicketRow, ...]:
    """Return one row more than wanted, when there is one."""
    wanted = TicketFilter(
        statuses=tuple(lifecycle.parse(status) for status in params.status),
        kinds=params.kind,
        types=params.type,
        labels=params.label,
        parent=view.find_ticket(params.parent).id if params.parent else None,
        ids=_only(ctx, view, params),
        conflicted=params.conflicted,
        ready=params.ready,
        archived=params.archived,
    )
    return view.tickets(wanted, sort=params.sort, after=_cursor(view, params.cursor), limit=params.limit + 1)


def _only(ctx: Context, view: View, params: TicketList) -> tuple[TicketId, ...] | None:
    """Return the tickets to which what a row does not tell narrows the list; None: no such thing is asked."""
    found: set[TicketId] | None = None
    if params.holder is not None:
        found = set(ticket_report.held_by(view, actors.parse(params.holder)))
    if params.stale:
        # What leases were last seen is read for this alone: other lists need not load it.
        from exo_sidecar.operations import standstill  # noqa: PLC0415

        silent = set(standstill.tickets(ctx, view))
        found = silent if found is None else found & silent
    return None if found is None else tuple(sorted(found))


def _cursor(view: View, text: str | None) -> str | None:
    if text is None or view.ticket(TicketId(text)) is not None:
        return text
    message = f"{text[:60]!r} is not the cursor of a list of tickets"
    raise CursorUnknown(message)


def _again(view: View, ticket_id: TicketId) -> TicketRecord:
    record = view.ticket(ticket_id)
    if record is None:
        message = f"{ticket_id} was written and cannot be read"
        raise Internal(message)
    return record
