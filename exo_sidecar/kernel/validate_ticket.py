"""May a ticket stand where it says? Kinds, rings and depth (docs/kernel.md)."""

from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.hierarchy import FREE_TYPES, PARENT_KINDS, InvalidParent, ParentRequired, Surroundings
from exo_sidecar.model.ticket import Ticket


def validate_ticket(ticket: Ticket, around: Surroundings) -> ExoError | None:
    """Return why `ticket`, as it would be, cannot stand where it says; None when it can.

    A parent is there, is of a kind that may lie above, and is open; nothing lies above itself; the tree with all that
    comes along is no deeper than it may be. Whether the ticket exists already is not asked.
    """
    if ticket.parent is None:
        return _without_parent(ticket, around)
    if not PARENT_KINDS[ticket.kind]:
        return _invalid(ticket, f"an {ticket.kind} is a root: it has no parent", "leave --parent away")
    parent = around.parent
    if parent is None:
        return _invalid(ticket, f"there is no ticket {ticket.parent}", "")
    if parent.ticket.kind not in PARENT_KINDS[ticket.kind]:
        wanted = " or an ".join(PARENT_KINDS[ticket.kind])
        return _invalid(
            ticket, f"{parent.id} is a {parent.ticket.kind}; the parent of this {ticket.kind} is an {wanted}", ""
        )
    if not parent.is_open:
        return _invalid(ticket, f"{parent.id} is {parent.ticket.status}", "name an open parent, or make a new one")
    if ticket.id == parent.id or any(record.id == ticket.id for record in around.above):
        return _invalid(ticket, f"{parent.id} lies below {ticket.id}: that would be a ring", "")
    reached = len(around.above) + 1 + around.levels_below
    if reached > around.levels_max:
        deep = f"the tree would be {reached} levels deep; the limit is {around.levels_max}"
        return _invalid(ticket, deep, "name a parent nearer to its root")
    return None


def _without_parent(ticket: Ticket, around: Surroundings) -> ExoError | None:
    if ticket.kind == "intent" or ticket.type in FREE_TYPES:
        return None
    if ticket.kind == "task" and not around.require_parent:
        return None
    message = f"the {ticket.kind} {ticket.title[:60]!r} has no parent"
    return ParentRequired(message, ticket=ticket.id, field="parent")


def _invalid(ticket: Ticket, why: str, hint: str) -> InvalidParent:
    message = f"{ticket.id} cannot lie under {ticket.parent}: {why}"
    return InvalidParent(message, hint=hint, ticket=ticket.id, parent=ticket.parent, field="parent")
