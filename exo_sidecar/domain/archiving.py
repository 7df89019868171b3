"""Archiving: what is closed is put away, out of lists and dispatch (docs/guides/tickets.md, "Putting away").

The record stays, and its id stays taken. A row of the lifecycle table, so whatever `moves` asks is asked here too.
"""

from typing import Final, NamedTuple

from exo_sidecar.domain import moves
from exo_sidecar.domain.holding import Standing
from exo_sidecar.domain.moves import Ask
from exo_sidecar.model.errors import ExoError, Refused
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.instant import Instant, seconds_between
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View

OPERATION: Final = "ticket-archive"


class TicketNotClosed(Refused):
    """Only what is closed, or an idea that was never taken up, is put away."""

    code = "TICKET_NOT_CLOSED"
    advice = "close it first: exo ticket-move ID cancelled --reason"


class ChildrenOpen(Refused):
    """Work below the ticket is still open; put away, nobody would find it there."""

    code = "CHILDREN_OPEN"
    advice = "finish or cancel the children first, or give them another parent"


class Verdict(NamedTuple):
    """What becomes of one ticket."""

    outcome: Outcome
    skipped: str | None = None
    """Why nothing is to be done, in words; None when there is."""


def archived(view: View, record: TicketRecord, standing: Standing) -> Verdict:
    """Return the event that puts the ticket away, or its refusal; what is archived already is skipped."""
    status = record.ticket.status
    if status is Status.ARCHIVED:
        return Verdict(Outcome(), f"{record.id} is archived already")
    refusal = obstacle(view, record)
    if refusal is not None:
        return Verdict(refused(refusal))
    return Verdict(moves.move(view, record, Ask(end=Status.ARCHIVED, operation=OPERATION), standing))


def obstacle(view: View, record: TicketRecord) -> ExoError | None:
    """Return why the ticket cannot be put away whoever asks, None when it can."""
    status = record.ticket.status
    if status not in CLOSED and status is not Status.BACKLOG:
        return TicketNotClosed(f"{record.id} is {status}", ticket=record.id)
    still_open = open_children(view, record.id)
    if still_open:
        message = f"{record.id} has open children: {', '.join(still_open)}"
        return ChildrenOpen(message, ticket=record.id, children=still_open)
    return None


def open_children(view: View, ticket: TicketId) -> tuple[TicketId, ...]:
    """Return the children whose end is not to be relied on."""
    children = (view.ticket(child) for child in view.children(ticket))
    return tuple(child.id for child in children if child is not None and child.may_be_open)


def is_older(record: TicketRecord, now: Instant, seconds: int) -> bool:
    """Whether nothing has happened to the ticket for so long, by the wall clocks of whoever wrote."""
    return seconds_between(record.updated_at, now) >= seconds
