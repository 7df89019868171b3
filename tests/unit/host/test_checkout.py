"""The checkout is read through git, and left exactly as it was."""

from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import checkout
from exo_sidecar.host.checkout import CheckoutUnreadable
from tests.support.repositories import a_repository, commit_files, git, write_files


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


def test_changes_and_commits_since_a_base(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    base = git(repository, "rev-parse", "HEAD")
    first = commit_files(repository, {"src/app.py": "2"})
    second = commit_files(repository, {"src/more.py": "3"})
    write_files(repository, {"untracked": "4"})
    assert checkout.changed_since(repository, base) == ("src/app.py", "src/more.py", "untracked")
    assert checkout.commits_since(repository, base) == (second, first)
    assert checkout.commits_since(repository, base, 1) == (second,)
    assert len(checkout.commits_since(repository, None)) == 3


def test_a_base_that_is_no_commit_is_refused(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    with pytest.raises(CheckoutUnreadable, match="not a commit id"):
        checkout.commits_since(repository, "--all")
    with pytest.raises(CheckoutUnreadable, match="git rev-list failed"):
        checkout.commits_since(repository, "1" * 40)


def test_contents_are_compared_by_digest_and_links_have_none(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": "same", "b": "same", "c": "other"})
    (tmp_path / "link").symlink_to("a")
    found = checkout.contents(tmp_path, ("a", "b", "c", "link", "gone"))
    assert found["a"] == found["b"] != found["c"]
    assert found["link"] == found["gone"] == ""
