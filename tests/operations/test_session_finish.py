"""Finishing: confirmed first, written here, then branch and release in one push."""

import shutil
from pathlib import Path

import pytest

from tests.support.process import Ran
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop


def test_a_finish_writes_the_memento_moves_the_ticket_and_releases(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    before = shop.commits()
    found = shop.ok(0, "session-finish", "--summary", "did it", "--next-step", "merge", "--lesson", "read first")
    assert (found["ticket_status"], found["released_lease"], found["sync"]["state"]) == ("review", True, "done")
    assert shop.commits() == before + 1
    page = (shop.clones[0] / ".exo" / found["memento_path"]).read_text()
    assert "## Summary\n\ndid it" in page
    assert "## Next step\n\nmerge" in page
    assert git(shop.clones[0], "ls-remote", "origin", "refs/heads/exo-governance").startswith(shop.tip())
    [lease] = shop.ok(1, "leases")["items"]
    assert (lease["state"], lease["epoch"]) == ("released", 1)
    shop.ok(1, "sync")
    assert shop.status(1, "T1") == "review"


def test_what_is_released_is_had_by_others_with_a_higher_token(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    shop.ok(0, "session-finish", "--summary", "half", "--set-status", "todo")
    found = shop.ok(1, "session-start", "--ticket-id", "T1")
    assert found["lease"]["epoch"] == 2
    assert '"half"' in found["bootstrap_prompt"]
    assert shop.ok(1, "session-finish", "--summary", "whole")["ticket_status"] == "review"
    shop.ok(0, "sync")
    assert shop.ok(0, "audit")["verdict"] == "pass"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (("--set-status", "keep"), "active"),
        (("--set-status", "done"), "done"),
        (("--set-status", "todo"), "todo"),
        (("--set-status", "blocked", "--reason", "waiting"), "blocked"),
        (("--set-status", "cancelled", "--reason", "not needed"), "cancelled"),
    ],
)
def test_the_ticket_goes_where_the_finish_says(tmp_path: Path, given: tuple[str, ...], status: str) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    shop.ok(0, "ticket-edit", "T1", "--type", "docs")  # of this type work is done without a check
    shop.ok(0, "session-start", "--ticket-id", "T1")
    assert shop.ok(0, "session-finish", "--summary", "s", *given)["ticket_status"] == status
    assert shop.status(0, "T1") == status


def test_refused_finishes_change_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    before = shop.tip()
    assert shop.fails(0, "session-finish", "--summary", " ")["exit"] == 2
    assert shop.fails(0, "session-finish", "--summary", "s", "--set-status", "blocked")["code"] == "GUARD_UNMET"
    assert shop.fails(0, "session-finish", "--summary", "s", "--ticket-id", "T2")["code"] == "SESSION_TICKET_MISMATCH"
    assert shop.fails(0, "session-finish", "--summary", "s", "--actor", "agent:x")["code"] == "SESSION_NOT_ACTIVE"
    assert shop.tip() == before
    assert shop.ok(0, "session-finish", "--summary", "s", "--dry-run")["ticket_status"] == "review"
    assert shop.tip() == before


def test_commits_and_files_are_those_of_the_session(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    write_files(shop.clones[0], {"before.txt": "dirty already", "touched.txt": "dirty already"})
    shop.ok(0, "session-start", "--ticket-id", "T1")
    commit = commit_files(shop.clones[0], {"src/new.py": "1"})
    write_files(shop.clones[0], {"touched.txt": "and changed", "left.txt": "new"})
    found = shop.ok(0, "session-finish", "--summary", "s")
    assert found["commits"] == [commit]
    assert found["uncommitted"] == ["left.txt", "touched.txt"]


def test_news_of_others_is_merged_on_the_way(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    shop.ok(1, "session-start", "--ticket-id", "T2")
    found = shop.ok(0, "session-finish", "--summary", "s")
    assert found["released_lease"]
    assert git(shop.clones[0], "ls-remote", "origin", "refs/heads/exo-governance").startswith(shop.tip())
    assert shop.status(0, "T2") == "active"


def test_without_the_authority_a_finish_is_refused_and_the_session_goes_on(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    away = shop.lose_hub()
    before = shop.tip()
    assert shop.fails(0, "session-finish", "--summary", "s")["exit"] == 8
    assert shop.tip() == before
    shutil.move(away, away.with_name("hub.git"))
    assert shop.ok(0, "session-finish", "--summary", "s")["released_lease"]


def test_an_offline_finish_is_written_here_and_said_to_be_unconfirmed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    ran = shop.exo(0, "session-finish", "--summary", "s", "--offline")
    assert ran.exit == 0, ran.out
    assert not ran.data["released_lease"]
    assert "FINISH_UNCONFIRMED" in [warning["code"] for warning in ran.answer["warnings"]]
    assert shop.status(0, "T1") == "review"
    assert shop.ok(0, "lease-release", "--ticket-id", "T1")["released"]


def test_a_kept_lease_stays_held(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    assert not shop.ok(0, "session-finish", "--summary", "s", "--keep-lease")["released_lease"]
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["held"]


MANIFEST = """
requirements:
- {id: REQ-1, title: Dates are told in the zone of who asks, acceptance: [ACC-1]}
- {id: REQ-2, title: Dates are told in stars, status: deleted}
- {id: SPEED, title: It is quick}
"""


def finished(shop: Shop, *links: str) -> Ran:
    """Work on a ticket with these links, and finish; Ran has the answer."""
    shop.ok(0, "ticket-edit", "T1", *(word for link in links for word in ("--add-link", link)), "--note", "x")
    shop.ok(0, "session-start", "--ticket-id", "T1")
    ran = shop.exo(0, "session-finish", "--summary", "s", "--set-status", "todo")
    assert ran.exit == 0, ran.out
    return ran


def test_requirements_that_the_ticket_names_are_looked_up_at_its_end(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    file = shop.clones[0] / ".exo" / "requirements.yaml"
    file.write_text(MANIFEST)
    plain = finished(shop, "https://tracker/REQ-9", "PR-12", "../REQ-8")
    assert plain.data["requirements"] is None
    ran = finished(shop, "REQ-1", "ACC-1", "SPEED", "REQ-2", "REQ-9")
    named = {"found": ["ACC-1", "REQ-1", "SPEED"], "missing": ["REQ-9"], "deleted": ["REQ-2"]}
    assert ran.data["requirements"] == named
    told = {each["code"]: each["message"] for each in ran.answer["warnings"]}
    assert told["REQUIREMENT_MISSING"].startswith("TICKET-T1 names REQ-9, and requirements.yaml does not (")
    assert told["REQUIREMENT_DELETED"].startswith("TICKET-T1 names REQ-2, deleted by requirements.yaml (")
    pages = [(shop.clones[0] / ".exo" / each.data["memento_path"]).read_text() for each in (plain, ran)]
    assert ["## Requirements" in page for page in pages] == [False, True]
    assert "- missing: REQ-9" in pages[1]
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_a_manifest_that_cannot_be_read_stops_no_finish(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    (shop.clones[0] / ".exo" / "requirements.yaml").write_text("requirements: [{id: REQ-1, titel: x}]\n")
    ran = finished(shop, "REQ-1")
    assert ran.data["requirements"] is None
    assert [each["code"] for each in ran.answer["warnings"]].count("MANIFEST_INVALID") == 1
