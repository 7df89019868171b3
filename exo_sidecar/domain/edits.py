"""Hand edits of a ticket's file, judged like `ticket-create`, `ticket-edit` and `ticket-move` (docs/format.md).

All or nothing per file: one field that is refused refuses the whole edit, and `field` in the details says which. A move
to a status that needs a reason finds it in a note that the same edit added.
"""

from typing import Final, Literal

import msgspec

from exo_sidecar.domain import fields, moves, tickets
from exo_sidecar.domain.holding import Asker, Standing, standing
from exo_sidecar.domain.moves import Ask
from exo_sidecar.domain.tickets import Change, Wish
from exo_sidecar.model import ids
from exo_sidecar.model.errors import ExoError, IdInvalid, ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import SETS, Ticket, TicketRecord, set_of
from exo_sidecar.model.view import View

_FIRST: Final[dict[Status, Literal["backlog", "todo"]]] = {Status.BACKLOG: "backlog", Status.TODO: "todo"}
"""Statuses that a ticket can begin with."""


def absorb_ticket(
    view: View, before: TicketRecord | None, after: Ticket, asker: Asker, *, human: bool | None = None
) -> Outcome:
    """Return the events that make the record like its file, or the refusal.

    Args:
        view: the state that the file is compared with.
        before: the record as the fold knows it; None for a file that somebody made.
        after: the file's content.
        asker: who takes the edit in; its actor is taken for the editor.
        human: whether that is a person; None: what the actor's kind claims.
    """
    try:
        if before is None:
            return _absorbed_new(view, after, asker)
        return _absorbed_edit(view, before, after, standing(view, before.id, asker, human=human))
    except ExoError as error:
        error.details.setdefault("field", "id")
        error.details.setdefault("ticket", after.id)
        return refused(error)


def _absorbed_new(view: View, after: Ticket, asker: Asker) -> Outcome:
    if after.status not in _FIRST:
        message = f"{after.id}: a new ticket is backlog or todo, not {after.status}"
        return refused(ValueInvalid(message, ticket=after.id, field="status", parameter="status"))
    wish = Wish(
        kind=after.kind,
        fields=fields.changed(Ticket(id=after.id, title=""), after),
        sets={name: set_of(after, name) for name in SETS},
        notes=after.notes,
        status=_FIRST[after.status],
        id=after.id,
        absorbed=True,
    )
    ticket_id = tickets.given_id(after.kind, _exact(after.id))
    return _with_field(tickets.created(view, ticket_id, wish, asker), "id")


def _absorbed_edit(view: View, before: TicketRecord, after: Ticket, caller: Standing) -> Outcome:
    ticket = before.ticket
    fault = _notes_or_id_fault(ticket, after)
    if fault is not None:
        return refused(fault)
    notes = after.notes[len(ticket.notes) :]
    changed = tickets.changed_fields(ticket, after)
    outcome = Outcome()
    if changed:
        outcome = _with_field(tickets.edit(view, before, _change(ticket, after, notes), caller), changed[0])
    if outcome.refusal is not None or ticket.status is after.status:
        return outcome
    ask = Ask(end=after.status, reason="; ".join(notes) or None, absorbed=True)
    edited = msgspec.structs.replace(before, ticket=msgspec.structs.replace(after, status=ticket.status))
    move = _with_field(moves.move(view, edited, ask, caller), "status")
    return move if move.refusal is not None else outcome + move


def _change(before: Ticket, after: Ticket, notes: tuple[str, ...]) -> Change:
    added = {name: _without(set_of(after, name), set_of(before, name)) for name in SETS}
    removed = {name: _without(set_of(before, name), set_of(after, name)) for name in SETS}
    return Change(fields=fields.changed(before, after), add=added, remove=removed, notes=notes, absorbed=True)


def _notes_or_id_fault(before: Ticket, after: Ticket) -> ValueInvalid | None:
    if before.id != after.id:
        message = f"the id of {before.id} cannot be changed to {after.id}"
        hint = "put the id back; a copy of a ticket gets a file of its own name"
        return ValueInvalid(message, hint=hint, ticket=before.id, field="id")
    if after.notes[: len(before.notes)] != before.notes:
        message = f"{before.id}: notes are added, never changed or taken away"
        return ValueInvalid(message, hint="add a note at the end instead", ticket=before.id, field="notes")
    return None


def _exact(text: TicketId) -> str:
    """Return the id of a file as it stands; a file's name is not corrected."""
    if ids.is_id(text):
        return text
    message = f"{text[:60]!r} is not an id"
    raise IdInvalid(message, field="id")


def _without(members: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(member for member in members if member not in others)


def _with_field(outcome: Outcome, field: str) -> Outcome:
    if outcome.refusal is not None:
        outcome.refusal.details.setdefault("field", field)
    return outcome
