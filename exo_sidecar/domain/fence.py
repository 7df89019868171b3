"""The fence of a ticket: where work on it may write, and how much of it (docs/guides/tickets.md).

Allow is the ticket's own or, while that is the default, the nearest ancestor's that is not; deny is everybody's on the
way to the root. A field with a conflict value counts by its strictest version: allowed is what every version allows,
denied what any denies, of budgets the lowest, and every boundary and check holds.
"""

from typing import Final

import msgspec

from exo_sidecar.domain import hierarchy, policy
from exo_sidecar.domain.holding import LIVING, HumanRequired
from exo_sidecar.model import glob
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.rule import BudgetRule
from exo_sidecar.model.ticket import BUDGET_FIELDS, FENCE_SETS, Budgets, Scope, TicketRecord
from exo_sidecar.model.view import View

_HINT: Final = "ask a person to widen the ticket, or finish the session and make a new ticket"
GUARDED: Final = frozenset({*FENCE_SETS, *BUDGET_FIELDS, "boundary", "checks"})
"""Fields that make the fence: what gates read strictly while they are in conflict."""
_INHERITED: Final = frozenset({"scope_allow", "scope_deny", "boundary"})
"""What a ticket has of those above it."""
_SESSIONS_MAX: Final = 10_000


def scope(view: View, record: TicketRecord) -> Scope:
    """Return where work on the ticket may write: deny wins over allow; no allow at all means nowhere."""
    allow: tuple[str, ...] = (EVERYTHING,)
    deny: set[str] = set()
    for each in (*reversed(hierarchy.ancestors(view, record.ticket)), record):
        own = _sets(each, "scope_allow")
        allow = glob.common([allow if globs == (EVERYTHING,) else globs for globs in own])
        deny.update(*_sets(each, "scope_deny"))
    return Scope(allow=allow, deny=tuple(sorted(deny)))


def budgets(record: TicketRecord) -> Budgets:
    """Return the limits in force: of values in conflict the lowest."""
    lowest = {
        name: min(value for value in record.values(name) if isinstance(value, int))
        for name in BUDGET_FIELDS
        if name in record.conflicts
    }
    return msgspec.structs.replace(record.ticket.budgets, **lowest)


def boundary(view: View, record: TicketRecord) -> str:
    """Return the boundary in force: the ticket's own, else that of the nearest ancestor that has one."""
    lineage = (record, *hierarchy.ancestors(view, record.ticket))
    own = ("\n".join(str(text) for text in each.values("boundary") if text) for each in lineage)
    return next((text for text in own if text), "")


def checks(record: TicketRecord) -> tuple[str, ...]:
    """Return the checks that must pass: of values in conflict all."""
    return tuple(dict.fromkeys(check for each in _sets(record, "checks") for check in each))


def widening(view: View, before: TicketRecord, after: TicketRecord) -> HumanRequired | None:
    """Return the refusal when `after` lets work do more than `before`: an agent never widens its own fence.

    Of a field in conflict the stricter reading counts, and which of two boundaries goes is for a person to say.
    """
    for field, what in _widened(view, before, after):
        when = "two clones do not agree on it" if field in before.conflicts else "a session works on it"
        message = f"{before.id}: {what} is for a person to decide while {when}"
        return HumanRequired(message, hint=_HINT, ticket=before.id, field=field)
    return None


def widening_below(view: View, before: TicketRecord, after: TicketRecord) -> HumanRequired | None:
    """Return the refusal when `after` hands down a wider fence to a ticket below on which a session works."""
    handed_down = [what for field, what in _widened(view, before, after) if field in _INHERITED]
    if not handed_down:
        return None
    for session in view.sessions(statuses=(*LIVING, "suspended"), limit=_SESSIONS_MAX):
        record = None if session.is_audit else view.ticket(session.ticket)
        if record is not None and any(above.id == before.id for above in hierarchy.ancestors(view, record.ticket)):
            message = f"{before.id}: {handed_down[0]} is for a person to decide while a session works on {record.id}"
            return HumanRequired(message, hint=_HINT, ticket=before.id, working=record.id)
    return None


def _widened(view: View, before: TicketRecord, after: TicketRecord) -> tuple[tuple[str, str], ...]:
    old, new = scope(view, before), scope(view, after)
    found: list[tuple[str, str]] = []
    if set(glob.common((old.allow, new.allow))) != set(new.allow):
        found.append(("scope_allow", "a wider scope"))
    if not set(old.deny) <= set(new.deny):
        found.append(("scope_deny", "a deny less"))
    least, least_after = budgets(before), budgets(after)
    raised = (name for name in BUDGET_FIELDS if getattr(least_after, name) > getattr(least, name))
    found.extend((name, f"a higher {name}") for name in raised)
    if not set(checks(before)) <= set(checks(after)):
        found.append(("checks", "a check less"))
    if _is_laxer_type(view, before.ticket.type, after.ticket.type):
        found.append(("type", "a type of which less is asked"))
    texts = before.values("boundary") if "boundary" in before.conflicts else (boundary(view, before),)
    kept = boundary(view, after)
    if "boundary" not in after.conflicts and any(str(text) not in kept for text in texts):
        found.append(("boundary", "a boundary less"))
    return tuple(found)


def _is_laxer_type(view: View, before: str, after: str) -> bool:
    """Whether tickets of the new type need no checks, or pass by a ceiling that holds for the old one."""
    if before == after:
        return False
    exempt = view.config().lifecycle.no_check_types
    seal = policy.seal_at(view)
    ceilings = [rule for rule in seal.rules if isinstance(rule, BudgetRule)] if seal is not None else []
    return (after in exempt and before not in exempt) or any(
        before in rule.types and after not in rule.types for rule in ceilings
    )


def _sets(record: TicketRecord, field: str) -> tuple[tuple[str, ...], ...]:
    return tuple(value for value in record.values(field) if isinstance(value, tuple))
