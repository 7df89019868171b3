"""Repositories within repositories: each is governed by itself, and none sees the other's mount."""

import shutil
from pathlib import Path

from tests.support.application import application, changed
from tests.support.days import a_day, a_second_day, a_word, assert_clean, hinted, ok, refused
from tests.support.repositories import a_hub, a_repository, commit_files, git


def nested(folder: Path) -> tuple[Path, Path]:
    """Return a superproject and the submodule `libs/inner` in it, each with a hub of its own."""
    for name in ("inner", "outer"):
        (folder / name).mkdir()
    inner, outer = a_hub(folder / "inner"), a_hub(folder / "outer")
    git(folder, "clone", "-q", str(outer), "super")
    git(folder / "super", "submodule", "--quiet", "add", str(inner), "libs/inner")
    git(folder / "super", "commit", "-q", "-m", "with a submodule")
    return folder / "super", folder / "super" / "libs" / "inner"


def test_a_governed_submodule_in_a_superproject_that_is_not(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    before = application(outer)
    a_day(inner)
    assert ok(inner / "src", "status")["mount"] == str(inner / ".exo")
    assert ok(outer, "status")["initialized"] is False
    left = [name for name in changed(before, application(outer)) if not name.startswith("git modules/")]
    assert left == []
    assert git(outer, "status", "--porcelain") == git(inner, "status", "--porcelain") == ""


def test_a_governed_submodule_in_a_governed_superproject(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    ok(outer, "init")
    a_day(inner)
    assert ok(outer / "libs", "status")["mount"] == str(outer / ".exo")
    assert ok(inner / "src", "status")["mount"] == str(inner / ".exo")
    a_word(outer)
    git(outer, "add", "-A")
    assert git(outer, "status", "--porcelain") == ""


def test_two_sessions_at_once_one_in_each(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    for place in (outer, inner):
        ok(place, "init")
        ok(place, "session-start", "--ticket-id", "TICKET-001")
    for place in (outer / "libs", inner / "src"):
        assert ok(place, "status")["session"]["ticket_id"] == "TICKET-001"
        ok(place, "session-finish", "--summary", "done")


def test_a_submodule_that_is_taken_out_and_put_back_keeps_its_state(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    ok(inner, "init")
    git(outer, "submodule", "--quiet", "deinit", "-f", "libs/inner")
    assert not (inner / ".exo").exists()
    git(outer, "submodule", "--quiet", "update", "--init")
    a_word(inner)


def test_a_submodule_that_is_moved_takes_its_mount_along(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    ok(inner, "init")
    git(outer, "mv", "libs/inner", "libs/other")
    moved = outer / "libs" / "other"
    assert ok(moved, "status")["mount"] == str(moved / ".exo")
    a_second_day(moved)
    assert not inner.exists()


def test_a_submodule_that_is_moved_to_another_depth_is_mended_by_the_command_in_the_hint(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    ok(inner, "init")
    git(outer, "mv", "libs/inner", "other")
    moved = outer / "other"
    error = refused(moved, "ticket-edit", "TICKET-001", "--note", "x")
    assert (error["code"], error["exit"]) == ("SIDECAR_PATH_BUSY", 8)
    git(tmp_path, *hinted(error["hint"]))
    a_word(moved)
    assert not inner.exists()
    assert git(outer, "status", "--porcelain", "--untracked-files=all").splitlines() == [
        "M  .gitmodules",
        "R  libs/inner -> other",
    ]


def test_a_submodule_in_a_linked_worktree_of_its_superproject_is_a_clone_of_its_own(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    ok(inner, "init")
    git(outer, "worktree", "add", "-q", str(tmp_path / "linked"))
    git(tmp_path / "linked", "submodule", "--quiet", "update", "--init")
    second = tmp_path / "linked" / "libs" / "inner"
    ok(second, "init")
    assert ok(second, "status")["mount"] == str(second / ".exo")
    assert_clean(second)
    assert_clean(inner)


def test_a_submodule_with_settings_per_worktree_is_found_from_anywhere(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    git(inner, "sparse-checkout", "set", "src")  # moves core.worktree to config.worktree
    git(inner, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    a_day(tmp_path / "side", inner)
    assert ok(tmp_path / "side", "status")["mount"] == str(inner / ".exo")
    assert ok(outer / ".git" / "modules" / "libs" / "inner", "status")["mount"] == str(inner / ".exo")


def test_a_plain_repository_in_the_way_is_a_repository_of_its_own(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    ok(repository, "init")
    inside = a_repository(repository, "vendor")
    assert ok(inside, "status")["initialized"] is False
    ok(inside, "init")
    a_word(inside)
    assert ok(repository / "src", "status")["mount"] == str(repository / ".exo")


def test_a_relative_address_means_what_git_means_by_it(tmp_path: Path) -> None:
    outer, inner = nested(tmp_path)
    shutil.move(tmp_path / "inner", outer / "libs" / "hubs")
    git(inner, "remote", "set-url", "origin", "../hubs/hub.git")
    git(inner, "fetch", "-q")
    ok(inner, "init")
    assert git(outer / "libs" / "hubs" / "hub.git", "branch", "--list", "exo-governance") != ""
    commit_files(inner, {"new.txt": "new\n"})
    ok(inner, "session-start", "--ticket-id", "TICKET-001")
    assert ok(inner, "push")["pushed"] is True
