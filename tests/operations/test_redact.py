"""redact: a person takes out what an event holds; who may not, what may not, and what is told."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from exo_sidecar.store import publish
from tests.support.inprocess import exo_in_process
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

SECRET: Final = "the-word-is-hunter2"  # noqa: S105 - what must not be found again
AGENT: Final = {"CLAUDECODE": "1"}


def test_what_an_event_holds_goes_and_everything_else_stays(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    event = leaked(shop)
    done = shop.ok(0, "redact", event, "--reason", "it is a password", "--yes")
    assert (done["event"], done["type"], done["subject"], done["already"]) == (
        event,
        "ticket.noted",
        "TICKET-T1",
        False,
    )
    assert SECRET not in text_of(shop.clones[0])
    assert shop.ok(0, "ticket-show", "T1")["ticket"]["notes"] == ["before", "after"]
    audit = shop.ok(0, "audit")
    assert (audit["verdict"], audit["quarantined"]) == ("pass", [])
    (named,) = audit["redacted"]
    assert (named["event"], named["digest"], named["reason"]) == (event, done["digest"], "it is a password")
    assert named["actor"].startswith("human:")
    assert "it is a password" in exo_in_process(shop.clones[0], "audit").out
    assert git(shop.clones[0], "-C", ".exo", "status", "--porcelain") == ""
    (line,) = [line for line in lines_of(shop.clones[0]) if "redacted" in line]
    assert line["digest"] == done["digest"]
    assert not {"data", "params"} & {*line}
    assert (line["type"], line["subject"], line["op"]) == ("ticket.noted", "TICKET-T1", "ticket-edit")


def test_done_again_it_says_what_stands_and_writes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    event = leaked(shop)
    first = shop.ok(0, "redact", event, "--reason", "a password", "--yes")
    tip = shop.tip()
    again = shop.ok(0, "redact", event, "--reason", "another word for it", "--yes")
    assert (again["already"], again["digest"], again["reason"]) == (True, first["digest"], "a password")
    assert shop.tip() == tip


def test_only_a_person_redacts_and_says_why(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    event, tip = leaked(shop), shop.tip()
    for env in (AGENT, {"EXO_ACTOR": "agent:claude"}):
        error = shop.fails(0, "redact", event, "--reason", "x", "--yes", env=env)
        assert (error["exit"], error["code"]) == (1, "HUMAN_REQUIRED")
    error = shop.fails(0, "redact", event, "--reason", "  ", "--yes")
    assert (error["exit"], error["code"]) == (2, "REASON_REQUIRED")
    assert shop.fails(0, "redact", event, "--reason", "x" * 2001, "--yes")["code"] == "VALUE_INVALID"
    assert shop.fails(0, "redact", event, "--reason", "not confirmed")["exit"] == 2
    assert shop.tip() == tip


@pytest.mark.parametrize("name", ["nosuchclone:1", "zzzz:99", "not a name", ":3", "0:0", "1" * 300, "a:b"])
def test_an_event_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    error = shop.fails(0, "redact", name, "--reason", "x", "--yes")
    assert (error["exit"], error["code"]) == (4, "ID_NOT_FOUND")
    assert "ticket-show" in error["hint"]


def test_an_event_is_found_by_the_first_characters_of_its_clone(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    event = leaked(shop)
    clone, _, number = event.partition(":")
    assert shop.ok(0, "redact", f"{clone[:5]}:{number}", "--reason", "x", "--yes")["event"] == event


def test_events_of_leases_stay(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    kept = {"lease.acquired", "authority.set"}
    found = [f"{line['clone']}:{line['seq']}" for line in lines_of(shop.clones[0]) if line["type"] in kept]
    assert len(found) == 2
    for event in found:
        error = shop.fails(0, "redact", event, "--reason", "x", "--yes")
        assert (error["exit"], error["code"]) == (1, "REDACTION_REFUSED")
    assert shop.ok(0, "session-finish", "--summary", "s")["released_lease"]


def test_other_events_of_the_same_call_are_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "ticket-edit", "T1", "--note", SECRET, "--title", "Both at once")
    first, second = (f"{line['clone']}:{line['seq']}" for line in lines_of(shop.clones[0])[-2:])
    ran = shop.exo(0, "redact", first, "--reason", "x", "--yes")
    assert ran.data["together"] == [second]
    assert "REDACT_MORE" in {each["code"] for each in ran.answer["warnings"]}
    ran = shop.exo(0, "redact", second, "--reason", "x", "--yes")
    assert ran.data["together"] == []
    assert SECRET not in text_of(shop.clones[0])


def test_a_ticket_whose_creation_is_redacted_is_gone_and_comes_back_when_it_is_made_again(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    (event,) = [
        f"{line['clone']}:{line['seq']}"
        for line in lines_of(shop.clones[0])
        if line["type"] == "ticket.created" and line["subject"] == "TICKET-T1"
    ]
    shop.ok(0, "ticket-edit", "T1", "--note", "kept")
    ran = shop.exo(0, "redact", event, "--reason", "x", "--yes")
    assert "TICKET_GONE" in {each["code"] for each in ran.answer["warnings"]}
    assert shop.fails(0, "ticket-show", "T1")["code"] == "ID_NOT_FOUND"
    assert not (shop.clones[0] / ".exo" / "tickets" / "t1" / "TICKET-T1.yaml").exists()
    shop.ok(0, "ticket-create", "Again", "--parent", "INTENT-1", "--id", "TICKET-T1")
    assert shop.ok(0, "ticket-show", "T1")["ticket"]["notes"] == ["kept"]
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    event, tip = leaked(shop), shop.tip()
    told = shop.ok(0, "redact", event, "--reason", "x", "--dry-run")
    assert (told["event"], told["already"]) == (event, False)
    assert shop.tip() == tip
    assert SECRET in text_of(shop.clones[0])


def test_an_edit_by_hand_is_taken_in_first(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    event = leaked(shop)
    ticket = shop.clones[0] / ".exo" / "tickets" / "t1" / "TICKET-T1.yaml"
    ticket.write_text(ticket.read_text().replace("Title TICKET-T1", "By hand"))
    shop.ok(0, "redact", event, "--reason", "x", "--yes")
    found = shop.ok(0, "ticket-show", "T1")["ticket"]
    assert (found["title"], found["notes"]) == ("By hand", ["before", "after"])


def test_a_redaction_reaches_a_clone_that_goes_on_writing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    event = leaked(shop)
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    shop.ok(1, "ticket-edit", "T2", "--note", "meanwhile")
    shop.ok(0, "redact", event, "--reason", "x", "--yes")
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    assert shop.tip(0) == shop.tip(1)
    for clone in shop.clones:
        assert SECRET not in text_of(clone)
    assert shop.ok(1, "ticket-show", "T2")["ticket"]["notes"] == ["meanwhile"]
    for number in (0, 1):
        audit = shop.ok(number, "audit")
        assert (audit["verdict"], [each["event"] for each in audit["redacted"]]) == ("pass", [event])


@pytest.mark.parametrize("step", ["move", "finish"])
def test_a_redaction_that_was_killed_has_happened_or_not_and_is_done_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shop = a_lone_shop(tmp_path)
    event = leaked(shop)

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(publish, step, killed)
        with pytest.raises(SystemExit):
            shop.exo(0, "redact", event, "--reason", "x", "--yes")
    done = shop.ok(0, "redact", event, "--reason", "x", "--yes")
    assert done["already"] == (step == "finish")
    shop.ok(0, "ticket-edit", "T2", "--note", "and on")
    assert SECRET not in text_of(shop.clones[0])
    assert shop.ok(0, "audit")["verdict"] == "pass"


def leaked(shop: Shop) -> str:
    """Write three notes to a ticket, the second a secret, and return the name of the event that holds it."""
    for note in ("before", SECRET, "after"):
        shop.ok(0, "ticket-edit", "T1", "--note", note)
    entries = shop.ok(0, "ticket-show", "T1", "--history")["history"]
    (event,) = [each["event"] for each in entries if SECRET in each["summary"]]
    return str(event)


def lines_of(clone: Path) -> list[Any]:
    """Return the events of a clone's mount, writer by writer."""
    files = sorted((clone / ".exo" / "ledger").rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def text_of(clone: Path) -> str:
    """Return everything that the governance branch and the mount hold."""
    files = (path for path in (clone / ".exo").rglob("*") if path.is_file() and path.name != ".git")
    mounted = "".join(path.read_text() for path in files)
    return mounted + git(clone, "grep", "-h", "", "exo-governance")
