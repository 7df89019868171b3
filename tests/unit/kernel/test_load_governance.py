"""Constitutions compile strictly: every fault at once, and the same text into the same bytes."""

from collections.abc import Callable

import pytest

from exo_sidecar.base.canonical import Json
from exo_sidecar.kernel.load_governance import load_governance
from exo_sidecar.model.policy import (
    BYTES_MAX,
    Constitution,
    Lock,
    RuleInvalid,
    RuleSource,
    UnreadableError,
    digest_of,
    read,
    text_of,
)
from exo_sidecar.model.rule import TYPES, CommandDeny, FilesystemDeny, RequireChecks

SOURCE = "a" * 64
GOOD: dict[str, dict[str, Json]] = {
    "action": {"verdict": "require_approval", "classes": ["A2"], "approvals": 2, "retry_after": "2h", "quorum": 3},
    "budget": {"max_steps": 0, "types": ["bug"]},
    "command_deny": {"argv_prefixes": ["git push --force", ["rm", "-rf", "a b"]], "regexes": [r"\bcurl\b.*\| *sh"]},
    "evolution_gate": {"kind": "tooling", "approvals": 1, "human": False, "cooldown_hours": 0},
    "filesystem_allow": {"patterns": ["/srv/data/**"], "overrides": ["SEC-001"], "actions": ["read"]},
    "filesystem_deny": {"patterns": ["~/.ssh/**", "**/.env*"], "actions": ["read", "write"], "actors": ["agent"]},
    "patch_first": {"patterns": ["docs/rules.md"]},
    "require_checks": {"for": ["review", "push"], "checks": ["pytest"]},
    "require_lock": {"patterns": ["src/"]},
    "role": {"name": "Gardener", "may": ["read"], "forbidden": ["network"], "must_return": ["notes"]},
}


def compiled(*rules: Json, checks: frozenset[str] | None = None, before: tuple[Lock, ...] = ()) -> Lock | RuleInvalid:
    sources = tuple(RuleSource(line=10 * place, value=rule) for place, rule in enumerate(rules, 1))
    return load_governance(Constitution(source=SOURCE, rules=sources, checks=checks), before)


def faults(*rules: Json, checks: frozenset[str] | None = None) -> list[tuple[int, str, str, str]]:
    found = compiled(*rules, checks=checks)
    assert isinstance(found, RuleInvalid)
    return [(fault.line, fault.rule, fault.message, fault.nearest) for fault in found.faults]


def a_lock(*rules: Json, before: tuple[Lock, ...] = ()) -> Lock:
    found = compiled(*rules, before=before)
    assert isinstance(found, Lock)
    return found


def a_rule(of: str, **fields: Json) -> dict[str, Json]:
    return {"id": f"{of.replace('_', '-').upper()}-001", "type": of, **GOOD[of], **fields}


DENY: dict[str, Json] = {"id": "SEC-001", "type": "filesystem_deny", "patterns": ["a"]}


def test_every_type_of_rule_compiles_and_is_read_back_as_it_was() -> None:
    assert sorted(GOOD) == sorted(TYPES)
    lock = a_lock(DENY, *(a_rule(kind) for kind in GOOD))
    assert [type(rule) for rule in lock.rules[1:]] == [TYPES[kind] for kind in GOOD]
    assert read(text_of(lock), Lock) == lock
    assert digest_of(lock) == lock.digest


def test_a_deny_keeps_its_own_actions_and_what_is_not_said_has_its_usual_value() -> None:
    first, second = a_lock(a_rule("filesystem_deny"), {**DENY, "id": "DEL-002", "actions": ["delete"]}).rules
    assert isinstance(first, FilesystemDeny)
    assert (first.actions, first.actors) == (("read", "write"), ("agent",))
    assert isinstance(second, FilesystemDeny)
    assert (second.actions, second.actors, second.severity) == (("delete",), ("human", "agent"), "error")
    (checks,) = a_lock({"id": "CHECK-001", "type": "require_checks"}).rules
    assert isinstance(checks, RequireChecks)
    assert (checks.steps, checks.checks) == (("done",), ())
    (command,) = a_lock(a_rule("command_deny")).rules
    assert isinstance(command, CommandDeny)
    assert command.argv_prefixes == (("git", "push", "--force"), ("rm", "-rf", "a b"))


def test_the_same_text_after_the_same_lock_makes_the_same_bytes() -> None:
    first = a_lock(DENY)
    assert text_of(a_lock(DENY)) == text_of(first)
    assert a_lock(DENY, before=(first,)) is first
    second = a_lock(a_rule("patch_first"), before=(first,))
    assert second.previous == (first.digest,)
    assert text_of(a_lock(a_rule("patch_first"), before=(first,))) == text_of(second)
    both = a_lock(DENY, before=(first, second))
    assert both.previous == (first.digest, second.digest)


def test_every_fault_is_named_at_once_with_its_line_and_the_nearest_word() -> None:
    found = faults(
        {"id": "SEC-001", "type": "filesystem_deny", "patterns": ["../x"], "action": ["read"], "actions": ["reed"]},
        {"id": "sec", "type": "filesystm_deny"},
        {"id": "SEC-001", "type": "budget"},
        "a text",
        {"type": "patch_first", "patterns": []},
        {"id": "OPEN-001", "type": "filesystem_allow", "patterns": ["a"], "overrides": ["SEC-002", "SEC-001"]},
        {"id": "OPEN-002", "type": "filesystem_allow", "patterns": ["a"], "overrides": ["CHECK-001"]},
        {"id": "CHECK-001", "type": "require_checks", "checks": ["pytst"], "for": ["dome"]},
        {"id": "CHECK-002", "type": "require_checks", "checks": ["pytst"]},
        checks=frozenset({"pytest", "ruff"}),
    )
    assert found == [
        (10, "SEC-001", "filesystem_deny has no field 'action'", "actions"),
        (10, "SEC-001", "`patterns`: scope '../x' has an empty, '.' or '..' segment", ""),
        (10, "SEC-001", "`actions`: 'reed' is none of read, write, delete", "read"),
        (20, "sec", "the type 'filesystm_deny' is not known", "filesystem_deny"),
        (20, "sec", "the id 'sec' is not like SEC-001", ""),
        (
            30,
            "SEC-001",
            "needs one of `max_files_changed`, `max_loc_changed`, `max_steps`, `max_depth`, `max_duration_seconds`",
            "",
        ),
        (30, "SEC-001", "the id stands at line 10 already", ""),
        (40, "", "a rule is a mapping with `id` and `type`", ""),
        (50, "", "has no `id`, which patch_first needs", ""),
        (50, "", "`patterns` is empty; leave it away, or say something", ""),
        (60, "OPEN-001", "`overrides`: there is no rule SEC-002", ""),
        (60, "OPEN-001", "`overrides`: SEC-001 is no filesystem_deny", ""),
        (70, "OPEN-002", "`overrides`: CHECK-001 is no filesystem_deny", ""),
        (80, "CHECK-001", "`for`: 'dome' is none of review, done, push", "done"),
        (90, "CHECK-002", "`checks`: there is no check 'pytst'", "pytest"),
    ]


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_an_unknown_field_or_actor_is_a_fault_of_every_type(kind: str) -> None:
    wrong = faults(DENY, a_rule(kind, patern=["a"], actors=["agents"], severity="fatal", message=5))
    assert [(line, near) for line, _, _, near in wrong] == [
        (20, "patterns" if "patterns" in str(GOOD[kind]) or kind in {"require_lock", "role"} else wrong[0][3]),
        (20, ""),
        (20, wrong[2][3]),
        (20, "agent"),
    ]


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("action", {"verdict": "perhaps"}, "'perhaps' is none of allow, deny, require_approval, defer"),
        ("action", {"approvals": 0}, "Expected `int` >= 1"),
        ("action", {"approvals": True}, "Expected `int`, got `bool`"),
        ("action", {"retry_after": "soon"}, "Expected `str` matching regex"),
        ("budget", {"max_steps": -1}, "Expected `int` >= 0"),
        ("budget", {"max_steps": "50"}, "Expected `int | null`, got `str`"),
        ("command_deny", {"argv_prefixes": ["git 'push"]}, "cannot be split into words: no closing quotation"),
        ("command_deny", {"argv_prefixes": [""]}, "has a command without a word"),
        ("command_deny", {"regexes": ["(?=x)"]}, "uses a group that is more than (?: ), like looking around"),
        ("command_deny", {"regexes": ["a" * 201]}, "is longer than 200 characters"),
        ("evolution_gate", {"kind": "tools"}, "'tools' is none of practice, governance, tooling"),
        ("filesystem_deny", {"patterns": "a"}, "Expected `array`, got `str`"),
        ("filesystem_deny", {"patterns": ["[z-a]"]}, "that ends before it begins"),
        ("filesystem_deny", {"patterns": ["~root/x"]}, "is absolute"),
        ("filesystem_deny", {"patterns": ["a", "a"]}, "says one thing twice"),
        ("filesystem_deny", {"actions": []}, "`actions` is empty"),
        ("patch_first", {"patterns": ["~/x"]}, "lies outside of the checkout"),
        ("require_lock", {"patterns": ["/x"]}, "lies outside of the checkout"),
        ("role", {"name": "a b"}, "Expected `str` matching regex"),
        ("role", {"may": ["fly"]}, "'fly' is none of read, write"),
        ("filesystem_allow", {"overrides": "SEC-001"}, "Expected `array`, got `str`"),
    ],
)
def test_a_value_that_means_nothing_is_a_fault(kind: str, fields: dict[str, Json], says: str) -> None:
    found = faults(DENY, a_rule(kind, **fields))
    assert len(found) == 1
    assert says in found[0][2]


def test_a_text_is_compiled_in_one_unicode_form_and_one_that_is_none_is_a_fault() -> None:
    lock = a_lock({**DENY, "patterns": ["e\u0301/**"]})
    assert lock == a_lock({**DENY, "patterns": ["\u00e9/**"]})
    assert read(text_of(lock), Lock) == lock
    assert "cannot be written down" in faults({**DENY, "message": "\ud800"})[0][2]


def test_a_command_rule_says_at_least_one_thing() -> None:
    assert faults({"id": "CMD-001", "type": "command_deny"}) == [
        (10, "CMD-001", "needs `argv_prefixes` or `regexes`", "")
    ]


def test_a_fault_of_a_key_that_has_a_line_is_told_at_that_line() -> None:
    source = RuleSource(line=3, value={**DENY, "actions": ["reed"], "extra": 1}, lines={"actions": 7, "extra": 8})
    found = load_governance(Constitution(source=SOURCE, rules=(source,)))
    assert isinstance(found, RuleInvalid)
    assert [fault.line for fault in found.faults] == [7, 8]
    assert found.message.startswith("line 7: SEC-001: `actions`: 'reed'")
    assert found.exit_status == 2


def test_a_constitution_of_any_size_gets_an_answer() -> None:
    many: tuple[Json, ...] = tuple({**DENY, "id": f"SEC-{place}"} for place in range(1001))
    assert faults(*many) == [(10010, "", "more than 1000 rules", "")]
    long: tuple[Json, ...] = tuple(
        {**DENY, "id": f"SEC-{place}", "patterns": [f"{'a' * 100}/{each}" for each in range(20)]}
        for place in range(BYTES_MAX // 2000)
    )
    assert faults(*long) == [(1, "", f"all rules together take more than {BYTES_MAX} bytes", "")]
    assert faults({**DENY, "patterns": [[["deep"]]], "id": "x" * 5000})[0][2].startswith("the id 'xxx")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-1],
        lambda text: text.replace(b'"version":1', b'"version":2'),
        lambda text: text.replace(b'"rules":', b'"rulez":'),
        lambda text: text.replace(b"{", b"{ ", 1),
        lambda _: b"[]\n",
        lambda _: b"\xff\n",
        lambda text: text + b" " * BYTES_MAX,
    ],
)
def test_bytes_that_are_no_lock_are_not_taken_for_one(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnreadableError):
        read(damage(text_of(a_lock(DENY))), Lock)
