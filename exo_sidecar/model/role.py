"""Roles: what a session of each may do, as a table (docs/kernel.md, "Roles"). A constitution adds or tightens."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from exo_sidecar.model.rule import Patterns, Power, RoleRule


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role as it is in force."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    may: tuple[Power, ...]
    patterns: Patterns = ()
    """Where it may write, inside of what its ticket allows; empty: wherever the ticket does."""
    must_return: Annotated[tuple[str, ...], Meta(max_length=100)] = ()

    def does(self, power: Power) -> bool:
        """Whether it may do this; to write and to delete are two powers."""
        return power in self.may


DEFAULT: Final = "Builder"
ROLES: Final = (
    Role(
        name="Orchestrator",
        may=("read", "command", "ticket", "plan", "approval", "note"),
        must_return=("scope", "gates_set", "combined_result"),
    ),
    Role(name="Scout", may=("read", "command"), must_return=("paths", "confidence", "gaps")),
    Role(
        name="Researcher",
        may=("read", "command", "network"),
        must_return=("facts", "inferences", "recommendation", "sources"),
    ),
    Role(
        name=DEFAULT,
        may=("read", "write", "delete", "command", "network", "check", "note", "learning"),
        must_return=("changed_paths", "checks_run"),
    ),
    Role(name="Verifier", may=("read", "command", "check"), must_return=("pass", "fail", "skipped", "risk")),
    Role(name="Reviewer", may=("read", "command"), must_return=("findings",)),
    Role(
        name="Archivist",
        may=("read", "command", "note", "learning", "handoff", "archive"),
        must_return=("notes", "handoff", "private_kept_apart"),
    ),
)


def table(rules: tuple[RoleRule, ...]) -> tuple[Role, ...]:
    """Return the roles in force, by name: the built-in ones as the rules tighten them, and those that they add."""
    found = {role.name: role for role in ROLES}
    for rule in rules:
        before = found.get(rule.name)
        found[rule.name] = _added(rule) if before is None else _tightened(before, rule)
    return tuple(found[name] for name in sorted(found))


def _added(rule: RoleRule) -> Role:
    may = tuple(power for power in rule.may if power not in rule.forbidden)
    return Role(name=rule.name, may=may, patterns=rule.patterns, must_return=rule.must_return)


def _tightened(role: Role, rule: RoleRule) -> Role:
    """Return the role with less to do and more to hand back; two sets of places leave those that are in both."""
    left = tuple(power for power in role.may if power not in rule.forbidden and (not rule.may or power in rule.may))
    both = tuple(pattern for pattern in role.patterns if pattern in rule.patterns) if rule.patterns else role.patterns
    nowhere = bool(role.patterns and rule.patterns) and not both
    if nowhere:
        left = tuple(power for power in left if power not in {"write", "delete"})
    return Role(
        name=role.name,
        may=left,
        patterns=both if role.patterns else rule.patterns,
        must_return=tuple(dict.fromkeys((*role.must_return, *rule.must_return))),
    )
