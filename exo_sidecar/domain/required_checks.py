"""Required checks: what the constitution's `require_checks` rules ask before a step. Pure."""

from typing import NamedTuple

from exo_sidecar.domain import policy
from exo_sidecar.model.rule import RequireChecks, Step
from exo_sidecar.model.view import View


class Required(NamedTuple):
    """What a step asks for."""

    rules: tuple[str, ...]
    """Ids of the rules that ask for checks that passed; none: nothing is asked for."""
    checks: tuple[str, ...]
    """Checks that must be among them."""


def of_step(view: View, step: Step) -> Required:
    """Return what is asked before a step, by the policy as it is sealed."""
    found = [rule for rule in _rules(view) if step in rule.steps]
    return Required(tuple(rule.id for rule in found), _checks(found))


def named(view: View) -> tuple[str, ...]:
    """Return every check that a step asks for by name: they run with those of a ticket."""
    return _checks(_rules(view))


def _rules(view: View) -> list[RequireChecks]:
    seal = policy.seal_at(view)
    return [rule for rule in seal.rules if isinstance(rule, RequireChecks)] if seal is not None else []


def _checks(rules: list[RequireChecks]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check for rule in rules for check in rule.checks))
