"""A step of random work: a few small numbers, and what every kind of work reads of them."""

from typing import Final, NamedTuple

from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.view import View
from tests.support.stores import a_session

TICKETS: Final = 5
"""So few that clones meet on them."""
COMMIT: Final = "1" * 40


class Step(NamedTuple):
    """One thing that one clone does; what the numbers mean depends on the verb."""

    clone: int
    verb: str
    which: int
    value: int


def ticket_of(step: Step) -> TicketId:
    """Return the ticket that a step is about."""
    return TicketId(f"TICKET-{step.which % TICKETS:03}")


def other_of(step: Step) -> TicketId:
    """Return another ticket, at times the same one."""
    return TicketId(f"TICKET-{(step.which + step.value) % TICKETS:03}")


def nonce_of(step: Step) -> str:
    """Return the nonce of a claim, one of few."""
    return f"{step.which % TICKETS * 10 + step.value % 3:032x}"


def living(view: View, ticket: TicketId) -> SessionId | None:
    """Return the session that works on a ticket as far as a clone knows."""
    found = view.sessions(ticket=ticket, statuses=("active",), limit=1)
    return found[0].id if found else None


def holder_of(step: Step, view: View) -> tuple[TicketId, SessionId, int]:
    """Return a step's ticket with who works on it and its token, or with somebody who never held it."""
    ticket = ticket_of(step)
    return ticket, living(view, ticket) or a_session(step.value), max(view.highest_epoch(ticket), 1)
