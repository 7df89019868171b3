"""Worktrees of tickets: made beside the checkout, listed, and removed without losing anything."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.inprocess import exo_in_process
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop

SAVED = "refs/exo/saved/"


def a_worktree(shop: Shop, ticket: str = "T1") -> Path:
    """Return the folder of a new worktree of a ticket."""
    return Path(shop.ok(0, "worktree-create", "--ticket-id", ticket)["path"])


def ok_in(folder: Path, *args: str, actor: str = "agent:a") -> Any:  # noqa: ANN401 - JSON
    """Run a command in a folder that must go well, and return its data."""
    ran = exo_in_process(folder, *args, "--json", env={"EXO_ACTOR": actor})
    assert ran.exit == 0, ran.out + ran.err
    return ran.data


def test_a_worktree_is_made_beside_the_checkout_which_stays_as_it_is(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    main = shop.clones[0]
    write_files(main, {"half.txt": "half\n"})
    before = (git(main, "status", "--porcelain", "--branch"), git(main, "rev-parse", "HEAD"))
    made = shop.ok(0, "worktree-create", "--ticket-id", "T1")
    assert made == {
        "ticket_id": "TICKET-T1",
        "path": str(main.parent / f"{main.name}-TICKET-T1"),
        "branch": "exo/TICKET-T1",
        "base": "main",
        "commit": before[1],
        "created": True,
    }
    assert (git(main, "status", "--porcelain", "--branch"), git(main, "rev-parse", "HEAD")) == before
    assert git(Path(made["path"]), "branch", "--show-current") == "exo/TICKET-T1"
    assert git(Path(made["path"]), "status", "--porcelain") == ""
    assert git(main, "fsck", "--strict", "--no-dangling") == ""


def test_making_it_again_returns_the_one_that_is_there(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    first = a_worktree(shop)
    write_files(first, {"work.txt": "work\n"})
    again = shop.ok(0, "worktree-create", "--ticket-id", "T1")
    assert (again["path"], again["created"]) == (str(first), False)
    assert (first / "work.txt").read_text() == "work\n"


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    foreseen = shop.ok(0, "worktree-create", "--ticket-id", "T1", "--dry-run")
    assert foreseen["created"]
    assert not Path(foreseen["path"]).exists()
    assert git(shop.clones[0], "branch", "--list", "exo/*") == ""


def test_a_dry_run_refuses_what_the_call_would_refuse(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main = shop.clones[0]
    full, file = tmp_path / "full", tmp_path / "file"
    write_files(full, {"mine.txt": "mine\n"})
    file.write_text("mine\n")
    for path in (full, main / "inside", main / ".git" / "x", main / ".exo" / "x", file / "below"):
        words = ("worktree-create", "--ticket-id", "T1", "--path", str(path))
        foreseen = shop.fails(0, *words, "--dry-run")
        assert foreseen == shop.fails(0, *words), path
        assert (foreseen["code"], foreseen["exit"]) == ("WORKTREE_PATH_BUSY", 1), path
    git(main, "switch", "-q", "-c", "exo/TICKET-T1")
    foreseen = shop.fails(0, "worktree-create", "--ticket-id", "T1", "--dry-run")
    assert foreseen["code"] == "BRANCH_IN_USE"
    assert foreseen == shop.fails(0, "worktree-create", "--ticket-id", "T1")


@pytest.mark.parametrize("other", ["exo", "exo/TICKET-T1/part"])
def test_a_branch_that_stands_in_the_way_of_the_tickets_own_is_named(tmp_path: Path, other: str) -> None:
    shop = a_lone_shop(tmp_path)
    git(shop.clones[0], "branch", other)
    for words in (("--dry-run",), ()):
        error = shop.fails(0, "worktree-create", "--ticket-id", "T1", *words)
        assert (error["code"], error["exit"]) == ("BRANCH_IN_USE", 1)
        assert other in error["message"]
        assert f"rename {other}" in error["hint"]
    git(shop.clones[0], "branch", "-D", "-q", other)
    for words in (("--dry-run",), ()):
        assert shop.ok(0, "worktree-create", "--ticket-id", "T1", *words)["created"]
    assert not shop.ok(0, "worktree-create", "--ticket-id", "T1", "--dry-run")["created"]


def test_a_worktree_is_governed_from_the_first_moment(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    folder = a_worktree(shop)
    assert ok_in(folder, "status")["initialized"]
    started = ok_in(folder, "session-start", "--ticket-id", "T1")
    assert started["branch"] == {"wanted": "exo/TICKET-T1", "actual": "exo/TICKET-T1", "reason": None}
    listed = shop.ok(0, "worktrees")["items"]
    assert [(each["ticket_id"], each["session_id"], each["governed"]) for each in listed] == [
        ("TICKET-T1", started["session"]["id"], True)
    ]
    other = shop.ok(0, "session-start", "--ticket-id", "T2", env={"EXO_ACTOR": "agent:b"})
    assert other["session"]["ticket"] == "TICKET-T2"
    finished = ok_in(folder, "session-finish", "--summary", "done")
    assert finished["ticket_status"] == "review"


def test_a_worktree_begins_at_the_base_that_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    git(shop.clones[0], "tag", "then")
    commit_files(shop.clones[0], {"later.txt": "later\n"}, "later")
    made = shop.ok(0, "worktree-create", "--ticket-id", "T1", "--base", "then")
    assert made["commit"] == git(shop.clones[0], "rev-parse", "then")
    for name in ("nowhere", "--upload-pack=x", "", "a\nb"):
        error = shop.fails(0, "worktree-create", "--ticket-id", "T2", f"--base={name}")
        assert (error["code"], error["exit"]) == ("BASE_UNKNOWN", 4), name


def test_a_branch_that_is_there_keeps_its_commits(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main = shop.clones[0]
    git(main, "switch", "-q", "-c", "exo/TICKET-T1")
    commit_files(main, {"work.txt": "work\n"}, "work")
    error = shop.fails(0, "worktree-create", "--ticket-id", "T1")
    assert (error["code"], error["exit"]) == ("BRANCH_IN_USE", 1)
    git(main, "switch", "-q", "main")
    made = shop.ok(0, "worktree-create", "--ticket-id", "T1")
    assert (made["base"], made["commit"]) == ("exo/TICKET-T1", git(main, "rev-parse", "exo/TICKET-T1"))
    assert (Path(made["path"]) / "work.txt").exists()


def test_a_path_that_is_taken_or_lies_in_a_checkout_is_refused(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main = shop.clones[0]
    full = tmp_path / "full"
    write_files(full, {"mine.txt": "mine\n"})
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    inside = main / "inside"
    for path in (full, inside, main / ".git" / "x", main / ".exo" / "x"):
        error = shop.fails(0, "worktree-create", "--ticket-id", "T1", "--path", str(path))
        assert (error["code"], error["exit"]) == ("WORKTREE_PATH_BUSY", 1), path
    assert (full / "mine.txt").read_text() == "mine\n"
    assert git(main, "branch", "--list", "exo/*") == ""
    (main / ".gitignore").write_text("/inside/\n")
    made = shop.ok(0, "worktree-create", "--ticket-id", "T1", "--path", str(inside))
    assert (made["path"], made["created"]) == (str(inside), True)
    error = shop.fails(0, "worktree-create", "--ticket-id", "T1", "--path", str(tmp_path / "other"))
    assert error["code"] == "BRANCH_IN_USE"
    error = shop.fails(0, "worktree-create", "--ticket-id", "T2", "--path", str(inside))
    assert error["code"] == "WORKTREE_PATH_BUSY"


def test_a_worktree_whose_folder_was_deleted_is_made_anew(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    folder = a_worktree(shop)
    folder.rename(tmp_path / "moved-away")
    assert [each["governed"] for each in shop.ok(0, "worktrees")["items"]] == [False]
    assert shop.ok(0, "worktree-create", "--ticket-id", "T1")["created"]
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("point", ["no files", "half the files"])
def test_a_worktree_that_a_killed_call_left_half_made_is_finished(tmp_path: Path, point: str) -> None:
    shop = a_lone_shop(tmp_path)
    commit_files(shop.clones[0], {"one.txt": "1\n", "two.txt": "2\n"}, "files")
    folder = a_worktree(shop)
    entry = next((shop.clones[0] / ".git/worktrees").glob("*TICKET-T1"))
    (entry / "locked").write_text("initializing")
    (folder / "one.txt").unlink()
    if point == "no files":
        git(folder, "rm", "-q", "-r", ".")
        (entry / "HEAD").write_text("0" * 40 + "\n")
    else:
        (entry / "index.lock").touch()
        os.utime(entry / "index.lock", (1, 1))
    again = shop.ok(0, "worktree-create", "--ticket-id", "T1")
    assert again["path"] == str(folder)
    assert git(folder, "status", "--porcelain", "--branch") == "## exo/TICKET-T1"
    assert not (entry / "locked").exists()


def test_two_calls_at_once_make_one_worktree(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    answers: list[Any] = []
    ask = ("worktree-create", "--ticket-id", "T1")
    threads = [threading.Thread(target=lambda: answers.append(shop.ok(0, *ask))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each["created"] for each in answers) == [False, False, False, True]
    assert len({each["path"] for each in answers}) == 1


def test_a_clean_worktree_is_removed_and_its_branch_stays(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    folder = a_worktree(shop)
    foreseen = shop.ok(0, "worktree-remove", str(folder), "--dry-run")
    assert (foreseen["removed"], folder.exists()) == (False, True)
    gone = shop.ok(0, "worktree-remove", f"../{folder.name}", "--yes")
    assert (gone["removed"], gone["saved_ref"], gone["branch_deleted"]) == (True, None, False)
    assert not folder.exists()
    assert git(shop.clones[0], "branch", "--list", "exo/*").strip() == "exo/TICKET-T1"
    folder = a_worktree(shop)
    assert shop.ok(0, "worktree-remove", str(folder), "--delete-branch", "--yes")["branch_deleted"]
    assert git(shop.clones[0], "branch", "--list", "exo/*") == ""


def test_a_removal_is_confirmed_first(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    folder = a_worktree(shop)
    assert shop.fails(0, "worktree-remove", str(folder))["exit"] == 2
    assert folder.exists()


def test_a_dirty_worktree_is_not_removed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    folder = a_worktree(shop)
    write_files(folder, {"new.txt": "new\n"})
    error = shop.fails(0, "worktree-remove", str(folder), "--yes")
    assert (error["code"], error["details"]["files"]) == ("WORKTREE_DIRTY", ["new.txt"])
    commit_files(folder, {"new.txt": "new\n"}, "new")
    error = shop.fails(0, "worktree-remove", str(folder), "--yes")
    assert (error["code"], error["exit"]) == ("WORKTREE_DIRTY", 1)
    assert "commits that no remote" in error["message"]
    assert folder.exists()
    git(folder, "push", "-q", "origin", "exo/TICKET-T1")
    assert shop.ok(0, "worktree-remove", str(folder), "--yes")["removed"]


def test_a_worktree_with_a_session_at_work_is_not_removed(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    folder = a_worktree(shop)
    ok_in(folder, "session-start", "--ticket-id", "T1")
    error = shop.fails(0, "worktree-remove", str(folder), "--yes", "--actor", "human:ann")
    assert error["code"] == "WORKTREE_BUSY"
    ok_in(folder, "session-finish", "--summary", "nothing to do", "--set-status", "todo")
    assert shop.ok(0, "worktree-remove", str(folder), "--yes")["removed"]


def test_what_is_no_linked_worktree_or_is_locked_or_called_from_is_not_removed(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    folder = a_worktree(shop)
    (tmp_path / "plain").mkdir()
    for path in (shop.clones[0], tmp_path / "plain", tmp_path / "nothing", shop.clones[0] / ".exo"):
        assert shop.fails(0, "worktree-remove", str(path), "--yes")["code"] == "PATH_UNKNOWN", path
    ran = exo_in_process(folder, "worktree-remove", ".", "--yes", "--json")
    assert "WORKTREE_BUSY" in ran.out
    git(shop.clones[0], "worktree", "lock", "--reason", "on a stick", str(folder))
    error = shop.fails(0, "worktree-remove", str(folder), "--yes", "--force", "--actor", "human:ann")
    assert (error["code"], "on a stick" in error["message"]) == ("WORKTREE_BUSY", True)
    assert folder.exists()


def test_a_person_removes_a_dirty_worktree_and_its_work_is_a_ref(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main, folder = shop.clones[0], a_worktree(shop)
    commit_files(folder, {"kept.txt": "committed\n"}, "kept")
    write_files(folder, {"kept.txt": "changed\n", "new/file.txt": "new\n"})
    refused = shop.fails(0, "worktree-remove", str(folder), "--force", "--yes", "--actor", "agent:a")
    assert refused["code"] == "HUMAN_REQUIRED"
    gone = shop.ok(0, "worktree-remove", str(folder), "--force", "--yes", "--delete-branch", "--actor", "human:ann")
    assert gone["saved_ref"].startswith(f"{SAVED}TICKET-T1/20")
    assert gone["branch_deleted"]
    assert not folder.exists()
    assert git(main, "show", f"{gone['saved_ref']}:kept.txt") == "changed"
    assert git(main, "show", f"{gone['saved_ref']}:new/file.txt") == "new"
    assert git(main, "show", f"{gone['saved_ref']}^1:kept.txt") == "committed"
    folder = a_worktree(shop)
    write_files(folder, {"again.txt": "again\n"})
    second = shop.ok(0, "worktree-remove", str(folder), "--force", "--yes", "--actor", "human:ann")
    assert second["saved_ref"] != gone["saved_ref"]


def test_unpushed_commits_of_a_branch_that_is_deleted_by_force_stay_within_reach(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    folder = a_worktree(shop)
    commit_files(folder, {"kept.txt": "committed\n"}, "kept")
    tip = git(folder, "rev-parse", "HEAD")
    gone = shop.ok(0, "worktree-remove", str(folder), "--force", "--delete-branch", "--yes", "--actor", "human:ann")
    assert git(shop.clones[0], "rev-parse", gone["saved_ref"]) == tip


def test_a_worktree_in_the_middle_of_a_merge_stays_also_by_force(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main, folder = shop.clones[0], a_worktree(shop)
    commit_files(main, {"same.txt": "one\n"}, "one")
    commit_files(folder, {"same.txt": "two\n"}, "two")
    entry = next((main / ".git/worktrees").glob("*TICKET-T1"))
    (entry / "MERGE_HEAD").write_text(git(main, "rev-parse", "main") + "\n")
    write_files(folder, {"same.txt": "half\n"})
    error = shop.fails(0, "worktree-remove", str(folder), "--force", "--yes", "--actor", "human:ann")
    assert error["code"] == "STASH_FAILED"
    assert (folder / "same.txt").read_text() == "half\n"


def test_all_worktrees_are_listed_with_what_they_hold_and_how_far_they_are(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main, folder = shop.clones[0], a_worktree(shop)
    git(main, "worktree", "add", "-q", "--detach", str(tmp_path / "loose"))
    commit_files(main, {"main.txt": "main\n"}, "main")
    commit_files(folder, {"work.txt": "work\n"}, "work")
    write_files(folder, {"new.txt": "new\n"})
    assert [each["path"] for each in shop.ok(0, "worktrees")["items"]] == [str(folder)]
    found = {Path(each["path"]).name: each for each in shop.ok(0, "worktrees", "--all")["items"]}
    assert set(found) == {main.name, "loose", folder.name}
    ticket = found[folder.name]
    assert (ticket["ahead"], ticket["behind"], ticket["dirty_files"]) == (1, 1, ["new.txt"])
    assert (found["loose"]["branch"], found["loose"]["behind"]) == (None, 1)
    ran = exo_in_process(main, "worktrees", "--all")
    assert ran.exit == 0
    assert "exo/TICKET-T1" in ran.out
