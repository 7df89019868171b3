"""Advice at a start: what this clone knows, told and never waited for."""

import json
import time
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from exo_sidecar.host import advice_facts, clock
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.model.boot import BootClock
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop

Advice: TypeAlias = dict[str, Any]


@pytest.fixture(autouse=True)
def an_idle_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice_facts, "machine", lambda: advice_facts.Machine(8, 0.5, 16_000))


def start(shop: Shop, number: int = 0, ticket: str = "T1", *words: str) -> Advice:
    """Start a session and return its advisories by kind."""
    found = shop.ok(number, "session-start", "--ticket-id", ticket, *words)
    order = [(each["severity"] != "warning", each["kind"]) for each in found["advisories"]]
    assert order == sorted(order)
    for each in found["advisories"]:
        assert each["message"][:40] in found["bootstrap_prompt"]
    return {each["kind"]: each for each in found["advisories"]}


def fenced(shop: Shop, ticket: str, scope: str, number: int = 0) -> None:
    shop.ok(number, "ticket-edit", ticket, "--add-scope-allow", scope)


def test_in_a_fresh_repository_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert start(a_lone_shop(tmp_path)) == {}


def test_a_sibling_in_another_clone_is_told_when_scopes_overlap_and_not_when_they_do_not(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    for ticket, scope in (("T1", "src/a/**"), ("T2", "src/**"), ("T3", "docs/**")):
        fenced(shop, ticket, scope)
    shop.ok(0, "sync")
    assert start(shop, 0, "T1") == {}
    found = shop.ok(1, "session-start", "--ticket-id", "T2", "--actor", "agent:b")
    (advice,) = found["advisories"]
    assert (advice["kind"], advice["severity"]) == ("scope_conflict", "warning")
    detail = advice["detail"]
    assert (detail["ticket"], detail["ours"], detail["theirs"]) == ("TICKET-T1", "src/**", "src/a/**")
    assert "## Others at work" in found["bootstrap_prompt"]
    side = tmp_path / "side"
    git(shop.clones[1], "worktree", "add", "-q", "-b", "side", str(side))
    assert "scope_conflict" not in start(Shop((side,), shop.hub, shop.tickets), 0, "T3")


def test_tickets_without_a_fence_are_told_once(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    start(shop, 0, "T1")
    assert start(shop, 1, "T2")["scope_conflict"]["detail"] == {"tickets": ["TICKET-T1"]}


def test_what_was_dirty_is_told_and_does_not_count(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    write_files(shop.clones[0], {"README.md": "dirty\n"})
    assert start(shop)["dirty_worktree"]["detail"] == {"count": 1, "files": ["README.md"]}
    assert shop.ok(0, "session-finish", "--summary", "done")["drift"]["files"]["used"] == 0


def test_work_that_is_not_merged_is_told_while_it_is_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_lone_shop(tmp_path)
    fenced(shop, "T1", "src/**")
    repo = shop.clones[0]
    for name, days, path in (("young", 1, "src/x"), ("elsewhere", 1, "docs/x"), ("old", 20, "src/y")):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{int(time.time()) - days * 86_400} +0000")
        git(repo, "switch", "-q", "-c", name, "main")
        commit_files(repo, {path: name})
    git(repo, "switch", "-q", "main")
    found = shop.ok(0, "session-start", "--ticket-id", "T1")["advisories"]
    assert [(each["kind"], each["detail"]["branch"]) for each in found] == [("unmerged_work", "young")]
    git(repo, "merge", "-q", "--no-edit", "young")
    assert shop.ok(0, "session-start", "--ticket-id", "T1")["advisories"] == []


def test_head_behind_the_base_branch_and_behind_its_upstream(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    repo = shop.clones[0]
    git(repo, "switch", "-q", "-c", "work", "--track", "origin/main")
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(shop.server), str(other))
    for number in range(2):
        commit_files(other, {"README.md": f"{number}\n"})
    git(other, "push", "-q", "origin", "main")
    assert start(shop) == {}  # nothing is fetched for advice
    git(repo, "fetch", "-q", "origin")
    found = start(shop)
    assert found["base_divergence"]["severity"] == "info"
    assert found["base_divergence"]["detail"] == {"base": "main", "commits": 2}
    assert found["stale_branch"]["detail"] == {"ahead": 0, "behind": 2, "upstream": "origin/main"}


def test_the_ticket_was_worked_on_on_another_branch(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    repo = shop.clones[0]
    git(repo, "switch", "-q", "-c", "exo/TICKET-T1")
    start(shop)
    commit_files(repo, {"README.md": "half\n"})
    shop.ok(0, "session-finish", "--summary", "half of it", "--set-status", "todo")
    git(repo, "switch", "-q", "main")
    assert start(shop)["ticket_branch_mismatch"]["detail"]["branch"] == "exo/TICKET-T1"
    shop.ok(0, "session-finish", "--summary", "nothing", "--set-status", "todo")
    git(repo, "merge", "-q", "--no-edit", "exo/TICKET-T1")
    assert "ticket_branch_mismatch" not in start(shop)


def test_a_claim_made_offline_is_told(tmp_path: Path) -> None:
    assert "provisional_lease" in start(a_shop(tmp_path), 0, "T1", "--offline")


def test_a_busy_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice_facts, "machine", lambda: advice_facts.Machine(2, 3.0, 16_000))
    found = start(a_lone_shop(tmp_path))["machine_load"]
    assert found["severity"] == "warning"
    assert found["detail"] == {"cores": 2, "load": 3.0, "memory_mib": 16_000}


def test_a_fact_that_cannot_be_had_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_lone_shop(tmp_path)
    write_files(shop.clones[0], {"README.md": "dirty\n"})

    def fails(*_: object) -> None:
        message = "git is not itself today"
        raise CheckoutUnreadable(message)

    monkeypatch.setattr(advice_facts, "unmerged", fails)
    ran = shop.exo(0, "session-start", "--ticket-id", "T1")
    assert ran.exit == 0
    assert [each["kind"] for each in ran.data["advisories"]] == ["dirty_worktree"]
    assert "branches that are not merged could not be told: git is not itself today" in ran.out


def test_advice_is_given_again_to_a_session_that_lives(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    write_files(shop.clones[0], {"README.md": "dirty\n"})
    first = shop.ok(0, "session-start", "--ticket-id", "T1")
    again = shop.ok(0, "session-start", "--ticket-id", "T1")
    assert again["reused"]
    assert again["advisories"] == first["advisories"] != []


def test_a_preview_has_advice_too_and_leaves_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    write_files(shop.clones[0], {"README.md": "dirty\n"})
    before = shop.tip()
    found = shop.ok(0, "session-start", "--ticket-id", "T1", "--dry-run")
    assert ([each["kind"] for each in found["advisories"]], shop.tip()) == (["dirty_worktree"], before)


def settings(shop: Shop, text: str) -> None:
    """Add settings by hand, as a person does."""
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(f"{config.read_text()}\n{text}\n")


def test_a_group_that_changes_together_is_told_when_a_part_is_out_of_scope(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=3)
    settings(shop, "coherence: {co_update_rules: [{label: api, files: [src/api/**, docs/api.md]}]}")
    for ticket, scope in (("T1", "src/**"), ("T2", "lib/**")):
        fenced(shop, ticket, scope)
    for ticket, is_told in (("T1", True), ("T2", False), ("T3", False)):  # T3 may change any file
        assert ("co_update_impact" in start(shop, 0, ticket)) is is_told
        shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo")


def test_a_policy_that_was_sealed_anew_at_the_start_is_told_once(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    settings(shop, "drift: {threshold: 0.6}")
    assert "sealed anew" in str(start(shop)["policy_notice"]["message"])
    assert start(shop) == {}


def given_back(shop: Shop) -> None:
    """End the session at work, and leave its ticket to the next one."""
    shop.ok(0, "session-finish", "--summary", "half of it", "--set-status", "todo")


def digest(shop: Shop) -> str:
    """Return what names the policy in force, as advice shows it."""
    seal = json.loads((shop.clones[0] / ".exo" / "policy.sealed.json").read_text())
    return str(seal["digest"])[:12]


def test_a_policy_that_was_changed_since_the_tickets_last_session_is_told_to_the_next_one(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    last = shop.ok(0, "session-start", "--ticket-id", "T1")
    assert last["advisories"] == []  # nobody has worked on it before
    given_back(shop)
    assert start(shop) == {}
    given_back(shop)
    before = digest(shop)
    settings(shop, "drift: {threshold: 0.6}")
    shop.ok(0, "compose")
    assert start(shop, 0, "T2") == {}
    given_back(shop)
    told = start(shop)["policy_notice"]["message"]
    assert told.startswith("the policy was changed since SES-")
    assert told.endswith(f"worked on this ticket ({before} -> {digest(shop)})")
    assert before != digest(shop)
    given_back(shop)
    assert start(shop) == {}  # the one before it has worked under this policy


def test_a_start_that_seals_the_policy_anew_says_no_more_of_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    start(shop)
    given_back(shop)
    settings(shop, "drift: {threshold: 0.6}")
    found = shop.ok(0, "session-start", "--ticket-id", "T1")["advisories"]
    assert [each["message"] for each in found] == ["the policy was compiled or sealed anew at this start"]


def test_a_session_is_told_of_a_policy_that_was_changed_while_it_worked_or_rested(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    start(shop)
    first = digest(shop)
    settings(shop, "drift: {threshold: 0.6}")
    shop.ok(0, "compose")
    second = digest(shop)
    told = f"the policy was changed since this session began ({first} -> {second})"
    assert start(shop)["policy_notice"]["message"] == told
    shop.ok(0, "session-suspend", "--reason", "lunch")
    assert shop.ok(0, "session-resume")["advisories"] == []
    shop.ok(0, "session-suspend", "--reason", "lunch")
    settings(shop, "advisories: {behind_commits: 20}")
    shop.ok(0, "compose")
    (advice,) = shop.ok(0, "session-resume")["advisories"]
    told = f"the policy was changed since this session was suspended ({second} -> {digest(shop)})"
    assert (advice["kind"], advice["message"]) == ("policy_notice", told)


def test_a_cancelled_blocker_that_somebody_took_away_is_told(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=4)
    for blocker in ("T2", "T3", "T4"):
        shop.ok(0, "ticket-edit", "T1", "--add-blocker", blocker)
    shop.ok(0, "ticket-move", "T2", "cancelled", "--reason", "somebody else has it")
    for blocker in ("T2", "T3", "T4"):
        assert shop.fails(0, "session-start", "--ticket-id", "T1")["code"] == "TICKET_BLOCKED"
        shop.ok(0, "ticket-edit", "T1", "--remove-blocker", blocker)
    found = start(shop)
    assert list(found) == ["unblocked_by_cancel"]  # T3 and T4 may yet be done
    assert found["unblocked_by_cancel"]["detail"] == {"blockers": ["TICKET-T2"]}
    shop.ok(0, "session-suspend", "--reason", "lunch")
    shop.ok(0, "ticket-edit", "T1", "--add-blocker", "T3")
    shop.ok(0, "ticket-move", "T3", "cancelled", "--reason", "no need")
    assert shop.fails(0, "session-resume")["code"] == "TICKET_BLOCKED"
    shop.ok(0, "ticket-edit", "T1", "--remove-blocker", "T3")
    (advice,) = shop.ok(0, "session-resume")["advisories"]
    assert advice["detail"] == {"blockers": ["TICKET-T2", "TICKET-T3"]}


def test_a_ticket_that_never_waited_for_what_was_cancelled_hears_nothing_of_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=3)
    shop.ok(0, "ticket-edit", "T1", "--add-blocker", "T3")
    shop.ok(0, "ticket-edit", "T1", "--remove-blocker", "T3", "--remove-blocker", "T2")
    shop.ok(0, "ticket-move", "T2", "cancelled", "--reason", "r")
    assert start(shop) == {}


def test_a_ticket_taken_over_from_a_silent_holder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path, clones=2)
    held = shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "1h", "--actor", "agent:a")
    shop.ok(1, "leases")
    really = clock.boot_clock()
    monkeypatch.setattr(clock, "boot_clock", lambda: BootClock(really.boot_id, really.seconds + 3 * 3600))
    found = start(shop, 1, "T1")["ticket_contention"]
    assert found["detail"] == {"actor": "agent:a", "session": held["session"]["id"], "taken_over": True}
