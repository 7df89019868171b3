"""Pages of tickets: a table, one ticket whole, and what became of a change."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Listing, Page, Piece, Prose, Table, Tone
from exo_sidecar.cli.render.tones import NOTHING, counted, identifier, joined, optional, status
from exo_sidecar.model import duration
from exo_sidecar.model.check_run import Verified
from exo_sidecar.model.ticket import Scalar, Ticket
from exo_sidecar.model.view import HistoryEntry
from exo_sidecar.operations.ticket import TicketEdited, TicketMoved, TicketsListed
from exo_sidecar.operations.ticket_making import TicketMade
from exo_sidecar.operations.ticket_report import Damaged, Related, TicketListed, TicketShown

_LIST_COLUMNS = ("ID", "STATUS", "P", "TITLE", "HOLDER", "BLOCKED BY")
_TITLE_COLUMN = 3
_CHECKED: Final[dict[str, Tone]] = {"pass": "good", "fail": "bad"}


def create(result: TicketMade) -> Page:
    """Say which ticket there is now."""
    return made(result, "exo next claims it, exo ticket-show " + result.id + " shows it")


def made(result: TicketMade, hint: str) -> Page:
    """Say which ticket of any kind there is now, and what may come next."""
    word = "created" if result.created else "was there already under this key"
    headline = Headline((identifier(result.id), f" {word}: ", Cell(result.ticket.title, "strong")), "good")
    ticket = result.ticket
    rows: tuple[tuple[str, Piece], ...] = (
        ("kind", f"{ticket.kind}, {ticket.type}"),
        ("status", status(ticket.status)),
        ("priority", str(ticket.priority)),
        ("parent", optional(result.parent)),
        ("scope", joined(ticket.scope.allow)),
        ("checks", joined(ticket.checks)),
    )
    return Page((headline, Facts(rows)), (hint,))


def list_(result: TicketsListed) -> Page:
    """Show tickets as a table, the most urgent first."""
    if not result.items:
        return Page(
            (Headline(("no tickets",)), *_damaged(result.damaged)),
            ("exo ticket-list without filters shows all; exo ticket-create makes one",),
        )
    table = Table(_LIST_COLUMNS, tuple(map(_row, result.items)), grows=_TITLE_COLUMN)
    more = (f"there are more: --cursor {result.next_cursor}",) if result.next_cursor else ()
    return Page((table, *_damaged(result.damaged)), more)


def show(result: TicketShown) -> Page:
    """Show one ticket: what it is, what holds for work on it, who works, what may come next."""
    hints = (f"exo resolve {result.ticket.id} settles what two clones wrote at once",) if result.conflict_values else ()
    return Page(tuple(_sections(result)), hints)


def edit(result: TicketEdited) -> Page:
    """Say what differs now."""
    headline = Headline((identifier(result.id), " edited: ", ", ".join(result.changed) or "nothing differs"), "good")
    return Page((headline,))


def move(result: TicketMoved) -> Page:
    """Say where the ticket stands now."""
    pieces = (identifier(result.id), " ", status(result.start), " -> ", status(result.end), f": {result.meaning}")
    return Page((Headline(pieces, "good"),))


def _row(item: TicketListed) -> tuple[Piece, ...]:
    mark = Cell(f"{item.status} !", "warn") if item.conflict_fields else status(item.status)
    return (
        identifier(item.id),
        mark,
        str(item.priority),
        item.title if item.kind == "task" else Cell(f"[{item.kind}] {item.title}", "strong"),
        optional(item.holder),
        joined(item.blocked_by),
    )


def _sections(result: TicketShown) -> Iterator[Block]:
    ticket = result.ticket
    yield Headline((identifier(ticket.id), "  ", Cell(ticket.title, "strong")))
    yield Facts(tuple(_facts(result)), "Ticket")
    yield from _texts(ticket)
    yield Facts(tuple(_fence(result)), "What holds for work on it")
    if result.blocked_by or result.blocks:
        yield Listing("Blockers", tuple(_blockers(result)))
    if result.conflict_values:
        yield _conflicts(result)
    if result.sessions:
        yield _sessions(result)
    if ticket.notes:
        yield Listing("Notes", ticket.notes)
    yield _next(result)
    if result.held_back:
        yield Listing("Why next does not offer it", tuple(each.message for each in result.held_back))
    if result.tree is not None:
        yield _tree(result)
    if result.history is not None:
        yield _history(result)


def _facts(result: TicketShown) -> Iterator[tuple[str, Piece]]:
    ticket = result.ticket
    resolution = f" ({result.resolution})" if result.resolution else ""
    yield "status", Cell(f"{ticket.status}{resolution}", status(ticket.status).tone)
    yield "kind", f"{ticket.kind}, {ticket.type}"
    yield "priority", f"{ticket.priority}, {ticket.risk} risk"
    yield "parent", optional(ticket.parent)
    yield "held by", _holder(result)
    if result.handoff is not None:
        kept = f"to {result.handoff.to} by {result.handoff.by}, reserved until {result.handoff.reserved_until}"
        yield "handed on", f"{kept}; exo session-start takes it up"
    yield "labels", joined(ticket.labels)
    if ticket.links:
        yield "links", joined(ticket.links)
    yield "created", f"{result.created_at} by {result.creator}"
    yield "updated", result.updated_at


def _holder(result: TicketShown) -> Cell:
    if result.lease is None:
        return NOTHING
    epoch = f", token {result.lease.epoch}" if result.lease.epoch is not None else ""
    return Cell(f"{result.lease.actor} ({result.lease.session}{epoch})")


def _texts(ticket: Ticket) -> Iterator[Block]:
    for title, text in (("Success condition", ticket.success_condition), ("Brain dump", ticket.brain_dump)):
        if text:
            yield Prose(title, text)


def _fence(result: TicketShown) -> Iterator[tuple[str, Piece]]:
    effective = result.effective
    yield "may write", joined(effective.scope.allow) if effective.scope.allow else Cell("nothing", "warn")
    yield "may not write", joined(effective.scope.deny)
    if effective.boundary:
        yield "boundary", effective.boundary
    yield "checks", joined(effective.checks)
    if result.verified is not None:
        yield "checked", _verified(result.verified)
    budgets = effective.budgets
    lines = f"{budgets.max_files_changed} files, {budgets.max_loc_changed} lines, {budgets.max_steps} steps"
    usage = result.usage
    if usage.sessions:
        used = f"{counted(usage.files, 'file')}, {counted(usage.lines, 'line')}, {duration.show(usage.seconds)}"
        yield "used so far", f"{used} in {counted(usage.sessions, 'session')}"
    yield "budgets", f"{lines}, {budgets.max_duration_seconds // 60} min, depth {budgets.max_depth}"


def _verified(last: Verified) -> Cell:
    what = ", ".join(f"{check.id} {check.verdict}" for check in last.checks) or (last.reason or "nothing ran")
    at = f" at {last.commit[:12]}" if last.commit else ""
    more = " with changes not committed" if last.dirty else ""
    return Cell(f"{last.verdict}{at}{more}: {what}", _CHECKED.get(last.verdict, "warn"))


def _blockers(result: TicketShown) -> Iterator[Piece]:
    yield from (f"waits for {_related(each)}" for each in result.blocked_by)
    yield from (f"is waited for by {_related(each)}" for each in result.blocks)


def _related(each: Related) -> str:
    return f"{each.id} {each.status}: {each.title}"


def _conflicts(result: TicketShown) -> Table:
    rows = tuple(
        (each.field if number == 0 else "", _value(value.value), value.actor, value.at)
        for each in result.conflict_values
        for number, value in enumerate(each.values)
    )
    title = "Written in two clones at once (the first value stands; scopes are united)"
    return Table(("FIELD", "VALUE", "ACTOR", "AT"), rows, title, 1)


def _value(value: Scalar) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value)) or "(empty)"


def _sessions(result: TicketShown) -> Table:
    rows = tuple(
        (identifier(each.id), status(each.status), each.actor, optional(each.started_at), optional(each.summary))
        for each in result.sessions
    )
    return Table(("SESSION", "STATUS", "ACTOR", "STARTED", "SUMMARY"), rows, "Sessions", 4)


def _next(result: TicketShown) -> Block:
    if not result.next_statuses:
        return Headline((Cell("no status may come next", "dim"),))
    rows = tuple(
        (status(each.status), each.meaning, each.who, Cell("; ".join(each.obstacles), "warn"))
        for each in result.next_statuses
    )
    return Table(("STATUS", "MEANING", "WHO", "IN THE WAY"), rows, "What may come next", 3)


def _tree(result: TicketShown) -> Listing:
    tree = result.tree
    above = list(reversed(tree.ancestors)) if tree else []
    below = tree.descendants if tree else ()
    own = len(above)
    items: tuple[Piece, ...] = (
        *map(_related, above),
        Cell(f"{result.ticket.id} (this)", "strong"),
        *map(_related, below),
    )
    levels = (*range(own), own, *(own + each.distance for each in below))
    return Listing("Where it belongs", items, levels)


def _history(result: TicketShown) -> Table:
    rows = tuple((each.at, each.actor, each.type, _told(each)) for each in result.history or ())
    return Table(("AT", "ACTOR", "EVENT", "WHAT"), rows, "History")


def _told(each: HistoryEntry) -> Cell:
    if each.quarantined is None:
        return Cell(each.summary)
    return Cell(f"{each.summary} (does not count: {each.quarantined})", "dim")


def _damaged(found: tuple[Damaged, ...]) -> tuple[Block, ...]:
    if not found:
        return ()
    rows = tuple((each.name, each.reason, counted(each.count, "event")) for each in found)
    return (Table(("WHAT", "WHY", "HOW MANY"), rows, "Left out", 1),)
