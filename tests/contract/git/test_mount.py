"""The mount in every layout; C git, moves, copies and people in a hurry do it no harm."""

import shutil
from pathlib import Path

import pytest

from exo_sidecar.git import checkout, commits, mount
from exo_sidecar.git.locate import default_mount, locate, mount_of
from exo_sidecar.git.mount import SidecarBranchBusy, SidecarPathBusy
from exo_sidecar.git.repository import Repository
from tests.support.plumbing import BRANCH, FIRST_FILES, REF, change, mounted
from tests.support.repositories import a_repository, commit_files, git

NO_FILES: dict[str, str] = {}


def _is_sound(path: Path) -> bool:
    """Whether C git finds nothing to say about the mount."""
    return git(path, "status", "--porcelain") == "" and "error" not in git(path, "fsck", "--strict")


def test_a_fresh_repository_without_a_commit_can_be_mounted(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files=NO_FILES)
    _, path = mounted(repository)
    assert path == repository / ".exo"
    assert _is_sound(path)
    assert f"[{BRANCH}]" in git(repository, "worktree", "list")
    assert git(repository, "status", "--porcelain") == ""


def test_a_mount_of_an_unborn_branch_is_an_empty_worktree(tmp_path: Path) -> None:
    place = locate(a_repository(tmp_path, files=NO_FILES))
    mount.create(place, BRANCH, default_mount(place))
    assert git(tmp_path / "repo" / ".exo", "status", "--porcelain") == ""
    assert git(tmp_path / "repo" / ".exo", "symbolic-ref", "HEAD") == REF


def test_a_bare_repository_can_be_mounted(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "hub.git")
    _, path = mounted(tmp_path / "hub.git")
    assert path == tmp_path / ".exo"
    assert _is_sound(path)
    assert str(path) in git(tmp_path / "hub.git", "worktree", "list")


def test_a_submodule_can_be_mounted(tmp_path: Path) -> None:
    inner, outer = a_repository(tmp_path, "inner"), a_repository(tmp_path, "outer")
    git(outer, "submodule", "--quiet", "add", str(inner), "sub")
    git(outer, "commit", "-qam", "add sub")
    _, path = mounted(outer / "sub")
    assert path == outer / "sub" / ".exo"
    assert _is_sound(path)
    assert git(outer / "sub", "status", "--porcelain") == git(outer, "status", "--porcelain") == ""


def test_from_a_linked_worktree_the_mount_goes_beside_the_main_one(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "../linked")
    _, path = mounted(tmp_path / "linked" / "src")
    assert path == repository / ".exo"
    assert mount_of(locate(tmp_path / "linked").common) == path
    assert _is_sound(path)


def test_add_all_and_clean_in_the_application_leave_the_mount_alone(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    _, path = mounted(repository)
    git(repository, "add", "-A")
    git(repository, "clean", "-qfdx")
    assert git(repository, "diff", "--cached", "--name-only") == ""
    assert _is_sound(path)


def test_a_deleted_mount_is_made_again(tmp_path: Path) -> None:
    start = a_repository(tmp_path)
    repository, path = mounted(start)
    shutil.rmtree(path)
    found = mount.state(repository.place.common)
    assert found is not None
    assert (found.path, found.folder_present, found.branch) == (path, False, BRANCH)
    mount.create(repository.place, BRANCH, path)
    tip = repository.refs.read(REF)
    assert tip is not None
    root = commits.read(repository.objects, tip).tree
    assert checkout.materialise(repository.objects, root, path, repository.mount_git_dir) == len(FIRST_FILES)
    assert _is_sound(path)


def test_creating_twice_changes_nothing(tmp_path: Path) -> None:
    repository, path = mounted(a_repository(tmp_path))
    before = {file: file.stat().st_mtime_ns for file in (*repository.mount_git_dir.iterdir(), path / ".git")}
    mount.create(repository.place, BRANCH, path)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    exclude = (repository.place.common / "info" / "exclude").read_text()
    assert exclude.splitlines().count("/.exo") == 1


def test_a_commit_by_hand_in_the_mount_is_an_ordinary_commit(tmp_path: Path) -> None:
    repository, path = mounted(a_repository(tmp_path))
    commit_files(path, {"note.md": "by hand\n"}, "by hand")
    change(repository, path, {"index.md": "# Changed\n"})
    assert git(path, "log", "--format=%s") == "change\nby hand\nchange"
    assert git(path, "show", "HEAD:note.md") == "by hand"
    assert _is_sound(path)


def test_a_moved_repository_keeps_working_and_the_back_link_is_renewed(tmp_path: Path) -> None:
    mounted(a_repository(tmp_path))
    moved = (tmp_path / "repo").rename(tmp_path / "moved")
    common = moved / ".git"
    assert mount_of(common) == moved / ".exo"
    stale = mount.state(common)
    assert stale is not None
    assert (stale.folder_present, stale.link_current) == (True, False)
    mount.relink(common, moved / ".exo")
    current = mount.state(common)
    assert current is not None
    assert current.link_current
    assert str(moved / ".exo") in git(moved, "worktree", "list")
    assert _is_sound(moved / ".exo")


def test_a_copy_of_the_repository_has_a_mount_of_its_own(tmp_path: Path) -> None:
    original, path = mounted(a_repository(tmp_path))
    shutil.copytree(tmp_path / "repo", tmp_path / "copy")
    copy = Repository(locate(tmp_path / "copy"))
    assert mount_of(copy.place.common) == tmp_path / "copy" / ".exo"
    mount.relink(copy.place.common, tmp_path / "copy" / ".exo")
    tip = original.refs.read(REF)
    change(copy, tmp_path / "copy" / ".exo", {"index.md": "# Copy\n"})
    git(tmp_path / "copy" / ".exo", "update-index", "-q", "--refresh")
    assert original.refs.read(REF) == tip != copy.refs.read(REF)
    assert _is_sound(path)
    assert _is_sound(tmp_path / "copy" / ".exo")


def test_git_takes_neither_the_branch_nor_the_mount_away(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    _, path = mounted(repository)
    git(repository, "worktree", "prune", "--expire=now")
    for args in (("worktree", "remove", ".exo"), ("branch", "-D", BRANCH), ("checkout", BRANCH)):
        with pytest.raises(AssertionError):
            git(repository, *args)
    assert _is_sound(path)


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    place = locate(a_repository(tmp_path))
    (tmp_path / "repo" / ".exo").mkdir()
    (tmp_path / "repo" / ".exo" / "mine.txt").write_text("keep me")
    with pytest.raises(SidecarPathBusy, match=r"not empty"):
        mount.create(place, BRANCH, default_mount(place))
    assert not (place.common / "worktrees").exists()


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (a_repository(tmp_path) / ".exo").mkdir()
    assert _is_sound(mounted(tmp_path / "repo")[1])


def test_a_link_in_place_of_the_mount_is_refused(tmp_path: Path) -> None:
    place = locate(a_repository(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    default_mount(place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SidecarPathBusy, match="not a folder"):
        mount.create(place, BRANCH, default_mount(place))


def test_another_repositorys_mount_is_refused(tmp_path: Path) -> None:
    for name in ("a.git", "b.git"):
        git(tmp_path, "init", "-q", "--bare", name)
    mounted(tmp_path / "a.git")
    place = locate(tmp_path / "b.git")
    with pytest.raises(SidecarPathBusy):
        mount.create(place, BRANCH, default_mount(place))


def test_a_users_worktree_named_exo_is_refused_and_is_not_the_mount(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "../exo")
    place = locate(tmp_path / "exo")
    assert not place.in_mount
    assert mount_of(place.common) is None
    with pytest.raises(SidecarPathBusy, match="named exo"):
        mount.create(place, BRANCH, default_mount(place))


def test_a_second_mount_elsewhere_is_refused(tmp_path: Path) -> None:
    repository, _ = mounted(a_repository(tmp_path))
    with pytest.raises(SidecarPathBusy, match="already mounted"):
        mount.create(repository.place, BRANCH, tmp_path / "other")


def test_a_branch_that_another_worktree_has_checked_out_is_refused(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "-b", BRANCH, "../other")
    place = locate(repository)
    with pytest.raises(SidecarBranchBusy, match=BRANCH):
        mount.create(place, BRANCH, default_mount(place))


def test_a_merge_in_the_mount_is_noticed_until_it_ends(tmp_path: Path) -> None:
    repository, path = mounted(a_repository(tmp_path))
    common = repository.place.common
    assert mount.is_busy(common) is None
    git(path, "branch", "side")
    commit_files(path, {"index.md": "ours\n"}, "ours")
    git(path, "checkout", "-q", "side")
    commit_files(path, {"index.md": "theirs\n"}, "theirs")
    git(path, "checkout", "-q", BRANCH)
    with pytest.raises(AssertionError):
        git(path, "merge", "side")
    assert mount.is_busy(common) == "merge"
    git(path, "merge", "--abort")
    assert mount.is_busy(common) is None


def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    repository, path = mounted(a_repository(tmp_path))
    git(path, "checkout", "-q", "--detach")
    found = mount.state(repository.place.common)
    assert found is not None
    assert found.branch == ""
