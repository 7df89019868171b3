"""Scanning for sessions, and ending the dead ones: only those of this clone, and none stops another."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.host.clock import boot_clock
from exo_sidecar.model.ids import SessionId
from tests.support.inprocess import exo_in_process
from tests.support.repositories import commit_files, git, write_files
from tests.support.silent import change, known, silence
from tests.support.working import Shop, a_lone_shop, a_shop

ANN = ("--actor", "human:ann")
ACTOR = ("--actor", "agent:a")


def start(shop: Shop, ticket: str = "T1", number: int = 0, actor: str = "agent:a", *words: str) -> str:
    """Start a session and return its id."""
    env = {"EXO_ACTOR": actor}
    return str(shop.ok(number, "session-start", "--ticket-id", ticket, *words, env=env)["session"]["id"])


def scanned(shop: Shop, number: int = 0, *words: str) -> dict[str, Any]:
    """Return the scanned sessions by id."""
    return {item["id"]: item for item in shop.ok(number, "session-scan", *words)["items"]}


def test_a_scan_tells_living_stale_suspended_reserved_and_foreign_sessions_apart(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=5)
    paused = start(shop, "T1")
    shop.ok(0, "session-suspend", "--reason", "lunch", env={"EXO_ACTOR": "agent:a"})
    dead = start(shop, "T2", 0, "agent:b", "--branch", "worktree")
    living = start(shop, "T3", 0, "agent:c")
    foreign = start(shop, "T4", number=1)
    shop.ok(0, "sync")
    reserved = shop.ok(0, "next", env={"EXO_ACTOR": "agent:d"})["session_id"]
    silence(shop, dead, 60)
    found = shop.ok(0, "session-scan")
    assert {item["id"]: item["liveness"] for item in found["items"]} == {
        paused: "suspended",
        dead: "stale",
        living: "living",
        foreign: "foreign",
        reserved: "reserved",
    }
    assert found["counts"] == {"foreign": 1, "living": 1, "reserved": 1, "stale": 1, "suspended": 1}
    items = {item["id"]: item for item in found["items"]}
    assert "no sign of life for 2d 12h" in items[dead]["stale_reason"]
    assert items[dead]["worktree"].endswith("TICKET-T2")
    assert (items[foreign]["worktree"], items[foreign]["last_heartbeat"]) == (None, None)
    assert items[living]["lease"]["epoch"] == 1
    assert shop.ok(0, "session-scan", "--stale-hours", "100")["counts"]["living"] == 2
    text = exo_in_process(shop.clones[0], "session-scan")
    assert text.exit == 0
    assert "exo session-cleanup" in text.err


def test_a_session_whose_process_has_ended_is_stale_after_ten_minutes_of_silence(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = start(shop)
    gone = msgspec.structs.replace(ancestry.this_process(), pid=2**22 + 1)
    change(shop, session, process=gone, heartbeat=boot_clock().seconds - 300)
    assert scanned(shop)[session]["liveness"] == "living"
    change(shop, session, process=gone, heartbeat=boot_clock().seconds - 700)
    assert "has ended" in scanned(shop)[session]["stale_reason"]
    change(shop, session, process=ancestry.this_process())
    assert scanned(shop)[session]["liveness"] == "living"
    change(shop, session, boot_id="another boot")
    assert "restarted" in scanned(shop)[session]["stale_reason"]


def test_one_session_is_shown_whole_with_its_memento(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = start(shop)
    whole = shop.ok(0, "session-scan", session)
    assert (whole["session"]["memento"], whole["items"][0]["liveness"]) == (None, "living")
    shop.ok(0, "session-finish", "--summary", "all of it", env={"EXO_ACTOR": "agent:a"})
    whole = shop.ok(0, "session-scan", session.removeprefix("SES-"))
    assert whole["session"]["finish"]["summary"] == "all of it"
    assert "all of it" in whole["session"]["memento"]
    assert scanned(shop) == {}
    assert list(scanned(shop, 0, "--finished", "5")) == [session]
    assert shop.fails(0, "session-scan", "SES-0000000000")["code"] == "ID_NOT_FOUND"


def test_a_stale_session_is_ended_with_its_work_in_place(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    main = shop.clones[0]
    git(main, "switch", "-q", "-c", "exo/TICKET-T1")
    session = start(shop)
    commit_files(main, {"done.txt": "done\n"}, "work")
    write_files(main, {"half.txt": "half\n"})
    silence(shop, session, 60)
    before = shop.commits()
    found = shop.ok(0, "session-cleanup", "--yes", *ANN)
    ended = found["evicted"][0]
    assert (ended["session_id"], ended["ticket_id"], ended["released"]) == (session, "TICKET-T1", True)
    assert (found["skipped"], found["sync"]["state"]) == ([], "done")
    assert shop.commits() == before + 1
    assert (main / "half.txt").read_text() == "half\n"
    assert shop.status(0, "T1") == "todo"
    page = (main / ".exo" / ended["memento_path"]).read_text()
    for line in ("finished (evicted)", "no sign of life for 2d 12h", "half.txt", git(main, "rev-parse", "HEAD")):
        assert line in page, line
    shop.ok(1, "sync")
    assert [item["state"] for item in shop.ok(1, "leases")["items"]] == ["released"]
    moves = [each for each in shop.ok(1, "ticket-show", "T1", "--history")["history"] if each["type"] == "ticket.moved"]
    assert ["paused" in moves[-2]["summary"], "todo" in moves[-1]["summary"]] == [True, True]
    error = shop.fails(0, "session-finish", "--summary", "late", "--session", session)
    assert error["code"] == "SESSION_NOT_ACTIVE"
    assert shop.ok(1, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_living_suspended_and_foreign_sessions_stay(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    paused = start(shop, "T1")
    shop.ok(0, "session-suspend", "--reason", "lunch", env={"EXO_ACTOR": "agent:a"})
    silence(shop, paused, 1000)
    living, foreign = start(shop, "T2"), start(shop, "T3", number=1)
    shop.ok(0, "sync")
    assert shop.ok(0, "session-cleanup", "--yes", *ANN)["evicted"] == []
    found = shop.ok(0, "session-cleanup", paused, living, foreign, "SES-0000000000", "--yes", *ANN)
    assert found["evicted"] == []
    assert [each["session_id"] for each in found["skipped"]] == [paused, living, foreign, "SES-0000000000"]
    error = shop.fails(0, "session-cleanup", living, "--force", "--yes", "--actor", "agent:a")
    assert error["code"] == "HUMAN_REQUIRED"
    forced = shop.ok(0, "session-cleanup", "--force", "--yes", *ANN)
    assert [each["session_id"] for each in forced["evicted"]] == [living]
    assert shop.status(0, "T2") == "todo"
    assert set(scanned(shop)) == {paused, foreign}


def test_a_cleanup_is_confirmed_and_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = start(shop)
    silence(shop, session, 60)
    assert shop.fails(0, "session-cleanup")["exit"] == 2
    tip = shop.tip()
    foreseen = shop.ok(0, "session-cleanup", "--dry-run", *ANN)
    assert [each["session_id"] for each in foreseen["evicted"]] == [session]
    assert (shop.tip(), shop.status(0, "T1")) == (tip, "active")


def test_a_session_that_was_overtaken_ends_without_touching_the_ticket(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    session = start(shop)
    shop.ok(1, "sync")
    shop.ok(1, "lease-takeover", "--ticket-id", "T1", "--force", "--reason", "gone", "--yes", *ANN)
    new = shop.ok(1, "session-start", "--ticket-id", "T1")["session"]["id"]
    silence(shop, session, 60)
    found = shop.ok(0, "session-cleanup", "--yes", *ANN)
    assert [(each["session_id"], each["released"]) for each in found["evicted"]] == [(session, False)]
    assert shop.ok(1, "lease-heartbeat", "--session", new)
    shop.ok(1, "sync")
    assert shop.status(1, "T1") == "active"
    assert shop.ok(1, "session-finish", "--summary", "done", "--session", new)["ticket_status"] == "review"


@pytest.mark.parametrize("damage", ["worktree gone", "facts unreadable", "facts gone"])
def test_one_bad_record_does_not_stop_the_others(tmp_path: Path, damage: str) -> None:
    shop = a_lone_shop(tmp_path)
    bad = start(shop, "T1", 0, "agent:b", "--branch", "worktree")
    good = start(shop, "T2")
    silence(shop, bad, 60)
    silence(shop, good, 60)
    common = locate(shop.clones[0]).common
    if damage == "worktree gone":
        Path(known(shop, bad).worktree).rename(tmp_path / "elsewhere")
    elif damage == "facts gone":
        live_sessions.remove(common, SessionId(bad))
    else:
        (common / f"exo/sessions/{bad}.json").write_text("{")
    found = shop.ok(0, "session-cleanup", "--yes", *ANN)
    assert {each["session_id"] for each in found["evicted"]} == {bad, good}
    assert (shop.status(0, "T1"), shop.status(0, "T2")) == ("todo", "todo")


def test_a_lease_that_cannot_be_asked_for_leaves_its_session_alone(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    session = start(shop)
    silence(shop, session, 60)
    away = shop.lose_hub()
    found = shop.ok(0, "session-cleanup", "--yes", *ANN)
    assert (found["evicted"], len(found["skipped"])) == ([], 1)
    offline = shop.ok(0, "session-cleanup", "--yes", "--offline", *ANN)
    assert [each["session_id"] for each in offline["evicted"]] == [session]
    away.rename(shop.server)
    shop.ok(0, "sync")
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["released"]


def test_a_reservation_that_nobody_started_is_given_back(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    reserved = shop.ok(0, "next", env={"EXO_ACTOR": "agent:a"})["session_id"]
    gone = msgspec.structs.replace(ancestry.this_process(), pid=2**22 + 1)
    change(shop, reserved, process=gone, heartbeat=boot_clock().seconds - 700)
    assert scanned(shop)[reserved]["liveness"] == "reserved"
    silence(shop, reserved, 60)
    assert shop.ok(0, "session-cleanup", "--yes", *ANN)["evicted"][0]["released"]
    assert shop.status(0, "T1") == "todo"


def test_the_environment_of_a_session_is_printed_for_each_shell(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    agent = {"EXO_ACTOR": "agent:a"}
    assert shop.fails(0, "session-env", env=agent)["code"] == "SESSION_NOT_ACTIVE"
    session = start(shop)
    env = shop.ok(0, "session-env", env=agent)["env"]
    assert env == {
        "EXO_SESSION_ID": session,
        "EXO_TICKET_ID": "TICKET-T1",
        "EXO_ACTOR": "agent:a",
        "EXO_EPOCH": "1",
        "EXO_WORKTREE": str(shop.clones[0]),
    }
    said = {
        shell: exo_in_process(shop.clones[0], "session-env", "--shell", shell, env=agent).out
        for shell in ("sh", "fish", "powershell", "json")
    }
    assert said["sh"].splitlines()[0] == f"export EXO_SESSION_ID={session}"
    assert said["fish"].splitlines()[0] == f"set -gx EXO_SESSION_ID '{session}'"
    assert said["powershell"].splitlines()[0] == f"$env:EXO_SESSION_ID = '{session}'"
    assert json.loads(said["json"]) == env
    elsewhere = exo_in_process(tmp_path / "repo", "status", "--json", env=env)
    assert elsewhere.data["session"]["id"] == session


def test_saved_work_of_an_ended_session_goes_once_a_branch_has_all_of_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main = shop.clones[0]
    refs = {}
    for name, ticket in (("one.txt", "T1"), ("two.txt", "T2")):
        session = start(shop, ticket)
        write_files(main, {name: "work\n"})
        shop.ok(0, "session-suspend", "--reason", "r", "--stash", *ACTOR)
        refs[name] = f"refs/exo/saved/{session}"
        assert shop.ok(0, "session-cleanup", "--yes", *ACTOR)["refs_removed"] == []
        shop.ok(0, "session-resume", *ACTOR)
        shop.ok(0, "session-finish", "--summary", "s", *ACTOR)
    assert shop.ok(0, "session-cleanup", "--yes", *ACTOR)["refs_removed"] == []
    commit_files(main, {"one.txt": "work\n"}, "what was put aside")
    commit_files(main, {"more.txt": "more\n"}, "more")
    assert shop.ok(0, "session-cleanup", *ACTOR, "--dry-run")["refs_removed"] == [refs["one.txt"]]
    assert shop.ok(0, "session-cleanup", "--yes", *ACTOR)["refs_removed"] == [refs["one.txt"]]
    assert git(main, "for-each-ref", "--format=%(refname)", "refs/exo/saved") == refs["two.txt"]
    assert git(main, "show", f"{refs['two.txt']}:two.txt") == "work"


def test_saved_work_of_which_other_lines_were_staged_is_kept(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main = shop.clones[0]
    session = start(shop)
    write_files(main, {"one.txt": "staged\n"})
    git(main, "add", "one.txt")
    write_files(main, {"one.txt": "work\n"})
    shop.ok(0, "session-suspend", "--reason", "r", "--stash", *ACTOR)
    shop.ok(0, "session-resume", *ACTOR)
    shop.ok(0, "session-finish", "--summary", "s", *ACTOR)
    commit_files(main, {"one.txt": "work\n"}, "what was put aside")
    assert shop.ok(0, "session-cleanup", "--yes", *ACTOR)["refs_removed"] == []
    assert git(main, "for-each-ref", "--format=%(refname)", "refs/exo/saved") == f"refs/exo/saved/{session}"
