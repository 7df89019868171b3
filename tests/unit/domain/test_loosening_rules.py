"""loosening_rules: which change of a rule lets somebody do more than before."""

import pytest

from exo_sidecar.domain import constitution, loosening_rules
from exo_sidecar.domain.loosening_rules import Governing
from exo_sidecar.model.policy import LockedPaths
from exo_sidecar.model.rule import (
    ActionRule,
    BudgetRule,
    CommandDeny,
    EvolutionGate,
    FilesystemAllow,
    FilesystemDeny,
    PatchFirst,
    RequireChecks,
    RequireLock,
    RoleRule,
    Rule,
)

DENY = FilesystemDeny(id="A-1", patterns=("src/**", "~/.ssh/**"), actions=("read", "write"))
ALLOW = FilesystemAllow(id="B-1", patterns=("src/gen/**",), actions=("write",), overrides=("A-1",))
ACTIONS = (
    ActionRule(id="ACT-001", verdict="allow", classes=("A0",)),
    ActionRule(id="ACT-002", verdict="require_approval", classes=("A2",)),
)

PAIRS: tuple[tuple[Rule | None, Rule | None], ...] = (
    (DENY, None),
    (DENY, FilesystemDeny(id="A-1", patterns=("src/**",), actions=("read", "write"))),
    (DENY, FilesystemDeny(id="A-1", patterns=("src/a/**", "~/.ssh/**"), actions=("read", "write"))),
    (DENY, FilesystemDeny(id="A-1", patterns=DENY.patterns, actions=("write",))),
    (DENY, FilesystemDeny(id="A-1", patterns=DENY.patterns, actions=DENY.actions, actors=("agent",))),
    (DENY, FilesystemDeny(id="A-1", patterns=DENY.patterns, actions=DENY.actions, severity="warning")),
    (None, ALLOW),
    (ALLOW, FilesystemAllow(id="B-1", patterns=("src/**",), actions=("write",), overrides=("A-1",))),
    (ALLOW, FilesystemAllow(id="B-1", patterns=ALLOW.patterns, actions=("write",), overrides=("A-1", "A-2"))),
    (CommandDeny(id="C-1", argv_prefixes=(("git", "push"),)), CommandDeny(id="C-1", regexes=("x",))),
    (
        CommandDeny(id="C-1", argv_prefixes=(("git",),)),
        CommandDeny(id="C-1", argv_prefixes=(("git", "push"),)),
    ),
    (RequireLock(id="L-1"), RequireLock(id="L-1", patterns=("src/**",))),
    (RequireChecks(id="R-1", steps=("done", "push")), RequireChecks(id="R-1", steps=("done",))),
    (RequireChecks(id="R-1", checks=("a",)), RequireChecks(id="R-1")),
    (BudgetRule(id="U-1", max_steps=5), BudgetRule(id="U-1", max_steps=6)),
    (BudgetRule(id="U-1", max_steps=5), BudgetRule(id="U-1", max_steps=5, types=("docs",))),
    (EvolutionGate(id="E-1", kind="governance"), EvolutionGate(id="E-1", kind="governance", human=False)),
    (EvolutionGate(id="E-1", kind="governance"), EvolutionGate(id="E-1", kind="governance", cooldown_hours=1)),
    (EvolutionGate(id="E-1", kind="governance", approvals=2), EvolutionGate(id="E-1", kind="governance")),
    (PatchFirst(id="P-1", patterns=("docs/**",)), PatchFirst(id="P-1", patterns=("docs/a/**",))),
    (None, RoleRule(id="O-1", name="Janitor", may=("delete",))),
    (RoleRule(id="O-1", name="Builder", forbidden=("network",)), None),
    (RoleRule(id="O-1", name="Builder", forbidden=("network",)), RoleRule(id="O-1", name="Builder")),
)


def governing(*rules: Rule | None, locked: tuple[LockedPaths, ...] = ()) -> Governing:
    """Return what these rules make."""
    return Governing(tuple(rule for rule in rules if rule is not None), locked)


@pytest.mark.parametrize(("strict", "loose"), PAIRS)
def test_what_lets_somebody_do_more_is_looser_and_the_way_back_is_stricter(
    strict: Rule | None, loose: Rule | None
) -> None:
    there = loosening_rules.difference(governing(strict), governing(loose))
    assert len(there.loosened) == 1
    back = loosening_rules.difference(governing(loose), governing(strict))
    assert len(back.tightened) == 1
    assert (back.tightened[0].before, back.tightened[0].after) == (
        there.loosened[0].after,
        there.loosened[0].before,
    )


@pytest.mark.parametrize(("strict", "loose"), [pair for pair in PAIRS if pair[1] is not None or pair[0] is DENY])
def test_what_only_tightens_is_not_looser(strict: Rule | None, loose: Rule | None) -> None:
    exchanged = isinstance(loose, CommandDeny) and bool(loose.regexes)  # one command for another: both ways
    assert bool(loosening_rules.difference(governing(loose), governing(strict)).loosened) is exchanged


def test_a_wider_pattern_covers_a_narrower_one_and_a_new_deny_is_no_loosening() -> None:
    wide = FilesystemDeny(id="A-1", patterns=("**", "~/.ssh/**"), actions=("read", "write", "delete"))
    assert loosening_rules.difference(governing(DENY), governing(wide)).loosened == ()
    other = FilesystemDeny(id="A-2", patterns=("x",))
    assert loosening_rules.difference(governing(DENY), governing(DENY, other)).loosened == ()


def test_of_actions_the_order_and_the_reach_count() -> None:
    assert loosening_rules.difference(governing(*ACTIONS), governing(*ACTIONS)).loosened == ()
    for after in (
        ACTIONS[::-1],
        ACTIONS[:1],
        (*ACTIONS, ActionRule(id="ACT-003", verdict="allow")),
        (ACTIONS[0], ActionRule(id="ACT-002", verdict="allow", classes=("A2",))),
        (ActionRule(id="ACT-001", verdict="allow", classes=("A0", "A3")), ACTIONS[1]),
    ):
        found = loosening_rules.difference(governing(*ACTIONS), governing(*after))
        assert [each.key for each in found.loosened] == ["rules.actions"]
    stricter = (ActionRule(id="ACT-000", verdict="deny", classes=("A1",)), *ACTIONS)
    assert loosening_rules.difference(governing(*ACTIONS), governing(*stricter)).loosened == ()


def test_files_that_a_feature_locks_are_part_of_the_fence() -> None:
    locked = (LockedPaths(feature="core", patterns=("src/core/**",)),)
    found = loosening_rules.difference(governing(locked=locked), governing())
    assert [(each.key, each.before, each.after) for each in found.loosened] == [
        ("features.core", "src/core/**", "none")
    ]
    wider = (LockedPaths(feature="core", patterns=("src/**",)),)
    assert loosening_rules.difference(governing(locked=locked), governing(locked=wider)).loosened == ()


def test_nothing_is_looser_than_itself() -> None:
    rules = tuple(rule for pair in PAIRS for rule in pair if rule is not None)
    for rule in (*rules, *ACTIONS):
        assert loosening_rules.difference(governing(rule), governing(rule)) == ((), ())
    assert constitution.text().count(f"```{constitution.FENCE}") == 12
