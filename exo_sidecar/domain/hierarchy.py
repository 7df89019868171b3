"""The hierarchy: intents above epics above tasks (docs/guides/tickets.md).

Parents are stored, children follow from them. Every walk keeps a visited set and ends at `WALK_MAX`, so a ring that two
clones closed without knowing each other hurts nobody.
"""

from collections import deque
from typing import Final

from exo_sidecar.model.errors import ExoError, Refused
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.ticket import Kind, Ticket, TicketRecord
from exo_sidecar.model.view import View

PARENT_KINDS: Final[dict[Kind, tuple[Kind, ...]]] = {"intent": (), "epic": ("intent",), "task": ("intent", "epic")}
CONTAINERS: Final = frozenset({"intent", "epic"})
FREE_TYPES: Final = frozenset({"governance", "practice"})
"""Types whose tickets need no parent."""
WALK_MAX: Final = 10_000
"""No walk visits more tickets: far above any real forest, and still answered at once."""


class InvalidParent(Refused):
    """The ticket cannot stand under this parent."""

    code = "INVALID_PARENT"
    advice = "exo ticket-list --kind intent --kind epic shows possible parents"


class ParentRequired(Refused):
    """The ticket needs a parent and has none."""

    code = "PARENT_REQUIRED"
    advice = "name an intent or epic with --parent ID; exo intent-create makes one"


def parent_refusal(view: View, ticket: Ticket) -> ExoError | None:
    """Return why `ticket`, as it would be, cannot stand where it says; None when it can.

    The ticket itself need not exist yet. When it does, its descendants come along and count for the depth.
    """
    if ticket.parent is None:
        return _without_parent(view, ticket)
    if not PARENT_KINDS[ticket.kind]:
        return _invalid(ticket, f"an {ticket.kind} is a root: it has no parent", "leave --parent away")
    parent = view.ticket(ticket.parent)
    if parent is None:
        return _invalid(ticket, f"there is no ticket {ticket.parent}", "")
    if parent.ticket.kind not in PARENT_KINDS[ticket.kind]:
        wanted = " or an ".join(PARENT_KINDS[ticket.kind])
        return _invalid(
            ticket, f"{parent.id} is a {parent.ticket.kind}; the parent of this {ticket.kind} is an {wanted}", ""
        )
    if not parent.is_open:
        return _invalid(ticket, f"{parent.id} is {parent.ticket.status}", "name an open parent, or make a new one")
    above = ancestors(view, parent.ticket)
    if ticket.id == parent.id or any(record.id == ticket.id for record in above):
        return _invalid(ticket, f"{parent.id} lies below {ticket.id}: that would be a ring", "")
    return _too_deep(view, ticket, len(above) + 1)


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


def _without_parent(view: View, ticket: Ticket) -> ExoError | None:
    if ticket.kind == "intent" or ticket.type in FREE_TYPES:
        return None
    if ticket.kind == "task" and not view.config().tickets.require_parent:
        return None
    message = f"the {ticket.kind} {ticket.title[:60]!r} has no parent"
    return ParentRequired(message, ticket=ticket.id, field="parent")


def _too_deep(view: View, ticket: Ticket, own_depth: int) -> ExoError | None:
    deepest = view.config().tickets.max_tree_depth
    below = descendants(view, ticket.id)
    reached = own_depth + (below[-1][1] if below else 0)
    if reached <= deepest:
        return None
    return _invalid(
        ticket, f"the tree would be {reached} levels deep; the limit is {deepest}", "name a parent nearer to its root"
    )


def _invalid(ticket: Ticket, why: str, hint: str) -> InvalidParent:
    message = f"{ticket.id} cannot lie under {ticket.parent}: {why}"
    return InvalidParent(message, hint=hint, ticket=ticket.id, parent=ticket.parent, field="parent")
