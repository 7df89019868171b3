"""Folders that were moved, copied and deleted under exo: the next command finds its way, or says what to do."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from exo_sidecar.host import ancestry
from tests.support.application import application, changed
from tests.support.days import a_morning, a_second_day, a_word, an_evening, assert_clean, hinted, ok, refused, rows
from tests.support.repositories import a_clone, a_hub, a_repository, git


def writers(repository: Path) -> set[str]:
    """Return the clone ids that have written to the ledger."""
    found = git(repository, "ls-tree", "-r", "--name-only", "exo-governance", "ledger").splitlines()
    return {path.split("/")[2] for path in found}


def clone_id(repository: Path) -> str:
    """Return the id under which this clone writes."""
    return str(json.loads((repository / ".git" / "exo" / "clone").read_text())["id"])


def copied(source: Path, target: Path) -> Path:
    """Copy a folder as people do."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


def test_a_clone_that_was_moved_goes_on_and_is_the_same_clone(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    ok(clone, "init")
    known = clone_id(clone)
    moved = clone.rename(tmp_path / "moved")
    a_second_day(moved)
    assert clone_id(moved) == known
    assert str(moved / ".exo") in git(moved, "worktree", "list")
    assert not clone.exists()


def test_a_session_goes_on_in_a_clone_that_was_moved(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    ok(clone, "init")
    ticket = a_morning(clone)
    moved = clone.rename(tmp_path / "moved")
    finished = ok(moved, "session-finish", "--summary", "done", "--ticket-id", ticket)
    assert (finished["ticket_id"], finished["released_lease"]) == (ticket, True)
    assert_clean(moved)


def test_a_copy_is_a_clone_of_its_own_and_holds_nothing_of_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = a_clone(a_hub(tmp_path))
    agent = ancestry.ancestors()[0]
    monkeypatch.setattr(ancestry, "agent_ancestor", lambda: agent)  # the same that goes on in the copy
    ok(clone, "init")
    ticket = a_morning(clone)
    before = application(clone)
    copy = copied(clone, tmp_path / "copy")
    assert ok(copy, "status")["session"] is None
    assert refused(copy, "session-finish", "--summary", "mine", "--ticket-id", ticket)["exit"] != 0
    assert refused(copy, "session-start", "--ticket-id", ticket)["exit"] in {1, 6}
    ok(copy, "ticket-edit", "TICKET-001", "--note", "by the copy")
    assert clone_id(copy) != clone_id(clone)
    ok(copy, "sync")
    an_evening(clone)
    assert {clone_id(copy), clone_id(clone)} <= writers(clone)
    assert "by the copy" in str(ok(clone, "ticket-show", "TICKET-001"))
    assert changed(before, application(clone)) == []
    a_word(copy)


def test_a_copy_without_a_remote_is_a_world_of_its_own(tmp_path: Path) -> None:
    original = a_repository(tmp_path)
    ok(original, "init")
    copy = copied(original, tmp_path / "copy")
    tip = git(original, "rev-parse", "exo-governance")
    a_second_day(copy)
    assert git(original, "rev-parse", "exo-governance") == tip
    assert_clean(original)


DELETED = {"by hand": "rm -rf .exo", "by git clean": "git clean -qffdx", "but its folder": "rm -rf .exo && mkdir .exo"}


@pytest.mark.parametrize("how", rows(DELETED, "by git clean"))
def test_a_mount_that_was_deleted_is_put_back_by_the_next_write(tmp_path: Path, how: str) -> None:
    clone = a_clone(a_hub(tmp_path))
    ok(clone, "init")
    tip = git(clone, "rev-parse", "exo-governance")
    subprocess.run(how, shell=True, cwd=clone, check=True)  # noqa: S602 - a fixed line, as people type it
    assert ok(clone, "status")["initialized"] is True
    assert git(clone, "rev-parse", "exo-governance") == tip
    a_word(clone)


def test_a_mount_that_was_deleted_is_put_back_while_a_session_works(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    ok(clone, "init")
    a_morning(clone)
    shutil.rmtree(clone / ".exo")
    an_evening(clone)


def test_a_bare_repository_that_was_moved_is_told_from_a_stranger_s(tmp_path: Path) -> None:
    hub = a_hub(tmp_path / "project")
    ok(hub, "init")
    moved = hub.rename(tmp_path / "project" / "moved.git")
    error = refused(moved, "ticket-edit", "TICKET-001", "--note", "x")
    assert (error["code"], error["exit"]) == ("SIDECAR_PATH_BUSY", 8)
    git(tmp_path, *hinted(error["hint"]))
    ok(moved, "ticket-edit", "TICKET-001", "--note", "x")
    assert_clean(moved)


def test_a_linked_worktree_of_a_clone_that_was_moved_works_once_git_has_repaired_it(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    git(clone, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    ok(tmp_path / "side", "init")
    moved = clone.rename(tmp_path / "moved")
    assert "git worktree repair" in refused(tmp_path / "side", "status")["hint"]
    git(moved, "worktree", "repair")
    a_second_day(tmp_path / "side")
    assert_clean(moved)
