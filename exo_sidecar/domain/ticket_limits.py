"""What tickets may ask for: checks that may run at all, and budgets below the ceilings of the sealed policy."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from exo_sidecar.domain import checks as may_run
from exo_sidecar.domain import policy
from exo_sidecar.domain.checks import CheckNotAllowed
from exo_sidecar.model.errors import ExoError, Refused
from exo_sidecar.model.rule import BudgetRule
from exo_sidecar.model.ticket import BUDGET_FIELDS, Ticket, scalar_of
from exo_sidecar.model.view import View

_SHOWN_MAX: Final = 10


class BudgetAboveCeiling(Refused):
    """A budget is larger than a rule of the policy lets it be."""

    code = "BUDGET_ABOVE_CEILING"
    advice = "ask for less; a person raises the ceiling in .exo/CONSTITUTION.md"


class Ceiling(NamedTuple):
    """The most that a budget may be, and the rule that says so."""

    most: int
    rule: str


def refusal(view: View, ticket: Ticket, checks: Iterable[str], budgets: Iterable[str]) -> ExoError | None:
    """Return why the ticket may not have what it asks for: checks that are new to it, budgets that were written."""
    return _checks_refusal(view, ticket, tuple(checks)) or _budgets_refusal(view, ticket, tuple(budgets))


def ceilings(view: View, ticket_type: str) -> Mapping[str, Ceiling]:
    """Return the lowest ceiling of each budget that has one, for tickets of a type."""
    found: dict[str, Ceiling] = {}
    seal = policy.seal_at(view)
    for rule in seal.rules if seal is not None else ():
        if not isinstance(rule, BudgetRule) or (rule.types and ticket_type not in rule.types):
            continue
        for name in BUDGET_FIELDS:
            most: int | None = getattr(rule, name)
            if most is not None:
                found[name] = min(found.get(name, Ceiling(most, rule.id)), Ceiling(most, rule.id))
    return found


def _checks_refusal(view: View, ticket: Ticket, checks: tuple[str, ...]) -> CheckNotAllowed | None:
    listed = may_run.allowed(view.written_config()) if checks else {}
    missing = tuple(check for check in checks if check not in listed)
    if not missing:
        return None
    names = ", ".join(list(listed)[:_SHOWN_MAX]) or "none so far"
    hint = f"checks_allowlist in .exo/config.yaml names the commands that may run: {names}"
    message = f"{', '.join(missing)}: not in checks_allowlist, so nothing that may run as a check"
    return CheckNotAllowed(message, hint=hint, ticket=ticket.id, checks=missing, field="checks")


def _budgets_refusal(view: View, ticket: Ticket, budgets: tuple[str, ...]) -> BudgetAboveCeiling | None:
    for name, ceiling in ceilings(view, ticket.type).items() if budgets else ():
        asked = scalar_of(ticket, name)
        if name in budgets and isinstance(asked, int) and asked > ceiling.most:
            message = f"{name} of {ticket.id} would be {asked}; {ceiling.rule} lets it be {ceiling.most} at most"
            return BudgetAboveCeiling(message, ticket=ticket.id, field=name, most=ceiling.most, rule=ceiling.rule)
    return None
