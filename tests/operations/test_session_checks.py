"""A session's end and its checks: what failed is handed to nobody, what nothing showed is not done."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from exo_sidecar.operations import checking, keepalive
from tests.support.checking import EMPTY, FAILS, PASSES, a_check, left_behind, let_run
from tests.support.inprocess import exo_in_process
from tests.support.repositories import commit_files, git
from tests.support.working import Shop, a_lone_shop, a_pushing_shop, a_shop

TICKET = "TICKET-T1"
AGENT = ("--actor", "agent:claude")
LATE_SECONDS = 60.0


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a lone repository with checks, in which a session works on TICKET."""
    shop = a_lone_shop(tmp_path / "repo", tickets=2)
    let_run(shop, PASSES, FAILS, EMPTY)
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    shop.ok(0, "session-start", "--ticket-id", TICKET)
    commit_files(shop.clones[0], {"work.txt": "one\n"}, "work")
    return shop


def wants(shop: Shop, *checks: str) -> None:
    """Say which checks the ticket has."""
    words = [word for check in checks for word in ("--set-checks", check)]
    shop.ok(0, "ticket-edit", TICKET, *words)


def finish(shop: Shop, *words: str, status: str = "review") -> Any:  # noqa: ANN401 - JSON
    """Finish the session and return its data."""
    return shop.ok(0, "session-finish", "--summary", "s", "--set-status", status, *words)


def refused(shop: Shop, *words: str, status: str) -> str:
    """Return the code that a finish is refused with; the session goes on."""
    code = shop.fails(0, "session-finish", "--summary", "s", "--set-status", status, *words)["code"]
    assert shop.status(0, TICKET) == "active"
    return str(code)


def memento(shop: Shop, found: Any) -> str:  # noqa: ANN401 - JSON
    """Return what the session left to read."""
    return (shop.clones[0] / ".exo" / str(found["memento_path"])).read_text()


def test_work_whose_checks_passed_is_done_and_its_memento_shows_them(shop: Shop) -> None:
    wants(shop, "passes")
    found = finish(shop, "--artifact", "work.txt", "--artifact", "see the wiki", status="done")
    assert (found["ticket_status"], found["verify"]) == ("done", "passed")
    assert [(check["id"], check["verdict"]) for check in found["checks"]] == [("passes", "passed")]
    text = memento(shop, found)
    assert "- verify: passed" in text
    assert "- see the wiki\n" in text
    assert f"- work.txt sha256:{hashlib.sha256(b'one' + bytes([10])).hexdigest()}" in text
    assert "## Checks\n\n- passes: passed" in text
    last = shop.ok(0, "ticket-show", TICKET)["verified"]
    assert (last["verdict"], last["commit"]) == ("pass", git(shop.clones[0], "rev-parse", "HEAD"))


def test_work_whose_checks_failed_is_handed_to_nobody(shop: Shop) -> None:
    wants(shop, "passes", "fails")
    assert {refused(shop, status=status) for status in ("review", "done")} == {"VERIFY_FAILED"}
    assert shop.ok(0, "ticket-show", TICKET)["verified"]["verdict"] == "fail"
    found = finish(shop, status="todo")
    assert (found["ticket_status"], found["verify"]) == ("todo", "failed")
    assert "- fails: failed, exit status 3" in memento(shop, found)


@pytest.mark.parametrize("checks", [(), ("empty",)])
def test_work_that_nothing_checked_is_reviewed_and_not_done(shop: Shop, checks: tuple[str, ...]) -> None:
    if checks:
        wants(shop, *checks)
    assert refused(shop, status="done") == "VERIFY_NOTHING_RAN"
    assert finish(shop)["verify"] == "none"


def test_a_check_that_may_not_run_fails_and_the_session_can_still_end(shop: Shop) -> None:
    wants(shop, "passes")
    let_run(shop, FAILS)  # somebody took it off the list since
    assert refused(shop, status="review") == "VERIFY_FAILED"
    assert finish(shop, status="keep")["checks"][0]["verdict"] == "missing"


def test_only_a_person_passes_over_the_checks_of_what_is_done(shop: Shop) -> None:
    wants(shop, "fails")
    person = ("--skip-check", "--break-glass-reason", "the test server is down")
    assert shop.fails(0, "session-finish", "--summary", "s", "--skip-check")["code"] == "REASON_REQUIRED"
    refusal = shop.exo(0, "session-finish", "--summary", "s", "--set-status", "done", *person, env={"CLAUDECODE": "1"})
    assert '"HUMAN_REQUIRED"' in refusal.out
    found = finish(shop, *person, status="done")
    assert (found["verify"], found["checks"]) == ("bypassed", [])
    assert "## Break-glass" in memento(shop, found)
    assert "the test server is down" in memento(shop, found)
    assert shop.ok(0, "ticket-show", TICKET)["verified"]["verdict"] == "bypassed"


def test_an_agent_may_hand_work_to_review_without_checks_and_that_makes_it_not_done(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path / "repo", tickets=1)
    shop.ok(0, "session-start", "--ticket-id", TICKET, *AGENT)
    found = finish(shop, "--skip-check", "--reason", "no network here", *AGENT)
    assert (found["verify"], found["ticket_status"]) == ("bypassed", "review")
    assert shop.fails(0, "ticket-move", TICKET, "done")["code"] == "VERIFY_NOTHING_RAN"


def test_a_reviewed_ticket_is_done_only_on_the_files_that_were_checked(shop: Shop) -> None:
    wants(shop, "passes")
    finish(shop)
    repository = shop.clones[0]
    git(repository, "switch", "-q", "main")
    (repository / "more.txt").write_text("not of this ticket\n")
    assert shop.ok(0, "ticket-move", TICKET, "done", "--dry-run")["to"] == "done"  # the branch is as it was checked
    git(repository, "switch", "-q", "exo/TICKET-T1")
    commit_files(repository, {"work.txt": "two\n"}, "one more thing")
    (repository / "more.txt").unlink()
    error = shop.fails(0, "ticket-move", TICKET, "done")
    assert error["code"] == "VERIFY_NOTHING_RAN"
    assert "other files" in error["message"]
    shop.ok(0, "check", TICKET, "--record")
    assert shop.ok(0, "ticket-move", TICKET, "done")["to"] == "done"


def test_a_type_that_needs_no_check_is_done_without_and_not_with_a_failed_one(shop: Shop) -> None:
    shop.ok(0, "ticket-edit", TICKET, "--type", "docs")
    wants(shop, "fails")
    assert refused(shop, status="done") == "VERIFY_FAILED"
    shop.ok(0, "ticket-edit", TICKET, "--set-checks", "none")
    assert finish(shop, status="done")["verify"] == "none"


def test_what_nobody_here_trusts_does_not_run_and_counts_as_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=2)
    let_run(shop, a_check("passes", "open('ran', 'w').close()"), globally=["passes"])
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    shop.ok(1, "session-start", "--ticket-id", TICKET)
    assert shop.fails(1, "session-finish", "--summary", "s", "--set-status", "done")["code"] == "CHECKS_UNTRUSTED"
    ran = shop.exo(1, "session-finish", "--summary", "s")
    assert (ran.exit, ran.data["verify"], ran.data["ticket_status"]) == (0, "none", "review")
    assert "CHECKS_UNTRUSTED" in ran.out
    assert not (shop.clones[1] / "ran").exists()


def test_the_lease_is_kept_alive_while_checks_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[None] = []
    monkeypatch.setattr(checking, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(keepalive, "beat", lambda _: beats.append(None))
    wants(shop, "passes")
    beats.clear()
    assert finish(shop, status="done")["verify"] == "passed"
    assert beats


def test_a_dry_run_says_what_would_be_and_writes_nothing(shop: Shop) -> None:
    wants(shop, "passes")
    tip = shop.tip()
    assert finish(shop, "--dry-run", status="done")["verify"] == "passed"
    assert (shop.tip(), shop.status(0, TICKET)) == (tip, "active")


def test_commits_of_the_session_and_of_others_are_told_apart_and_named_by_what_they_change(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path / "repo", tickets=1)
    repository = shop.clones[0]
    git(repository, "switch", "-q", "-c", "side")
    commit_files(repository, {"before.txt": "x\n"}, "before the start")
    shop.ok(0, "ticket-edit", TICKET, "--add-scope-allow", "work.txt", "--remove-scope-allow", "**")
    shop.ok(0, "session-start", "--ticket-id", TICKET)
    own = commit_files(repository, {"work.txt": "one\n"}, "work")
    found = finish(shop)
    assert found["commits"] == [own]
    assert found["inherited"] == {"commits": 1, "files": 1, "out_of_scope": ["before.txt"]}
    text = memento(shop, found)
    assert "## Inherited commits" in text
    shown = subprocess.run(["git", "show", own], cwd=repository, capture_output=True, check=True).stdout
    said = subprocess.run(["git", "patch-id", "--stable"], input=shown, cwd=repository, capture_output=True, check=True)
    assert said.stdout.split()[0].decode() in git(repository, "show", "exo-governance", "--", "ledger")


def test_a_session_that_is_killed_in_its_check_goes_on_and_leaves_nothing_running(shop: Shop) -> None:
    code = "import os, time\nif not os.path.exists('again'): time.sleep(600)"
    let_run(shop, {"id": "slow", "run": [sys.executable, "-c", code, "left-behind"]})
    wants(shop, "slow")
    tip = shop.tip()
    words = [sys.executable, "-m", "exo_sidecar", "session-finish", "--summary", "s", "--set-status", "done"]
    null = subprocess.DEVNULL
    process = subprocess.Popen(words, cwd=shop.clones[0], stdout=null, stderr=null)
    late = time.monotonic() + LATE_SECONDS
    while not left_behind():
        assert time.monotonic() < late
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while left_behind():
        assert time.monotonic() < late
    assert (shop.tip(), shop.status(0, TICKET)) == (tip, "active")
    (shop.clones[0] / "again").touch()
    assert finish(shop, status="done")["ticket_status"] == "done"


def test_what_others_write_while_the_checks_run_is_kept(shop: Shop) -> None:
    move = [sys.executable, "-m", "exo_sidecar", "ticket-edit", TICKET, "--title", "Meanwhile", "--actor", "human:ann"]
    let_run(shop, a_check("meddles", f"import subprocess; raise SystemExit(subprocess.call({move!r}))"))
    wants(shop, "meddles")
    assert finish(shop, status="done")["ticket_status"] == "done"
    assert shop.ok(0, "ticket-show", TICKET)["ticket"]["title"] == "Meanwhile"


def test_results_recorded_at_once_are_all_kept(shop: Shop) -> None:
    wants(shop, "passes")
    before = shop.commits()
    words = [sys.executable, "-m", "exo_sidecar", "check", TICKET, "--record", "--json"]
    null = subprocess.DEVNULL
    running = [subprocess.Popen(words, cwd=shop.clones[0], stdout=null, stderr=null) for _ in range(3)]
    assert [process.wait(timeout=LATE_SECONDS) for process in running] == [0, 0, 0]
    assert shop.commits() == before + 3
    assert shop.ok(0, "audit")["verdict"] == "pass"


@pytest.fixture
def pushing(tmp_path: Path) -> Shop:
    """Return clones in the first of which a session has something to push."""
    shop = a_pushing_shop(tmp_path, tickets=1)
    let_run(shop, PASSES, FAILS, EMPTY, a_check("counts", "open('.git/count', 'a').write('x')"))
    return shop


def test_what_fails_its_checks_is_not_pushed(pushing: Shop) -> None:
    for check, code in (("fails", "VERIFY_FAILED"), ("empty", "VERIFY_NOTHING_RAN")):
        wants(pushing, check)
        assert pushing.fails(0, "push")["code"] == code
    assert git(pushing.server, "for-each-ref", "refs/heads/exo/TICKET-T1") == ""
    assert '"HUMAN_REQUIRED"' in pushing.exo(0, "push", "--no-check", env={"CLAUDECODE": "1"}).out
    assert pushing.ok(0, "push", "--no-check")["verify"] == "bypassed"


def test_what_passed_on_the_same_files_is_not_checked_again(pushing: Shop) -> None:
    wants(pushing, "counts")
    assert pushing.ok(0, "push")["verify"] == "passed"
    assert (pushing.ok(0, "push")["verify"], (pushing.clones[0] / ".git" / "count").read_text()) == ("passed", "x")
    commit_files(pushing.clones[0], {"work.txt": "two\n"}, "more")
    found = pushing.ok(0, "push")
    assert (found["verify"], [check["id"] for check in found["checks"]]) == ("passed", ["counts"])
    assert (pushing.clones[0] / ".git" / "count").read_text() == "xx"


def test_where_a_review_is_asked_for_the_author_neither_skips_nor_passes_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path / "repo", tickets=1)
    let_run(shop, PASSES, globally=["passes"])
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("require_review: false", "require_review: true"))
    shop.ok(0, "ticket-edit", TICKET, "--note", "reviews are asked for", "--actor", "human:ann")
    shop.ok(0, "session-start", "--ticket-id", TICKET, *AGENT)
    error = shop.fails(0, "session-finish", "--summary", "s", "--set-status", "done", *AGENT)
    assert (error["code"], error["details"]["guard"]) == ("GUARD_UNMET", "review")
    finish(shop, *AGENT)
    assert shop.fails(0, "ticket-move", TICKET, "done", *AGENT)["code"] == "REVIEWER_IS_AUTHOR"
    assert shop.ok(0, "ticket-move", TICKET, "done", "--actor", "agent:reviewer")["to"] == "done"


def test_people_see_what_a_failed_check_wrote(shop: Shop) -> None:
    wants(shop, "passes", "fails")
    repository = shop.clones[0]
    shown = exo_in_process(repository, "check", TICKET).out
    assert f"checks of {TICKET} failed" in shown
    assert "it broke" in shown
    assert "fine" not in shown
    ended = exo_in_process(repository, "session-finish", "--summary", "s", "--set-status", "todo").out
    assert "it broke" in ended
    assert "fail at" in exo_in_process(repository, "ticket-show", TICKET).out
    assert "fails" in exo_in_process(repository, "check", TICKET, "--list").out
