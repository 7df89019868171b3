"""The constitution compiled, sealed, verified at every start and finish, and brought together from several clones."""

import json
from pathlib import Path
from typing import Any

import pytest

from exo_sidecar.domain import policy_texts, sessions
from exo_sidecar.kernel.open_session import open_session
from exo_sidecar.model.opening import Opening
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.policy import Lock
from exo_sidecar.operations import policy_making
from exo_sidecar.operations.context import Context
from tests.operations.test_doctor import section
from tests.support.policies import AGENT, ANN, RULE, begin, compiled, edit, error_of, events, mount, policy_of
from tests.support.repositories import a_repository, git
from tests.support.working import Shop, a_lone_shop, a_shop


def test_a_fresh_repository_is_compiled_and_sealed_in_its_first_commit(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    lock, seal = compiled(shop)
    assert (lock.previous, seal.previous, seal.lock, seal.rules) == ((), (), lock.digest, lock.rules)
    assert {rule.id for rule in lock.rules} >= {"SEC-001", "GIT-001", "EXO-001", "LOCK-001", "CHECK-001", "DEL-001"}
    assert events(shop) == ["policy.compiled", "policy.sealed"]
    assert section(shop, "policy")["verdict"] == "pass"
    shown = policy_of(begin(shop))
    assert (shown["digest"], shown["verdict"], shown["recomposed"]) == (seal.digest, "ok", False)
    ended = shop.ok(0, "session-finish", "--summary", "x", *AGENT)
    assert ended["policy"]["verdict"] == "ok"
    assert git(mount(shop), "status", "--porcelain") == ""


def test_every_event_says_under_which_policy_it_was_decided(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "ticket-edit", "T1", "--note", "now")
    last = max(mount(shop).glob("ledger/*/*/*.jsonl")).read_text().splitlines()[-1]
    assert json.loads(last)["policy"] == compiled(shop)[1].digest


def test_an_edited_constitution_is_compiled_and_then_sealed_and_each_names_the_one_before(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    before, sealed = compiled(shop)
    edit(shop, 0, "CONSTITUTION.md", more=RULE)
    error = error_of(begin(shop))
    assert (error["code"], error["exit"]) == ("GOVERNANCE_DRIFT", 1 + 6)
    assert "exo build-governance" in error["hint"]
    assert shop.fails(0, "compose", *ANN)["code"] == "GOVERNANCE_DRIFT"
    built = shop.ok(0, "build-governance", *ANN)
    assert (built["changed"], built["loosened"]) == (True, [])
    assert [each["key"] for each in built["tightened"]] == ["rules.OUR-001"]
    composed = shop.ok(0, "compose", *ANN)
    lock, seal = compiled(shop)
    assert (lock.previous, seal.previous) == ((before.digest,), (sealed.digest,))
    assert (composed["digest"], composed["verdict_before"]) == (seal.digest, "stale")
    assert policy_of(begin(shop))["digest"] == seal.digest
    assert shop.ok(0, "build-governance", *ANN)["changed"] is False
    tip = shop.tip()
    shop.ok(0, "compose", *ANN)
    assert shop.tip() == tip


def test_every_fault_of_a_constitution_is_named_with_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    wrong = RULE.replace("filesystem_deny", "filesystem_denny").replace("OUR-001", "SEC-001")
    edit(shop, 0, "CONSTITUTION.md", more=wrong + RULE.replace("patterns", "paterns"))
    before = compiled(shop)
    error = shop.fails(0, "build-governance", *ANN)
    assert (error["code"], error["exit"]) == ("RULE_INVALID", 2)
    assert "filesystem_deny" in error["message"]
    assert "patterns" in error["message"]
    assert error["message"].count("line ") >= 2
    assert compiled(shop) == before


def test_what_loosens_is_compiled_by_a_person_who_says_so_and_by_nobody_else(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, "CONSTITUTION.md", ('"~/.ssh/**", ', ""))
    for words in ((*AGENT,), (*AGENT, "--allow-loosening"), (*ANN,)):
        error = shop.fails(0, "build-governance", *words)
        assert (error["code"], error["details"]["loosened"]) == ("HUMAN_REQUIRED", ["rules.SEC-001"])
    built = shop.ok(0, "build-governance", "--allow-loosening", *ANN)
    assert [each["key"] for each in built["loosened"]] == ["rules.SEC-001"]
    shown = policy_of(begin(shop))
    assert (shown["recomposed"], shown["verdict"]) == (True, "ok")


def test_an_agent_compiles_no_hand_edit_while_an_evolution_gate_keeps_governance_for_people(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, "CONSTITUTION.md", more=RULE)
    assert shop.fails(0, "build-governance", *AGENT)["code"] == "HUMAN_REQUIRED"
    assert shop.ok(0, "build-governance", *ANN)["changed"]
    assert shop.ok(0, "build-governance", *AGENT)["changed"] is False


def test_a_changed_source_is_sealed_anew_at_the_next_start_and_that_is_said(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    before = compiled(shop)[1]
    edit(shop, 0, "config.yaml", ("max_tokens: 1500", "max_tokens: 1600"))
    shop.ok(0, "sidecar-repair", "--journal", *ANN)
    assert [each["code"] for each in section(shop, "policy")["findings"]] == ["POLICY_STALE"]
    ran = begin(shop)
    shown = policy_of(ran)
    assert (shown["recomposed"], shown["verdict"]) == (True, "ok")
    assert "POLICY_RECOMPOSED" in ran.out
    assert compiled(shop)[1].previous == (before.digest,)
    edit(shop, 0, "features.yaml", ("features: []", "features:\n- {id: a, files: [src/**], allow_agent_edit: false}"))
    ended = shop.ok(0, "session-finish", "--summary", "x", *AGENT)
    assert ended["policy"]["recomposed"]
    assert [each.feature for each in compiled(shop)[1].locked_paths] == ["a"]
    assert shop.ok(0, "trust", "--show")["trusted"]


def test_a_manifest_with_a_fault_stops_nobody_and_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    before = compiled(shop)[1]
    edit(shop, 0, "features.yaml", ("features: []", "features:\n- {id: a, fils: [src/**]}"))
    ran = begin(shop)
    assert policy_of(ran)["digest"] == before.digest
    assert "fils" in ran.out
    found = section(shop, "documents")
    assert (found["verdict"], found["findings"][0]["code"]) == ("fail", "MANIFEST_INVALID")
    error = shop.fails(0, "compose", *ANN)
    assert (error["code"], error["exit"]) == ("SOURCE_INVALID", 2)
    assert "line 4" in error["message"]


def test_a_repository_that_was_governed_before_is_refused_until_compose_makes_both(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    with Context.open(shop.clones[0], environ={"HOME": str(tmp_path)}, actor="human:ann") as ctx:
        ctx.store.view()
        for name in ("policy", "policy.digest"):
            ctx.reader.view().index.db.execute("DELETE FROM settings WHERE name = ?", (name,))
        ctx.reader.view().index.db.commit()
    error = error_of(begin(shop))
    assert (error["code"], error["details"]["verdict"]) == ("GOVERNANCE_DRIFT", "missing")
    assert "exo compose" in error["hint"]
    assert shop.ok(0, "compose", *AGENT)["verdict_before"] == "missing"
    assert policy_of(begin(shop))["verdict"] == "ok"


def test_what_is_missing_is_told_alike_by_next_and_by_a_start(tmp_path: Path) -> None:
    shop = Shop((a_repository(tmp_path),), None, ())
    shop.ok(0, "sidecar-init")
    shop.ok(0, "intent-create", "an aim", "--brain-dump", "x", "--id", "INTENT-I")
    shop.ok(0, "ticket-create", "work", "--parent", "INTENT-I", "--id", "TICKET-T1")
    errors = [error_of(begin(shop)), shop.fails(0, "next", *AGENT)]
    assert [(each["code"], each["hint"]) for each in errors] == [
        ("GOVERNANCE_DRIFT", "exo init writes a first constitution")
    ] * 2


def test_two_clones_that_compile_at_once_converge_and_the_next_lock_names_both(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    for number, heading in enumerate(("### Ours", "### Theirs")):
        rule = RULE.replace("### Ours", heading).replace("OUR-001", f"OUR-00{number}")
        edit(shop, number, "CONSTITUTION.md", more=rule)
        shop.ok(number, "build-governance", *ANN)
        shop.ok(number, "compose", *ANN)
    digests = {compiled(shop, number)[0].digest for number in (0, 1)}
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    assert compiled(shop, 0) == compiled(shop, 1)
    assert [each["code"] for each in section(shop, "policy", number=0)["findings"]][:1] == ["POLICY_STALE"]
    shown = policy_of(begin(shop, 0))
    assert (shown["recomposed"], shown["verdict"]) == (True, "ok")
    lock, _ = compiled(shop)
    assert set(lock.previous) == digests
    assert {"OUR-000", "OUR-001"} <= {rule.id for rule in lock.rules}
    shop.ok(1, "sync")
    assert compiled(shop, 1) == compiled(shop, 0)
    tip = shop.tip(1)
    assert policy_of(begin(shop, 1, "T2"))["recomposed"] is False
    assert tip != shop.tip(1)


def test_a_merged_edit_that_nobody_compiled_is_drift(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    edit(shop, 1, "CONSTITUTION.md", more=RULE)
    shop.ok(1, "sync", *ANN)
    shop.ok(0, "sync")
    assert error_of(begin(shop, 0))["code"] == "GOVERNANCE_DRIFT"
    assert section(shop, "policy", number=0)["verdict"] == "fail"


def test_while_the_constitution_is_in_conflict_the_last_policy_stays_in_force(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    before = compiled(shop)[1]
    for number, word in enumerate(("one", "two")):
        edit(shop, number, "CONSTITUTION.md", ("Every change has a ticket that says why.", f"Every change is {word}."))
        shop.ok(number, "sidecar-repair", "--journal", *ANN)
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    shown = policy_of(begin(shop))
    assert (shown["verdict"], shown["digest"]) == ("unsettled", before.digest)
    assert shop.fails(0, "build-governance", *ANN)["code"] == "POLICY_UNSETTLED"
    assert shop.fails(0, "compose", *ANN)["code"] == "POLICY_UNSETTLED"


def test_a_pulled_policy_that_takes_a_rule_away_does_not_hold_here(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    before = compiled(shop, 1)[1]
    shop.ok(1, "ticket-edit", "T1", "--note", "the floor follows what is in force", *ANN)
    edit(shop, 0, "CONSTITUTION.md", ('"~/.ssh/**", ', ""))
    shop.ok(0, "build-governance", "--allow-loosening", *ANN)
    shop.ok(0, "compose", *ANN)
    for number in (0, 1):
        shop.ok(number, "sync")
    assert compiled(shop, 0) == compiled(shop, 1)
    shown = policy_of(begin(shop, 1))
    assert (shown["verdict"], shown["digest"]) == ("held", before.digest)
    told = shop.ok(1, "trust", "--show")
    assert [each["key"] for each in told["diff"]["loosened"]] == ["rules.SEC-001"]
    assert told["digest"] == compiled(shop)[1].digest
    assert shop.ok(1, "trust", told["digest"][:12], *ANN)["trusted"]
    shown = policy_of(begin(shop, 1))
    assert (shown["verdict"], shown["digest"]) == ("ok", compiled(shop)[1].digest)


def test_a_session_is_opened_under_the_verdict_that_its_policy_really_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts: list[str] = []

    def noted(opening: Opening) -> Outcome:
        verdicts.append(opening.verdict)
        return open_session(opening)

    monkeypatch.setattr(sessions, "open_session", noted)
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "ticket-edit", "T1", "--note", "the floor follows what is in force", *ANN)
    edit(shop, 0, "CONSTITUTION.md", ('"~/.ssh/**", ', ""))
    shop.ok(0, "build-governance", "--allow-loosening", *ANN)
    shop.ok(0, "compose", *ANN)
    for number in (0, 1):
        shop.ok(number, "sync")
    shop.ok(1, "next", "--ticket-id", "T2", *AGENT)
    shop.ok(1, "session-start", *AGENT)
    shop.ok(1, "session-suspend", "--reason", "lunch", *AGENT)
    shop.ok(1, "session-resume", *AGENT)
    assert set(verdicts) == {"held"}
    assert len(verdicts) >= 3
    verdicts.clear()
    edit(shop, 0, "config.yaml", more="\nadvisories: {behind_commits: 20}\n")
    assert policy_of(begin(shop))["recomposed"]
    assert set(verdicts) == {"ok"}


def test_a_call_that_was_killed_between_compiling_and_sealing_is_made_whole_by_the_next_start(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, "CONSTITUTION.md", more=RULE)
    with Context.open(shop.clones[0], environ={"HOME": str(tmp_path)}, actor="human:ann") as ctx:
        ctx.begin("build-governance", {})

        def compile_only(view: Any) -> Outcome:  # noqa: ANN401 - the view of the rule
            lock = policy_making.compiled(view.policy(), policy_texts.texts_of(view))
            assert isinstance(lock, Lock)
            return Outcome(events=policy_making.of_lock(view.policy(), lock))

        ctx.transact(compile_only)
    shown = policy_of(begin(shop))
    assert (shown["recomposed"], shown["verdict"]) == (True, "ok")
    assert compiled(shop)[1].lock == compiled(shop)[0].digest


def test_a_document_that_was_redacted_after_it_was_sealed_is_no_tampering(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, "config.yaml", more="x-note: what got out\n")
    assert policy_of(begin(shop))["recomposed"]
    lines = [line for file in sorted(mount(shop).glob("ledger/*/*/*.jsonl")) for line in file.read_text().splitlines()]
    found = [json.loads(line) for line in lines if "what got out" in line]
    name = next(f"{each['clone']}:{each['seq']}" for each in found if each["type"] == "document.edited")
    shop.ok(0, "redact", name, "--reason", "it got out", "--yes", *ANN)
    assert section(shop, "policy")["verdict"] == "pass"
    ended = shop.ok(0, "session-finish", "--summary", "x", *AGENT)
    assert ended["policy"]["verdict"] == "ok"
