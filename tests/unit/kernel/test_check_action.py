"""check_action, layer by layer: the first that refuses answers, and what it allows stands beside it."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from exo_sidecar.kernel.check_action import check_action
from exo_sidecar.model.action import Action, CommandAct, Decision, Fence, FileAct, PathFacts, Place, Spent, UnknownAct
from exo_sidecar.model.policy import LockedPaths, Seal, Verdict, closed
from exo_sidecar.model.role import ROLES
from exo_sidecar.model.rule import (
    BudgetRule,
    CommandDeny,
    FileAction,
    FilesystemAllow,
    FilesystemDeny,
    PatchFirst,
    RequireLock,
    Rule,
)
from exo_sidecar.model.ticket import Budgets, Scope

ROLE = {role.name: role for role in ROLES}


def a_seal(*rules: Rule, locked: tuple[LockedPaths, ...] = ()) -> Seal:
    return closed(Seal(sources={}, lock="0" * 64, rules=rules, locked_paths=locked))


def a_fence(*rules: Rule, scope: Scope | None = None, **fields: object) -> Fence:
    fence = Fence(actor="agent", verdict="ok", seal=a_seal(*rules), session="SES-1", ticket="TICKET-1", holds=True)
    return replace(fence, scope=scope, **fields)


def a_place(path: str, area: str = "checkout", **fields: object) -> Place:
    place = Place(area="checkout", checkout=path, home=f"repo/{path}", root=f"home/me/repo/{path}", within=path)
    return replace(place, area=area, **fields)


def at(path: str, action: FileAction = "write", leads_to: Place | None = None, **facts: object) -> FileAct:
    written = a_place(path)
    found = PathFacts(asked=path, written=written, resolved=leads_to or written, exists=True)
    return FileAct(action=action, path=replace(found, **facts))


def run(*argv: str) -> CommandAct:
    return CommandAct(argv=argv)


def denied(action: Action, fence: Fence) -> tuple[str, str]:
    """Return layer and rule of a refusal."""
    found = check_action(action, fence)
    assert not found.is_allowed, found
    assert found.message
    return found.layer, found.rule


def allowed(action: Action, fence: Fence) -> bool:
    return check_action(action, fence) == Decision(decision="allow", layer="allowed")


SRC = Scope(allow=("src/**",))
OUTSIDE = Place(area="outside", checkout=None, home=None, root="etc/passwd")
TREE = Place(area="worktree", checkout=None, home=None, root="home/me/tree/src/a")


def test_nothing_is_done_while_everything_stands_still() -> None:
    for action in (at("src/a", "read"), at("src/a"), run("ls"), UnknownAct(word="fly")):
        assert denied(action, a_fence(halted="the disk is full")) == ("halt", "")


@pytest.mark.parametrize("verdict", ["tampered", "missing", "drift"])
def test_a_policy_that_bars_work_refuses_everything(verdict: Verdict) -> None:
    assert denied(at("src/a", "read"), a_fence(verdict=verdict)) == ("policy", "")
    assert denied(at("src/a", "read"), replace(a_fence(), seal=None)) == ("policy", "")


@pytest.mark.parametrize("verdict", ["ok", "stale", "held", "unsettled"])
def test_a_policy_that_bars_nothing_lets_work_go_on(verdict: Verdict) -> None:
    assert allowed(at("src/a"), a_fence(verdict=verdict))


def test_what_cannot_be_judged_is_refused() -> None:
    assert denied(UnknownAct(word="fly"), a_fence()) == ("action", "")
    assert denied(at("src/a", fault="too many links"), a_fence()) == ("action", "")
    assert denied(run(), a_fence()) == ("action", "")
    assert denied(run(""), a_fence()) == ("action", "")


def test_gits_folder_changes_by_git_and_the_mount_by_exo() -> None:
    git = a_place(".git/config", "git", within="config")
    ledger = a_place(".exo/ledger/x", "mount", within="ledger/x")
    ticket = a_place(".exo/tickets/x", "mount", within="tickets/x")
    for actor in ("agent", "human"):
        assert denied(at("x", leads_to=git), a_fence(actor=actor)) == ("mount", "")
        assert denied(at("x", leads_to=ledger), a_fence(actor=actor)) == ("mount", "")
    assert denied(at("x", "delete", leads_to=ticket), a_fence()) == ("mount", "")
    assert allowed(at("x", leads_to=ticket), a_fence(actor="human"))
    assert allowed(at("x", "read", leads_to=ledger), a_fence())


def test_a_folder_that_holds_more_than_the_checkouts_files_is_not_removed() -> None:
    whole = a_fence(actor="human")
    assert denied(at("", "delete", is_folder=True), whole) == ("mount", "")
    assert denied(at("trees", "delete", is_folder=True, holds=("worktree",)), whole) == ("mount", "")
    assert allowed(at("trees", "delete", is_folder=True), whole)


def test_a_session_that_was_overtaken_changes_nothing_and_may_read() -> None:
    fence = a_fence(fenced=True, holds=False)
    assert denied(at("src/a"), fence) == ("session", "")
    assert allowed(at("src/a", "read"), fence)


def test_a_lease_is_asked_for_where_a_rule_says_so() -> None:
    lock = RequireLock(id="LOCK-001", actors=("agent",), patterns=("src/**",))
    assert denied(at("src/a"), a_fence(lock, holds=False)) == ("session", "LOCK-001")
    assert allowed(at("src/a"), a_fence(lock))
    assert allowed(at("docs/a"), a_fence(lock, holds=False))
    assert allowed(at("src/a", "read"), a_fence(lock, holds=False))
    assert allowed(at("src/a"), a_fence(lock, holds=False, actor="human"))


@pytest.mark.parametrize("name", sorted(ROLE))
def test_a_role_that_does_not_write_changes_nothing(name: str) -> None:
    fence = a_fence(role=ROLE[name])
    if name == "Builder":
        assert allowed(at("src/a"), fence)
        assert allowed(at("src/a", "delete"), fence)
    else:
        assert denied(at("src/a"), fence) == ("role", name)
        assert denied(at("src/a", "delete"), fence) == ("role", name)
    assert allowed(at("src/a", "read"), fence)
    assert allowed(run("ls"), fence)


def test_a_role_with_places_writes_there_and_one_without_commands_runs_none() -> None:
    role = replace(ROLE["Builder"], patterns=("docs/**",), may=("write",))
    assert allowed(at("docs/a"), a_fence(role=role))
    assert denied(at("src/a"), a_fence(role=role)) == ("role", "Builder")
    assert denied(run("ls"), a_fence(role=role)) == ("role", "Builder")


def test_a_scope_is_where_work_may_write() -> None:
    assert allowed(at("src/a"), a_fence(scope=SRC))
    assert denied(at("docs/a"), a_fence(scope=SRC)) == ("scope_allow", "src/**")
    assert allowed(at("docs/a", "read"), a_fence(scope=SRC))
    assert denied(at("src/a"), a_fence(scope=Scope(allow=()))) == ("scope_allow", "nothing")


@pytest.mark.parametrize("elsewhere", [OUTSIDE, TREE, a_place("docs/a")])
def test_a_link_is_allowed_only_where_both_of_its_ends_are(elsewhere: Place) -> None:
    assert denied(at("src/link", leads_to=elsewhere), a_fence(scope=SRC))[0] == "scope_allow"
    assert denied(at("src/link", "delete", leads_to=elsewhere), a_fence(scope=SRC))[0] == "scope_allow"
    assert allowed(at("src/link", "read", leads_to=elsewhere), a_fence(scope=SRC))


def test_outside_of_the_checkout_is_outside_of_every_fence() -> None:
    for place in (OUTSIDE, TREE):
        facts = PathFacts(asked="x", written=place, resolved=place)
        assert denied(FileAct(action="write", path=facts), a_fence(actor="human", ticket=None)) == ("scope_allow", "")
        assert allowed(FileAct(action="read", path=facts), a_fence())


def test_what_a_ticket_denies_holds_for_reading_too() -> None:
    fence = a_fence(scope=Scope(allow=("**",), deny=("secrets/",)))
    for action in ("read", "write", "delete"):
        assert denied(at("secrets/a", action), fence) == ("scope_deny", "secrets/")
        assert denied(at("src/link", action, a_place("secrets/a")), fence)[0] == "scope_deny"
    assert allowed(at("src/a"), fence)


def test_locked_files_of_a_feature_are_closed_to_agents_alone() -> None:
    locked = a_seal(locked=(LockedPaths(feature="billing", patterns=("src/bill/**",)),))
    assert denied(at("src/bill/a"), a_fence(seal=locked)) == ("scope_deny", "billing")
    assert allowed(at("src/bill/a", "read"), a_fence(seal=locked))
    assert allowed(at("src/bill/a"), a_fence(seal=locked, actor="human"))


def test_a_deny_rule_keeps_to_its_own_actions() -> None:
    no_delete = FilesystemDeny(id="DEL-001", patterns=("src/**",), actions=("delete",))
    assert denied(at("src/a", "delete"), a_fence(no_delete)) == ("filesystem", "DEL-001")
    assert allowed(at("src/a"), a_fence(no_delete))
    assert allowed(at("src/a", "read"), a_fence(no_delete))


def test_a_deny_rule_reaches_homes_and_roots_under_any_name() -> None:
    home = FilesystemDeny(id="SEC-001", patterns=("~/.ssh/**",))
    root = FilesystemDeny(id="SEC-002", patterns=("/etc/passwd",))
    key = Place(area="outside", checkout=None, home=".ssh/id", root="home/me/.ssh/id")
    assert denied(at("link", "read", key), a_fence(home)) == ("filesystem", "SEC-001")
    assert denied(at("link", "read", OUTSIDE), a_fence(root)) == ("filesystem", "SEC-002")
    assert allowed(at(".ssh/id", "read"), a_fence(home))
    here = FilesystemDeny(id="SEC-003", patterns=("~/repo/src/**",))
    assert denied(at("src/a", "read"), a_fence(here)) == ("filesystem", "SEC-003")


def test_an_allow_rule_lifts_the_deny_that_it_names_and_only_there() -> None:
    deny = FilesystemDeny(id="SEC-001", patterns=("**/.env*",))
    other = FilesystemDeny(id="SEC-002", patterns=("docs/**",), actions=("write",))
    lift = FilesystemAllow(id="OPEN-001", patterns=("docs/.env.example",), overrides=("SEC-001",), actions=("read",))
    fence = a_fence(deny, other, lift)
    assert allowed(at("docs/.env.example", "read"), fence)
    assert denied(at("docs/.env.example", "write"), fence) == ("filesystem", "SEC-001")
    assert denied(at("docs/.env", "read"), fence) == ("filesystem", "SEC-001")
    everything = replace(lift, actions=("read", "write"))
    assert denied(at("docs/.env.example"), a_fence(deny, other, everything)) == ("filesystem", "SEC-002")
    # A link under the name that is lifted does not open what it leads to.
    assert denied(at("docs/.env.example", "read", a_place("src/.env")), fence) == ("filesystem", "SEC-001")
    for_humans = replace(lift, actors=("human",))
    assert denied(at("docs/.env.example", "read"), a_fence(deny, for_humans)) == ("filesystem", "SEC-001")


def test_files_that_change_by_proposals_alone_are_read_freely() -> None:
    fence = a_fence(PatchFirst(id="PATCH-001", patterns=("docs/rules.md",)))
    assert denied(at("docs/rules.md"), fence) == ("filesystem", "PATCH-001")
    assert allowed(at("docs/rules.md", "read"), fence)


def test_a_rules_own_words_are_told() -> None:
    deny = FilesystemDeny(id="SEC-001", patterns=("a",), message="Ask Jane.")
    assert check_action(at("a"), a_fence(deny)).message == "Ask Jane."


@pytest.mark.parametrize(
    ("written", "pattern"),
    [("src/e\u0301/a", "src/\u00e9/**"), ("src/\u00e9/a", "src/e\u0301/**"), ("\u212b", "\u00c5")],
)
def test_two_unicode_forms_of_a_name_are_one_name(written: str, pattern: str) -> None:
    deny = FilesystemDeny(id="SEC-001", patterns=(pattern,))
    assert denied(at(written), a_fence(deny)) == ("filesystem", "SEC-001")
    assert allowed(at(written), a_fence(scope=Scope(allow=(pattern,))))


def test_case_counts_unless_the_file_system_knows_none() -> None:
    deny = FilesystemDeny(id="SEC-001", patterns=("Secrets/**",))
    assert allowed(at("sECRETS/a"), a_fence(deny))
    assert denied(at("sECRETS/a", folds_case=True), a_fence(deny)) == ("filesystem", "SEC-001")
    assert allowed(at("SRC/a", folds_case=True), a_fence(scope=SRC))
    assert denied(at("SRC/a"), a_fence(scope=SRC))[0] == "scope_allow"


def test_what_git_knows_is_removed_only_where_the_ticket_names_the_place() -> None:
    everywhere = Scope()
    assert denied(at("src/a", "delete", tracked=True), a_fence(scope=everywhere)) == ("delete", "")
    assert allowed(at("src/a", "delete"), a_fence(scope=everywhere))
    assert allowed(at("src/a", "delete", tracked=True), a_fence(scope=SRC))
    assert allowed(at("src/a", "delete", tracked=True), a_fence(scope=Scope(allow=("**", "src/a"))))


def test_a_folder_goes_only_when_all_that_could_lie_in_it_may_go() -> None:
    gone = at("src", "delete", is_folder=True)
    assert allowed(gone, a_fence(scope=SRC))
    assert denied(gone, a_fence(scope=Scope(allow=("src/*.py",))))[0] == "scope_allow"
    assert denied(gone, a_fence(scope=Scope(allow=("src/**",), deny=("**/keys",)))) == ("scope_deny", "**/keys")
    assert denied(gone, a_fence(FilesystemDeny(id="SEC-001", patterns=("src/deep/*.pem",)))) == (
        "filesystem",
        "SEC-001",
    )
    assert allowed(at("src", "delete", is_folder=True, is_link=True), a_fence(scope=Scope(allow=("src",))))
    odd = at("src/[a]{b}*", "delete", is_folder=True)
    assert allowed(odd, a_fence(FilesystemDeny(id="SEC-001", patterns=("src/ab*/**",))))
    assert denied(odd, a_fence(FilesystemDeny(id="SEC-001", patterns=("src/*/keys",)))) == ("filesystem", "SEC-001")


LIMITS: Mapping[str, tuple[Spent, Spent]] = {
    "max_steps": (Spent(steps=50), Spent(steps=51)),
    "max_depth": (Spent(depth=10), Spent(depth=11)),
    "max_duration_seconds": (Spent(duration_seconds=1800), Spent(duration_seconds=1801)),
    "max_files_changed": (Spent(files_changed=11, is_new_file=True), Spent(files_changed=12, is_new_file=True)),
    "max_loc_changed": (Spent(loc_changed=400, is_new_file=True), Spent(loc_changed=401, is_new_file=True)),
}


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_budget_that_is_reached_passes_and_one_more_refuses(name: str) -> None:
    reached, passed = LIMITS[name]
    assert allowed(at("src/a"), a_fence(spent=reached))
    assert denied(at("src/a"), a_fence(spent=passed)) == ("budget", "")
    assert name in check_action(at("src/a"), a_fence(spent=passed)).message
    assert allowed(at("src/a", "read"), a_fence(spent=passed))
    assert allowed(at("src/a"), a_fence(spent=replace(passed, is_new_file=False))) is passed.is_new_file


def test_a_ceiling_of_the_constitution_holds_below_a_tickets_own_limit() -> None:
    ceiling = BudgetRule(id="BUD-001", max_steps=5, types=("bug",))
    fence = a_fence(ceiling, spent=Spent(steps=6), budgets=Budgets(max_steps=10))
    assert allowed(at("src/a"), replace(fence, ticket_type="feature"))
    assert denied(at("src/a"), replace(fence, ticket_type="bug")) == ("budget", "BUD-001")
    assert denied(at("src/a"), replace(fence, ticket_type="bug", spent=Spent(steps=11)))[0] == "budget"


FORCE = CommandDeny(
    id="CMD-001", argv_prefixes=(("git", "push", "--force"), ("/opt/x",)), regexes=(r"\brm\b.* -rf? /",)
)


@pytest.mark.parametrize(
    "argv",
    [
        ("git", "push", "--force", "origin"),
        ("/usr/bin/git", "push", "--force"),
        ("env", "-u", "HOME", "A=1", "git", "push", "--force"),
        ("A=1", "git", "push", "--force"),
        ("sudo", "-u", "me", "nice", "-n", "5", "git", "push", "--force"),
        ("timeout", "-k", "1", "5m", "git", "push", "--force"),
        ("xargs", "-n", "1", "git", "push", "--force"),
        ("sh", "-c", "git push --force"),
        ("bash", "-euo", "pipefail", "-c", "cd x && git push --force"),
        ("bash", "-c", 'echo "$(git push --force)"'),
        ("bash", "-c", "if true; then git push --force; fi"),
        ("bash", "-c", "bash -c 'sh -c \"git push --force\"'"),
        ("bash", "-c", "(git push --force)"),
        ("bash", "-c", "true|git push --force"),
        ("bash", "-c", "cat <<X\nit's fine\nX\ngit push --force"),
        ("eval", "git", "push", "--force"),
        ("true", "&&", "git", "push", "--force"),
        ("/opt/x",),
        ("rm", "-rf", "/"),
        ("sh", "-c", "cd / && rm -r /tmp"),
    ],
)
def test_a_denied_command_is_found_where_it_hides(argv: tuple[str, ...]) -> None:
    assert denied(run(*argv), a_fence(FORCE)) == ("command", "CMD-001")


@pytest.mark.parametrize(
    "argv",
    [
        ("git", "push"),
        ("git", "push", "origin", "--force-with-lease"),
        ("echo", "git push --force"),
        ("opt/x",),
        ("bash", "script.sh", "git", "push"),
        ("bash", "-c", "git commit -m 'push --force is denied'"),
        ("rm", "-rf", "build"),
        ("env",),
        ("sh", "-c"),
    ],
)
def test_another_command_is_not_taken_for_it(argv: tuple[str, ...]) -> None:
    assert allowed(run(*argv), a_fence(FORCE))


def test_a_command_that_cannot_be_read_is_refused_where_a_rule_would_have_to_read_it() -> None:
    broken = run("bash", "-c", "echo 'never closed")
    assert denied(broken, a_fence(FORCE)) == ("command", "")
    assert allowed(broken, a_fence())
    assert denied(run("echo", "x" * 70_000), a_fence(FORCE)) == ("command", "")
    nested = ["true"]
    for _ in range(10):
        nested = ["env", *nested]
    assert denied(run(*nested), a_fence(FORCE)) == ("command", "")
    assert allowed(run("git", "push", "--force"), a_fence(FORCE, seal=a_seal(replace(FORCE, actors=("human",)))))
