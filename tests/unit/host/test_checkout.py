"""The checkout is read through git, and left exactly as it was."""

import os
from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import checkout
from tests.support.repositories import a_repository, git, write_files


def test_head_is_a_branch_a_detached_commit_or_unborn(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    commit = git(repository, "rev-parse", "HEAD")
    assert checkout.head(locate(repository)) == (commit, "main")
    git(repository, "checkout", "-q", "--detach")
    assert checkout.head(locate(repository)) == (commit, None)
    assert checkout.head(locate(a_repository(tmp_path, "empty", {}))) == (None, "main")


def test_head_of_a_linked_worktree_is_its_own(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "-b", "side/branch", str(tmp_path / "side"))
    git(repository, "pack-refs", "--all")
    assert checkout.head(locate(tmp_path / "side")).branch == "side/branch"
    assert checkout.head(locate(tmp_path / "side")).commit == git(repository, "rev-parse", "main")


def test_every_way_of_being_uncommitted_is_found(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files={"a": "1", "b": "2", "old": "a long line to be recognised\n" * 5})
    write_files(repository, {"a": "changed", "folder/new ä\n.txt": "new", ".gitignore": "ignored\n", "ignored": "x"})
    git(repository, "rm", "-q", "b")
    git(repository, "mv", "old", "new")
    assert checkout.uncommitted(repository) == (".gitignore", "a", "b", "folder/new ä\n.txt", "new", "old")


def test_a_clean_checkout_has_nothing_uncommitted(tmp_path: Path) -> None:
    assert checkout.uncommitted(a_repository(tmp_path)) == ()


def test_looking_does_not_touch_the_index(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    index = repository / ".git" / "index"
    before = (index.read_bytes(), index.stat().st_mtime_ns)
    # A file whose times changed and whose content did not is what git status would refresh the index for.
    (repository / "README.md").touch()
    assert checkout.uncommitted(repository) == ()
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before


def test_contents_are_compared_by_digest_links_by_where_they_lead(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": "same", "b": "same", "c": "other"})
    for name, target in (("one", "a"), ("same", "a"), ("other", "b")):
        (tmp_path / name).symlink_to(target)
    found = checkout.contents(tmp_path, ("a", "b", "c", "one", "same", "other", "gone"))
    assert found["a"] == found["b"] != found["c"]
    assert found["one"] == found["same"] != found["other"]
    assert found["gone"] == ""


def test_a_very_large_file_is_told_by_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_CONTENT_MAX_BYTES", 3)
    write_files(tmp_path, {"small": "abc", "large": "abcd"})
    before = checkout.contents(tmp_path, ("small", "large"))
    os.utime(tmp_path / "large", ns=(1, 1))
    os.utime(tmp_path / "small", ns=(1, 1))
    after = checkout.contents(tmp_path, ("small", "large"))
    assert (before["small"] == after["small"], before["large"] == after["large"]) == (True, False)
