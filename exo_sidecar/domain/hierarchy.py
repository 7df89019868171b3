"""The hierarchy: intents above epics above tasks (docs/guides/tickets.md).

Parents are stored, children follow from them. Every walk keeps a visited set and ends at `WALK_MAX`, so a ring that two
clones closed without knowing each other hurts nobody.
"""

from collections import deque
from typing import Final

from exo_sidecar.kernel.validate_ticket import validate_ticket
from exo_sidecar.model import ids
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.hierarchy import PARENT_KINDS, InvalidParent, Surroundings
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.ticket import Ticket, TicketRecord
from exo_sidecar.model.view import View

WALK_MAX: Final = 10_000
"""No walk visits more tickets: far above any real forest, and still answered at once."""


def parent_refusal(view: View, ticket: Ticket) -> ExoError | None:
    """Return why `ticket`, as it would be, cannot stand where it says; None when it can.

    The ticket itself need not exist yet. When it does, its descendants come along and count for the depth.
    """
    parent = view.ticket(ticket.parent) if ticket.parent is not None else None
    below = descendants(view, ticket.id) if parent is not None else ()
    settings = view.config().tickets
    around = Surroundings(
        parent=parent,
        above=ancestors(view, parent.ticket) if parent is not None else (),
        levels_below=below[-1][1] if below else 0,
        require_parent=settings.require_parent,
        levels_max=settings.max_tree_depth,
    )
    return validate_ticket(ticket, around)


def children_refusal(view: View, ticket: Ticket) -> ExoError | None:
    """Return why a ticket of this kind cannot keep its children; None when it can."""
    for child_id in view.children(ticket.id):
        child = view.ticket(child_id)
        if child is not None and ticket.kind not in PARENT_KINDS[child.ticket.kind]:
            message = f"{ticket.id} cannot become a {ticket.kind}: the {child.ticket.kind} {child_id} lies below it"
            return InvalidParent(
                message, hint=f"move {child_id} to another parent first", ticket=ticket.id, field="kind"
            )
    return None


def fault(view: View, record: TicketRecord) -> str | None:
    """Return why the ticket's place is not valid, None when it is: such a ticket is listed and never dispatched."""
    refusal = parent_refusal(view, record.ticket)
    if refusal is not None:
        return refusal.message
    for above in ancestors(view, record.ticket):
        if not above.is_open:
            return f"{above.id} above it is {above.ticket.status}"
    return None


def faults(view: View, record: TicketRecord) -> tuple[str, ...]:
    """Return everything that is wrong with the ticket's place and with what it names, in words.

    Of a closed ticket only what is wrong with the records: that its parent was closed, too, is as it should be.
    """
    ticket = record.ticket
    parent = view.ticket(ticket.parent) if ticket.parent is not None else None
    found = []
    place = fault(view, record) if record.is_open or parent is None or parent.is_open else None
    if place is not None:
        found.append(place)
    if ticket.kind == "intent" and not ticket.brain_dump.strip():
        found.append(f"{record.id} is an intent without a brain dump: nobody can say what was wanted")
    found += [f"{record.id} is linked to {link}, and there is no such ticket" for link in _dangling(view, ticket)]
    return tuple(found)


def ancestors(view: View, ticket: Ticket) -> tuple[TicketRecord, ...]:
    """Return the tickets above, nearest first; a ring or a missing parent ends the walk."""
    found: list[TicketRecord] = []
    visited = {ticket.id}
    following = ticket.parent
    while following is not None and following not in visited and len(found) < WALK_MAX:
        visited.add(following)
        record = view.ticket(following)
        if record is None:
            break
        found.append(record)
        following = record.ticket.parent
    return tuple(found)


def depth(view: View, ticket: Ticket) -> int:
    """Return how many tickets lie above: 0 for a root."""
    return len(ancestors(view, ticket))


def descendants(view: View, ticket_id: TicketId, *, limit: int = WALK_MAX) -> tuple[tuple[TicketId, int], ...]:
    """Return the tickets below with their distance, level by level, at most `limit` of them."""
    found: list[tuple[TicketId, int]] = []
    visited = {ticket_id}
    waiting = deque([(ticket_id, 0)])
    while waiting and len(found) < limit:
        current, distance = waiting.popleft()
        for child in view.children(current):
            if child not in visited:
                visited.add(child)
                found.append((child, distance + 1))
                waiting.append((child, distance + 1))
    return tuple(found[:limit])


def _dangling(view: View, ticket: Ticket) -> tuple[str, ...]:
    """Return links that name a ticket, alone or as `relation:ID`, of which nobody knows the other side."""
    named = ((link, link.rpartition(":")[2]) for link in ticket.links)
    prefixes = tuple(f"{prefix}-" for prefix in ("TICKET", "EPIC", "INTENT"))
    return tuple(
        link
        for link, other in named
        if other.startswith(prefixes) and ids.is_id(other) and view.ticket(TicketId(other)) is None
    )
