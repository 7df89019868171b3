"""The rules of the policy that a session is told: those that can touch its fence. Pure."""

from typing import Final

from exo_sidecar.domain.bootstrap import RuleTold
from exo_sidecar.model import glob_overlap
from exo_sidecar.model.actor import Actor, is_agent
from exo_sidecar.model.policy import Seal
from exo_sidecar.model.rule import (
    ActorKind,
    BudgetRule,
    CommandDeny,
    FilesystemAllow,
    FilesystemDeny,
    PatchFirst,
    RequireChecks,
    RequireLock,
    Rule,
)
from exo_sidecar.model.ticket import Scope

_OUTSIDE: Final = ("/", "~")
"""Patterns that begin so name places outside of the checkout, where no fence is."""


def touching(seal: Seal | None, scope: Scope, ticket_type: str, actor: Actor) -> tuple[RuleTold, ...]:
    """Return the rules that bind the actor and can touch work within `scope`, in the policy's order."""
    if seal is None:
        return ()
    kind: ActorKind = "agent" if is_agent(actor) else "human"
    binding = (rule for rule in seal.rules if kind in rule.actors and _touches(rule, scope, ticket_type))
    return tuple(RuleTold(rule.id, _said(rule)) for rule in binding)


def _touches(rule: Rule, scope: Scope, ticket_type: str) -> bool:
    match rule:
        case FilesystemDeny() | FilesystemAllow() | RequireLock() | PatchFirst():
            inside = [pattern for pattern in rule.patterns if not pattern.startswith(_OUTSIDE)]
            return glob_overlap.overlapping(inside, scope.allow, scope.deny) is not None
        case CommandDeny() | RequireChecks():
            return True
        case BudgetRule():
            return not rule.types or ticket_type in rule.types
        case _:
            return False


def _said(rule: Rule) -> str:
    """Return a rule's message, else what it is about."""
    if rule.message:
        return rule.message
    match rule:
        case FilesystemDeny():
            return f"no {', '.join(rule.actions)} in {', '.join(rule.patterns)}"
        case CommandDeny():
            named = [" ".join(words) for words in rule.argv_prefixes]
            return f"never run {', '.join((*named, *rule.regexes))}"
        case RequireChecks():
            return f"checks must pass before {', '.join(rule.steps)}"
        case _:
            return type(rule).__name__
