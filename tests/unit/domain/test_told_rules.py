"""Of the policy's rules a session is told those that bind it and can touch its fence."""

import pytest

from exo_sidecar.domain import told_rules
from exo_sidecar.model.policy import Seal
from exo_sidecar.model.rule import (
    ActionRule,
    BudgetRule,
    CommandDeny,
    EvolutionGate,
    FilesystemDeny,
    PatchFirst,
    RequireChecks,
    RequireLock,
    Rule,
)
from exo_sidecar.model.ticket import Scope
from tests.support.views import CLAUDE, JANE

SRC = Scope(allow=("src/**",), deny=("src/gen/**",))


def told(rule: Rule, scope: Scope = SRC) -> list[str]:
    seal = Seal(sources={}, lock="0" * 64, rules=(rule,))
    return [f"{each.id} {each.message}" for each in told_rules.touching(seal, scope, "feature", CLAUDE)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (FilesystemDeny(id="A-1", patterns=("**/.env*",), message="no keys"), "A-1 no keys"),
        (FilesystemDeny(id="A-1", patterns=("src/a",), actions=("delete",)), "A-1 no delete in src/a"),
        (FilesystemDeny(id="A-1", patterns=("docs/**",)), None),
        (FilesystemDeny(id="A-1", patterns=("src/gen/**",)), None),  # outside of the scope by the scope's own deny
        (FilesystemDeny(id="A-1", patterns=("~/.ssh/**", "/etc/**")), None),
        (CommandDeny(id="A-1", argv_prefixes=(("rm", "-rf"),)), "A-1 never run rm -rf"),
        (RequireLock(id="A-1", message="take it"), "A-1 take it"),
        (RequireChecks(id="A-1"), "A-1 checks must pass before done"),
        (PatchFirst(id="A-1", patterns=("src/api/**",), message="propose"), "A-1 propose"),
        (PatchFirst(id="A-1", patterns=("lib/**",)), None),
        (BudgetRule(id="A-1", max_steps=3, message="small"), "A-1 small"),
        (BudgetRule(id="A-1", max_steps=3, types=("docs",)), None),
        (ActionRule(id="A-1", verdict="deny"), None),
        (EvolutionGate(id="A-1", kind="practice"), None),
    ],
)
def test_a_rule_is_told_when_it_can_touch_the_fence(rule: Rule, message: str | None) -> None:
    assert told(rule) == ([] if message is None else [message])


def test_a_rule_for_others_is_not_told() -> None:
    rule = RequireLock(id="A-1", message="take it", actors=("agent",))
    seal = Seal(sources={}, lock="0" * 64, rules=(rule,))
    assert [each.id for each in told_rules.touching(seal, SRC, "feature", CLAUDE)] == ["A-1"]
    assert told_rules.touching(seal, SRC, "feature", JANE) == ()


def test_without_a_seal_there_is_nothing_to_tell() -> None:
    assert told_rules.touching(None, SRC, "feature", JANE) == ()
