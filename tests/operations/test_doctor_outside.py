"""doctor, where work is under way and outside of the records: sessions, leases, remote, hooks, git, clock, disk."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from exo_sidecar.git import cgit
from exo_sidecar.host import ancestry, clock, disk
from exo_sidecar.host.disk import Room
from exo_sidecar.operations import doctor_outside
from tests.operations.test_doctor import common, section, verdict
from tests.support.plumbing import REF
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

LEASE: Final = "refs/exo/leases/TICKET-T1"


def started(shop: Shop) -> str:
    """Start a session on T1 and return its id."""
    return str(shop.ok(0, "session-start", "--ticket-id", "T1")["session"]["id"])


def facts(shop: Shop, session: str, **changes: object) -> None:
    """Change what this machine knows of a session."""
    path = common(shop) / "sessions" / f"{session}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_sessions_whose_agent_is_gone_or_silent_are_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = started(shop)
    assert verdict(shop, "sessions") == ("pass", [])
    known = json.loads((common(shop) / "sessions" / f"{session}.json").read_text())
    facts(shop, session, heartbeat=known["heartbeat"] - 49 * 3600, process=None)
    shutil.rmtree(common(shop) / "heartbeats", ignore_errors=True)
    assert verdict(shop, "sessions") == ("warn", ["SESSION_STALE"])
    assert verdict(shop, "sessions", "--stale-hours", "50") == ("pass", [])
    gone = ancestor(known, pid=os.getpid(), started=1)
    facts(shop, session, process=gone)
    found = section(shop, "sessions")["findings"][0]
    assert (found["code"], found["subject"]) == ("SESSION_DEAD", session)
    assert f"--session {session}" in found["hint"]


def ancestor(known: dict[str, Any], **changes: object) -> dict[str, object]:
    """Return the facts of a process of this boot and namespace."""
    facts_ = {"name": "agent", "boot_id": clock.boot_id(), "namespace": ancestry.pid_namespace()}
    return {**facts_, **(known["process"] or {}), **changes}


def test_facts_of_a_session_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = started(shop)
    (common(shop) / "sessions" / f"{session}.json").write_text("{")
    assert verdict(shop, "sessions") == ("warn", ["SESSION_FACTS_UNREADABLE"])


def test_a_session_that_the_ledger_does_not_know_is_worth_a_word(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = started(shop)
    path = common(shop) / "sessions" / f"{session}.json"
    other = session[:-3] + "ZZZ"
    path.with_name(f"{other}.json").write_text(path.read_text().replace(session, other))
    assert verdict(shop, "sessions") == ("pass", ["SESSION_LEFTOVER"])


def test_a_lease_that_another_took_is_named(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    assert verdict(shop, "leases") == ("pass", [])
    force = ("--force", "--reason", "the laptop is lost", "--yes", "--actor", "human:jane")
    shop.ok(1, "lease-takeover", "--ticket-id", "T1", *force)
    (found,) = section(shop, "leases")["findings"]
    assert (found["code"], found["subject"]) == ("LEASE_LOST", "TICKET-T1")
    assert "human:jane" in found["message"]
    looked = section(shop, "leases", "--offline")
    assert (looked["verdict"], looked["findings"]) == ("unknown", [])
    assert "--offline" in looked["note"]


def test_a_lease_that_cannot_be_read_and_a_claim_made_offline_are_named(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.hub is not None
    git(shop.clones[0], "push", "-q", "origin", f"main:{LEASE}")
    (found,) = section(shop, "leases")["findings"]
    assert (found["code"], found["subject"]) == ("LEASE_DAMAGED", "TICKET-T1")
    assert "exo lease-takeover --ticket-id TICKET-T1 --force" in found["hint"]
    shop.ok(0, "next", "--offline", "--ticket-id", "T2")
    assert verdict(shop, "leases", "--offline") == ("warn", ["PROVISIONAL_LEASE"])


def test_a_remote_that_does_not_answer_is_no_failure_and_leases_are_said_to_be_unknown(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert verdict(shop, "sync") == ("pass", [])
    shop.ok(0, "ticket-edit", "T1", "--note", "only here")
    found = section(shop, "sync")
    assert (found["verdict"], [each["code"] for each in found["findings"]]) == ("pass", ["SYNC_APART"])
    assert "leases are refs" in found["note"]
    shop.lose_hub()
    assert verdict(shop, "sync") == ("warn", ["SYNC_APART", "REMOTE_UNREACHABLE"])
    assert verdict(shop, "leases") == ("unknown", [])
    assert verdict(shop, "sync", "--offline") == ("pass", ["SYNC_APART"])


def test_a_remote_that_is_gone_or_was_not_seen_for_long_is_named(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    (seen,) = (common(shop) / "remotes").iterdir()
    os.utime(seen, (0, 0))
    assert verdict(shop, "sync") == ("warn", ["REMOTE_UNSEEN"])
    seen.unlink()
    assert verdict(shop, "sync") == ("warn", ["REMOTE_NEVER_SEEN"])
    git(shop.clones[0], "remote", "remove", "origin")
    assert verdict(shop, "sync") == ("fail", ["NO_REMOTE"])


def test_how_pushes_were_guarded_is_on_record(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    git(shop.clones[0], "commit", "-q", "--allow-empty", "-m", "work")
    shop.ok(0, "push")
    assert "pushes are atomic" in section(shop, "sync")["note"]


def test_a_check_before_a_push_that_git_does_not_run_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "hooks") == ("pass", ["HOOK_ABSENT"])
    hook = shop.clones[0] / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    assert "somebody else's" in section(shop, "hooks")["findings"][0]["message"]
    shop.ok(0, "hook-install")
    assert verdict(shop, "hooks") == ("pass", [])
    message = hook.with_name("prepare-commit-msg")
    message.rename(hook.with_name("away"))
    assert verdict(shop, "hooks") == ("pass", ["HOOK_ABSENT"])
    assert "commits do not name the session" in section(shop, "hooks")["findings"][0]["message"]
    hook.with_name("away").rename(message)
    hook.chmod(0o644)
    assert verdict(shop, "hooks") == ("warn", ["HOOK_INACTIVE"])
    hook.unlink()
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("  per_actor: 8", "  guard: require"))
    shop.ok(0, "sidecar-repair")
    assert verdict(shop, "hooks") == ("warn", ["HOOK_ABSENT"])


def test_a_missing_or_old_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "git") == ("pass", [])
    monkeypatch.setattr(cgit, "version", lambda: None)
    assert verdict(shop, "git") == ("warn", ["GIT_MISSING"])
    monkeypatch.setattr(cgit, "version", lambda: (2, 20, 1))
    assert verdict(shop, "git") == ("warn", ["GIT_OLD"])


def test_a_clock_that_was_never_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "clock") == ("pass", [])
    monkeypatch.setattr(doctor_outside, "YEARS", range(1970, 1971))
    assert verdict(shop, "clock") == ("warn", ["CLOCK_WRONG"])


def test_a_commit_from_the_future_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    clone = shop.clones[0]
    head = git(clone, "cat-file", "commit", REF)
    seconds = head.split("committer ", 1)[1].split("\n", 1)[0].rsplit(" ", 2)[1]
    late = head.replace(f" {seconds} ", f" {int(seconds) + 400 * 86_400} ") + "\n"
    commit = git(clone, "hash-object", "-t", "commit", "-w", "--stdin", stdin=late)
    git(clone, "update-ref", REF, commit)
    assert verdict(shop, "clock") == ("warn", ["CLOCK_APART"])


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (Room(1 << 40, 1 << 20, writable=True), ("pass", [])),
        (Room(100 << 20, None, writable=True), ("warn", ["DISK_FULL"])),
        (Room(1 << 20, 1 << 20, writable=True), ("fail", ["DISK_FULL"])),
        (Room(1 << 40, 0, writable=True), ("fail", ["DISK_FULL"])),
        (Room(1 << 40, 1 << 20, writable=False), ("fail", ["DISK_READ_ONLY"])),
    ],
)
def test_a_disk_without_room_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room, expected: tuple[str, list[str]]
) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    monkeypatch.setattr(disk, "room", lambda _: room)
    assert verdict(shop, "disk") == expected
