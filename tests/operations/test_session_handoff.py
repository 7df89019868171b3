"""Handing on: across clones, to the actor that is named, once; the lease decides between two that come at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from exo_sidecar.model import instant
from exo_sidecar.operations.context import Context
from tests.support.inprocess import exo_in_process
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop

CLAUDE = ("--actor", "agent:claude")
CODEX = ("--actor", "agent:codex")


def handed(shop: Shop, to: str, *words: str) -> str:
    """Start on T1 in the first clone, hand it on, and return the handoff's id."""
    shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)
    found = shop.ok(0, "session-handoff", "--to", to, "--summary", "half done", *words, *CLAUDE)
    assert (found["ticket_status"], found["released_lease"], found["to"]) == ("paused", True, to)
    return str(found["handoff_id"])


def later(monkeypatch: pytest.MonkeyPatch, year: int) -> None:
    """Let every call from now on be made in another year."""
    now = instant.of(datetime(year, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(Context, "now", now)


def test_a_handoff_ends_the_session_and_reaches_the_one_it_names_in_another_clone(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    session = shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)["session"]["id"]
    head = commit_files(shop.clones[0], {"src/app.py": "print('half')\n"}, "half")
    write_files(shop.clones[0], {"left.txt": "x\n"})
    before = shop.commits()
    said = ("--summary", "half done", "--next-step", "the other half", "--failed", "a regex", "--reason", "tired")
    ran = shop.exo(0, "session-handoff", "--to", "agent:codex", *said, *CLAUDE)
    assert ran.exit == 0, ran.out
    found = ran.data
    assert shop.commits() == before + 1
    assert (found["session_id"], found["commits"], found["uncommitted"]) == (session, [head], ["left.txt"])
    assert {"HANDOFF_UNCOMMITTED", "HANDOFF_UNPUSHED"} <= {warning["code"] for warning in ran.answer["warnings"]}
    assert [item["state"] for item in shop.ok(1, "leases")["items"]] == ["released"]
    taken = shop.ok(1, "session-start", "--ticket-id", "T1", *CODEX)
    record = taken["handoff"]
    assert (record["id"], record["taken_by"], record["late_by_seconds"]) == (
        found["handoff_id"],
        taken["session"]["id"],
        None,
    )
    content = record["content"]
    assert (content["branch"], content["head"], content["failed"]) == ("exo/TICKET-T1", head, ["a regex"])
    assert taken["lease"]["epoch"] == 2
    for text in ("half done", "the other half", "a regex", "exo/TICKET-T1"):
        assert text in taken["bootstrap_prompt"]
    shop.ok(0, "sync")
    ended = shop.ok(0, "ticket-show", "T1")["sessions"][-1]
    assert (ended["id"], ended["status"]) == (session, "finished")
    assert found["handoff_id"] in (shop.clones[1] / ".exo" / found["memento_path"]).read_text()
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_until_its_time_is_over_others_are_refused_and_offered_other_work(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    handed(shop, "agent:codex")
    refused = shop.fails(1, "session-start", "--ticket-id", "T1", "--actor", "agent:evil")
    assert (refused["code"], refused["exit"]) == ("HANDOFF_RESERVED", 1)
    assert "half done" not in str(refused)
    assert shop.fails(1, "next", "--ticket-id", "T1", "--owner", "agent:evil")["code"] == "HANDOFF_RESERVED"
    shop.ok(1, "ticket-move", "T1", "todo")
    assert shop.ok(1, "next", "--owner", "agent:evil")["ticket_id"] == "TICKET-T2"
    shop.ok(1, "lease-release")
    assert shop.ok(1, "next", "--owner", "agent:codex", *CODEX)["ticket_id"] == "TICKET-T1"
    assert shop.ok(1, "session-start", *CODEX)["handoff"]["content"]["summary"] == "half done"


def test_what_waits_is_shown_with_the_ticket_and_told_by_next_until_it_is_taken_up(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    assert shop.ok(0, "ticket-show", "T1")["handoff"] is None
    handoff = handed(shop, "agent:codex")
    shown = shop.ok(0, "ticket-show", "T1")
    until = shown["handoff"].pop("reserved_until")
    assert shown["handoff"] == {"id": handoff, "to": "agent:codex", "from": "agent:claude", "summary": "half done"}
    kept = f"TICKET-T1 was handed to agent:codex by agent:claude, kept for them until {until}"
    assert [each["code"] for each in shown["held_back"]] == ["handoff"]
    page = exo_in_process(shop.clones[0], "ticket-show", "T1").out
    assert f"to agent:codex by agent:claude, reserved until {until}; exo session-start takes it up" in page
    assert kept in shop.fails(0, "next", *CLAUDE)["message"]
    assert shop.fails(0, "session-start", "--ticket-id", "T1", *CLAUDE)["message"] == kept
    shop.ok(0, "session-start", "--ticket-id", "T1", *CODEX)
    assert shop.ok(0, "ticket-show", "T1")["handoff"] is None
    shop.ok(0, "session-suspend", "--reason", "r", *CODEX)  # what is paused without a handoff is just paused
    assert "TICKET-T1 is paused" in shop.fails(0, "next", *CLAUDE)["message"]


def test_a_handoff_is_taken_up_once(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    handed(shop, "agent:codex")
    shop.ok(0, "session-start", "--ticket-id", "T1", *CODEX)
    shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo", *CODEX)
    assert shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)["handoff"] is None


@pytest.mark.parametrize(("to", "actor"), [("agent:*", "agent:anybody"), ("jane", "human:jane")])
def test_a_handoff_names_any_of_a_kind_or_a_person(tmp_path: Path, to: str, actor: str) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)
    shop.ok(0, "session-handoff", "--to", to, "--summary", "s", *CLAUDE)
    assert shop.fails(0, "session-start", "--ticket-id", "T1", "--actor", "ci:nightly")["code"] == "HANDOFF_RESERVED"
    assert shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", actor)["handoff"] is not None


def test_after_its_time_anybody_takes_it_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path, clones=2)
    handed(shop, "agent:codex")
    later(monkeypatch, 2100)
    found = shop.ok(1, "session-start", "--ticket-id", "T1", "--actor", "agent:late")
    assert found["handoff"]["late_by_seconds"] > 0
    assert "handoff_expired" in [each["kind"] for each in found["advisories"]]
    shop.ok(0, "sync")
    assert "taken up" in str(shop.ok(0, "ticket-show", "T1", "--history")["history"])


def test_a_suspended_session_waits_for_the_one_that_was_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:first")
    shop.ok(0, "session-suspend", "--reason", "r", "--actor", "agent:first")
    handed(shop, "agent:codex")
    assert shop.fails(0, "session-resume", "--actor", "agent:first")["code"] == "HANDOFF_RESERVED"


def test_refused_handoffs_change_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.fails(0, "session-handoff", "--to", "agent:codex", "--summary", "s")["code"] == "SESSION_NOT_ACTIVE"
    shop.ok(0, "session-start", "--ticket-id", "T1")
    before = shop.tip()
    assert shop.fails(0, "session-handoff", "--to", "agent:codex")["code"] == "SUMMARY_REQUIRED"
    assert shop.fails(0, "session-handoff", "--to", "robot:x", "--summary", "s")["code"] == "ACTOR_INVALID"
    assert shop.fails(0, "session-handoff", "--to", "ag*", "--summary", "s")["code"] == "ACTOR_INVALID"
    wrong = shop.fails(0, "session-handoff", "--to", "agent:codex", "--summary", "s", "--ticket-id", "T2")
    assert wrong["code"] == "SESSION_TICKET_MISMATCH"
    assert shop.ok(0, "session-handoff", "--to", "agent:codex", "--summary", "s", "--dry-run")["to"] == "agent:codex"
    assert shop.tip() == before
    shop.lose_hub()
    assert shop.fails(0, "session-handoff", "--to", "agent:codex", "--summary", "s")["exit"] == 8
    assert shop.tip() == before


def test_of_two_that_come_at_once_the_lease_decides(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=3)
    handed(shop, "agent:*")
    for number in (1, 2):
        shop.ok(number, "sync")
    taken = shop.ok(1, "session-start", "--ticket-id", "T1", *CODEX)
    assert shop.fails(2, "session-start", "--ticket-id", "T1", *CLAUDE)["code"] == "LEASE_HELD"
    shop.ok(2, "sync")
    history = str(shop.ok(2, "ticket-show", "T1", "--history")["history"])
    assert taken["session"]["id"] in history
    assert shop.ok(2, "audit")["verdict"] == "pass"


def test_a_handoff_of_a_session_whose_ticket_was_taken_is_refused(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", *CLAUDE)
    taken = ("lease-takeover", "--ticket-id", "T1", "--yes", "--force", "--reason", "stuck", "--actor", "human:ann")
    shop.ok(1, *taken)
    before = shop.tip()
    refused = shop.fails(0, "session-handoff", "--to", "agent:codex", "--summary", "s", *CLAUDE)
    assert (refused["code"], shop.tip()) == ("SESSION_FENCED", before)


def test_an_offline_handoff_is_confirmed_by_the_next_sync(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", *CLAUDE)
    shop.ok(0, "session-handoff", "--to", "agent:codex", "--summary", "half", "--offline", *CLAUDE)
    shop.ok(0, "sync")
    assert shop.ok(1, "session-start", "--ticket-id", "T1", *CODEX)["handoff"]["content"]["summary"] == "half"


def test_what_is_taken_up_offline_is_told_at_once_and_counts_once_it_is_confirmed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    handed(shop, "agent:codex")
    shop.ok(1, "sync")
    found = shop.ok(1, "session-start", "--ticket-id", "T1", "--offline", *CODEX)
    assert (found["handoff"]["taken_by"], "half done" in found["bootstrap_prompt"]) == (found["session"]["id"], True)
    shop.ok(1, "sync", *CODEX)
    shop.ok(0, "sync")
    assert shop.fails(0, "session-start", "--ticket-id", "T1", *CLAUDE)["code"] == "LEASE_HELD"
    assert found["session"]["id"] in str(shop.ok(0, "ticket-show", "T1", "--history")["history"])
