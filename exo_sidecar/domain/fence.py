"""The fence of a ticket: where work on it may write, and how much of it (docs/guides/tickets.md).

Allow is the ticket's own or, while that is the default, the nearest ancestor's that is not; deny is everybody's on the
way to the root. A field with a conflict value counts by its strictest version.
"""

from typing import Final

import msgspec

from exo_sidecar.domain import hierarchy
from exo_sidecar.domain.holding import HumanRequired
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ticket import BUDGET_FIELDS, Budgets, Scope, Ticket, TicketRecord, Version
from exo_sidecar.model.view import View

_HINT: Final = "ask a person to widen the ticket, or finish the session and make a new ticket"


def scope(view: View, ticket: Ticket) -> Scope:
    """Return where work on the ticket may write: deny wins over allow."""
    lineage = (ticket, *(record.ticket for record in hierarchy.ancestors(view, ticket)))
    allows = (each.scope.allow for each in lineage if each.scope.allow != (EVERYTHING,))
    denies = (glob for each in lineage for glob in each.scope.deny)
    return Scope(allow=next(allows, (EVERYTHING,)), deny=tuple(sorted(set(denies))))


def budgets(record: TicketRecord) -> Budgets:
    """Return the limits in force: of values in conflict the lowest."""
    lowest = {
        name: min(_numbers(record.conflicts[name]), default=getattr(record.ticket.budgets, name))
        for name in BUDGET_FIELDS
        if name in record.conflicts
    }
    return msgspec.structs.replace(record.ticket.budgets, **lowest)


def boundary(view: View, ticket: Ticket) -> str:
    """Return the boundary in force: the ticket's own, else that of the nearest ancestor that has one."""
    lineage = (ticket, *(record.ticket for record in hierarchy.ancestors(view, ticket)))
    return next((each.boundary for each in lineage if each.boundary), "")


def widening(view: View, before: Ticket, after: Ticket) -> HumanRequired | None:
    """Return the refusal when `after` lets work do more than `before`: an agent never widens its own fence."""
    for field, what in _widened(view, before, after):
        message = f"{before.id}: {what} is for a person to decide while a session works on it"
        return HumanRequired(message, hint=_HINT, ticket=before.id, field=field)
    return None


def _widened(view: View, before: Ticket, after: Ticket) -> tuple[tuple[str, str], ...]:
    old, new = scope(view, before), scope(view, after)
    found: list[tuple[str, str]] = []
    if EVERYTHING not in old.allow and not set(new.allow) <= set(old.allow):
        found.append(("scope_allow", "a wider scope"))
    if not set(old.deny) <= set(new.deny):
        found.append(("scope_deny", "a deny less"))
    raised = (name for name in BUDGET_FIELDS if getattr(after.budgets, name) > getattr(before.budgets, name))
    found.extend((name, f"a higher {name}") for name in raised)
    if not set(before.checks) <= set(after.checks):
        found.append(("checks", "a check less"))
    return tuple(found)


def _numbers(versions: tuple[Version, ...]) -> tuple[int, ...]:
    return tuple(version.value for version in versions if isinstance(version.value, int))
