"""Migration: tickets of a plain folder as events of the ledger (docs/sync.md, "Edits by hand"). Pure.

All tickets come at once, so references among them count whatever their order; one that cannot be taken in is named and
left out, the others go on. What the branch knows already stands: nothing of it is changed.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from exo_sidecar.domain import fields, wording
from exo_sidecar.model import lifecycle
from exo_sidecar.model.errors import ExoError, Internal
from exo_sidecar.model.event import Data, Draft, Fields, Sets, TicketCreated, TicketMoved, TicketNoted
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import SCALARS, SETS, Ticket, scalar_of, set_of
from exo_sidecar.model.view import View

_REASON: Final = "taken over from the plain folder"
_REFERENCES: Final = ("parent", "created_by")
_NOTES_INSIDE_MAX: Final = 1024
"""Longest note that the event of a creation holds; a longer one is an event of its own."""


class _TakenIn(NamedTuple):
    """One ticket as events, and the tickets that it names and nobody knows."""

    events: tuple[Data, ...]
    dangling: tuple[str, ...]


def take_in(view: View, tickets: Sequence[Ticket], operation: str) -> Outcome:
    """Return the events that make these tickets, and a finding for each that the branch has or that does not fit."""
    fresh = [ticket for ticket in tickets if view.ticket(ticket.id) is None]
    known = {ticket.id for ticket in fresh}
    outcome = Outcome(findings=tuple(_kept(ticket) for ticket in tickets if _differs(view, ticket)))
    events: list[Draft] = []
    findings: list[Finding] = []
    for ticket in fresh:
        try:
            taken = _taken_in(view, ticket, known, operation)
        except ExoError as error:
            findings.append(_left_out(ticket, error))
            continue
        events += [Draft(subject=ticket.id, data=data) for data in taken.events]
        findings += [_dangling(ticket, name) for name in taken.dangling]
    return outcome + Outcome(events=tuple(events), findings=tuple(findings))


def way_to(status: Status) -> tuple[Status, ...]:
    """Return the lawful moves by which a ticket comes to `status`, its first status included.

    Nobody holds a lease on what is taken over, so work under way comes as paused; what is archived counts as done.
    """
    if status is Status.ARCHIVED:
        return (*way_to(Status.DONE), Status.ARCHIVED)
    wanted = Status.PAUSED if status is Status.ACTIVE else status
    if wanted is Status.BACKLOG:
        return (Status.BACKLOG,)
    ways: list[tuple[Status, ...]] = [(Status.TODO,)]
    for way in ways:  # grows while it is walked; a way passes each status once at most, so it ends
        if way[-1] is wanted:
            return way
        ways += [(*way, move.end) for move in lifecycle.ways_out(way[-1]) if move.end not in way]
    message = f"no moves lead to {wanted}"
    raise Internal(message)


def _taken_in(view: View, ticket: Ticket, known: Collection[TicketId], operation: str) -> _TakenIn:
    """Return the events of one ticket; raises the ExoError of the field that does not fit."""
    way = way_to(ticket.status)
    first: Literal["backlog", "todo"] = "backlog" if way[0] is Status.BACKLOG else "todo"
    notes = tuple(wording.passage("note", note, needed=True) for note in ticket.notes)
    inside = notes if all(len(note) <= _NOTES_INSIDE_MAX for note in notes) else ()
    parents, dangling = _references(view, ticket, known)
    blockers = tuple(each for each in ticket.blockers if _is_known(view, each, known))
    created = TicketCreated(
        fields=msgspec.structs.replace(_scalars(view, ticket), **parents),
        sets=msgspec.structs.replace(_sets(view, ticket), blockers=blockers),
        status=first,
        notes=inside,
        absorbed=True,
    )
    fault = fields.size_fault(ticket, created)
    if fault is not None:
        raise fault
    later = () if inside else notes
    steps = pairwise(way)
    events: tuple[Data, ...] = (
        created,
        *(TicketNoted(text=note, absorbed=True) for note in later),
        *(TicketMoved(start=a, end=b, operation=operation, reason=_REASON, absorbed=True) for a, b in steps),
    )
    return _TakenIn(events, (*dangling, *(each for each in ticket.blockers if each not in blockers)))


def _scalars(view: View, ticket: Ticket) -> Fields:
    plain = Ticket(id=ticket.id, title="")
    changed = {name: scalar_of(ticket, name) for name in SCALARS if scalar_of(ticket, name) != scalar_of(plain, name)}
    own = {name: value for name, value in changed.items() if name not in _REFERENCES}
    return fields.clean(view, {"kind": ticket.kind, "title": ticket.title, **own})


def _sets(view: View, ticket: Ticket) -> Sets:
    sets = fields.clean_sets(view, {name: set_of(ticket, name) for name in SETS if name != "blockers"})
    return msgspec.structs.replace(sets, scope_allow=()) if sets.scope_allow == (EVERYTHING,) else sets


def _references(view: View, ticket: Ticket, known: Collection[TicketId]) -> tuple[dict[str, object], list[str]]:
    """Return the tickets named by single fields, and those of them that nobody knows."""
    found: dict[str, object] = {}
    dangling: list[str] = []
    for name in _REFERENCES:
        named = scalar_of(ticket, name)
        if not isinstance(named, str):
            found[name] = UNSET
        elif _is_known(view, TicketId(named), known):
            found[name] = named
        else:
            dangling.append(named)
    return found, dangling


def _is_known(view: View, ticket_id: TicketId, known: Collection[TicketId]) -> bool:
    return ticket_id in known or view.ticket(ticket_id) is not None


def _differs(view: View, ticket: Ticket) -> bool:
    record = view.ticket(ticket.id)
    return record is not None and record.ticket != ticket


def _kept(ticket: Ticket) -> Finding:
    message = f"the branch has {ticket.id} already, in another version; that one stands"
    return Finding(code="MIGRATION_KEPT", subject=ticket.id, message=message)


def _left_out(ticket: Ticket, error: ExoError) -> Finding:
    message = f"{ticket.id} is not taken in: {error.message}"
    return Finding(code="MIGRATION_LEFT_OUT", subject=ticket.id, message=message, hint=error.hint)


def _dangling(ticket: Ticket, named: str) -> Finding:
    message = f"{ticket.id} names {named}, which does not exist; that is left out"
    return Finding(code="MIGRATION_REFERENCE", subject=ticket.id, message=message)
