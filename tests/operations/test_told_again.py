"""What a call learnt the next ones say, too: a lease that is lost, what waits here, where somebody left a branch."""

from pathlib import Path

from tests.support.inprocess import exo_in_process as exo
from tests.support.repositories import commit_files, git
from tests.support.working import a_lone_shop, a_shop

CODEX = {"EXO_ACTOR": "agent:codex"}
FORCED = ("lease-takeover", "--ticket-id", "T1", "--force", "--reason", "it is urgent", "--yes", "--actor", "human:ann")


def test_a_refusal_that_names_the_new_holder_is_remembered_by_status(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", env=CODEX)
    assert shop.ok(0, "status", env=CODEX)["lease"]["is_lost"] is False
    shop.ok(1, *FORCED)
    assert shop.fails(0, "session-finish", "--summary", "done", env=CODEX)["code"] == "SESSION_FENCED"
    lease = shop.ok(0, "status", env=CODEX)["lease"]
    assert lease["is_lost"] is True
    assert "human:ann has it" in lease["trouble"]


def test_a_lease_that_was_taken_back_is_not_lost_any_more(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", env=CODEX)
    shop.ok(1, *FORCED)
    shop.fails(0, "session-finish", "--summary", "done", env=CODEX)
    shop.ok(0, "session-suspend", "--reason", "taken", env=CODEX)
    shop.ok(1, "lease-release", "--ticket-id", "T1", "--actor", "human:ann")
    shop.ok(0, "sync")
    shop.ok(0, "session-resume", env=CODEX)
    assert shop.ok(0, "status", env=CODEX)["lease"]["is_lost"] is False


def test_status_shows_what_waits_to_be_started_or_resumed(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert shop.ok(0, "status", env=CODEX)["waiting"] is None
    shop.ok(0, "next", "--ticket-id", "T1", env=CODEX)
    found = shop.ok(0, "status", env=CODEX)
    assert (found["session"], found["waiting"]["status"]) == (None, "reserved")
    assert "exo session-start begins work on TICKET-T1" in exo(shop.clones[0], "status", env=CODEX).err
    shop.ok(0, "session-start", env=CODEX)
    assert shop.ok(0, "status", env=CODEX)["waiting"] is None
    shop.ok(0, "session-suspend", "--reason", "later", env=CODEX)
    assert shop.ok(0, "status", env=CODEX)["waiting"]["status"] == "suspended"
    assert "exo session-resume goes on with work on TICKET-T1" in exo(shop.clones[0], "status", env=CODEX).err
    assert shop.ok(0, "status", env={"EXO_ACTOR": "agent:other"})["waiting"] is None


def test_a_ticket_that_is_handed_on_goes_on_where_its_branch_was_pushed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "switch", env=CODEX)
    left = commit_files(shop.clones[0], {"work.txt": "half\n"}, "half")
    shop.ok(0, "push", env=CODEX)
    shop.ok(0, "session-handoff", "--to", "agent:cursor", "--summary", "half", env=CODEX)
    git(shop.clones[1], "fetch", "-q")
    found = shop.ok(1, "session-start", "--ticket-id", "T1", "--branch", "switch", env={"EXO_ACTOR": "agent:cursor"})
    assert (found["branch"]["actual"], found["session"]["base"]) == ("exo/TICKET-T1", left)
    assert git(shop.clones[1], "rev-parse", "HEAD") == left
    assert "## Prior work" not in found["bootstrap_prompt"]


def test_a_branch_that_went_into_main_is_not_gone_on_with(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "switch", env=CODEX)
    commit_files(shop.clones[0], {"work.txt": "whole\n"}, "whole")
    shop.ok(0, "push", env=CODEX)
    shop.ok(0, "session-finish", "--summary", "whole", "--set-status", "todo", env=CODEX)
    git(shop.clones[0], "switch", "-q", "main")
    git(shop.clones[0], "merge", "-q", "exo/TICKET-T1")
    merged = commit_files(shop.clones[0], {"more.txt": "more\n"}, "more")
    git(shop.clones[0], "push", "-q", "origin", "main")
    git(shop.clones[1], "pull", "-q")
    found = shop.ok(1, "session-start", "--ticket-id", "T1", "--branch", "switch", env={"EXO_ACTOR": "agent:cursor"})
    assert found["session"]["base"] == merged
