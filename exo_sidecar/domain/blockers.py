"""Blockers: tickets that must be done before another may start. Never a ring, as far as the writer could see."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from exo_sidecar.domain.hierarchy import WALK_MAX
from exo_sidecar.model.errors import Refused
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import Ticket, TicketRecord
from exo_sidecar.model.view import View

_SHOWN_MAX: Final = 10
"""A longer ring is shown by its ends."""


class BlockerCycle(Refused):
    """The ticket would wait for itself."""

    code = "BLOCKER_CYCLE"
    advice = "leave one of these blockers away"


class Waiting(NamedTuple):
    """What a ticket waits for, in the words of whoever refuses to start it."""

    message: str
    hint: str
    blockers: tuple[str, ...]


class Unsatisfied(NamedTuple):
    """A blocker that is still waited for."""

    id: TicketId
    state: str
    """Its status; `blocker_cancelled` when it will never be done, `missing` when there is no such ticket."""


def unsatisfied(view: View, ticket: Ticket) -> tuple[Unsatisfied, ...]:
    """Return the blockers that are neither done nor archived as done, in their order."""
    found = ((blocker, view.ticket(blocker)) for blocker in ticket.blockers)
    return tuple(
        Unsatisfied(blocker, _state(record)) for blocker, record in found if record is None or not record.is_satisfied
    )


def waiting(view: View, ticket: Ticket) -> Waiting | None:
    """Return what the ticket waits for, None when every blocker is satisfied."""
    found = unsatisfied(view, ticket)
    if not found:
        return None
    named = ", ".join(f"{blocker.id} ({blocker.state})" for blocker in found)
    hint = f"finish them first, or exo ticket-edit {ticket.id} --remove-blocker {found[0].id}"
    return Waiting(f"{ticket.id} waits for {named}", hint, tuple(blocker.id for blocker in found))


def cycle_refusal(view: View, ticket_id: TicketId, added: Iterable[str]) -> BlockerCycle | None:
    """Return the refusal when one of the `added` blockers waits, however indirectly, for the ticket itself."""
    came_from: dict[str, str | None] = dict.fromkeys(added)
    queue = list(came_from)
    while queue:
        current = queue.pop()
        if current == ticket_id:
            return _cycle(ticket_id, came_from)
        if len(came_from) > WALK_MAX:
            message = f"the blockers of {ticket_id} reach more than {WALK_MAX} tickets: a ring cannot be ruled out"
            return BlockerCycle(message, ticket=ticket_id, field="blockers")
        record = view.ticket(TicketId(current))
        for blocker in record.ticket.blockers if record is not None else ():
            if blocker not in came_from:
                came_from[blocker] = current
                queue.append(blocker)
    return None


def _cycle(ticket_id: TicketId, came_from: dict[str, str | None]) -> BlockerCycle:
    chain = [str(ticket_id)]
    step = came_from[ticket_id]
    while step is not None:
        chain.append(step)
        step = came_from[step]
    ring = (ticket_id, *reversed(chain))
    shown = ring if len(ring) <= _SHOWN_MAX else (*ring[:5], "...", *ring[-4:])
    message = f"{ticket_id} would wait for itself: {' -> '.join(shown)}"
    return BlockerCycle(message, ticket=ticket_id, field="blockers", chain=shown)


def _state(record: TicketRecord | None) -> str:
    """Return how a blocker stands that is not satisfied: what is archived all the same was never done."""
    if record is None:
        return "missing"
    will_never_be = record.ticket.status in {Status.CANCELLED, Status.ARCHIVED}
    return "blocker_cancelled" if will_never_be else str(record.ticket.status)
