"""Checking the branch out: only plain files with plain names, whatever the application's settings are."""

from pathlib import Path

import pytest

from exo_sidecar.git import checkout, tree
from exo_sidecar.git.checkout import TreeRefused
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.git.tree import FILE_MODE, Entry
from tests.support.plumbing import a_tree, mounted
from tests.support.repositories import a_repository, git


def _materialise(repository: Repository, root: Oid, mount: Path) -> int:
    return checkout.materialise(repository.objects, root, mount, repository.mount_git_dir)


def test_equal_files_are_left_and_others_are_written(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    before = (mount / "index.md").stat()
    (mount / "own.txt").write_text("not in the tree")
    files = {"index.md": "# Index\n", "tickets/0a/TICKET-001.yml": "changed\n", "new/file.md": "new\n"}
    assert _materialise(repository, a_tree(repository, None, files), mount) == 2
    assert (mount / "index.md").stat().st_mtime_ns == before.st_mtime_ns
    assert (mount / "new" / "file.md").read_text() == "new\n"
    assert (mount / "own.txt").exists()


def test_the_applications_line_ends_and_filters_do_not_apply(tmp_path: Path) -> None:
    start = a_repository(tmp_path)
    git(start, "config", "core.autocrlf", "true")
    git(start, "config", "core.attributesFile", str(tmp_path / "attributes"))
    (tmp_path / "attributes").write_text("* filter=broken text ident\n")
    git(start, "config", "filter.broken.clean", "false")
    git(start, "config", "filter.broken.required", "true")
    _, mount = mounted(start)
    assert (mount / "tickets/0a/TICKET-001.yml").read_bytes() == b"id: TICKET-001\n"
    (mount / "index.md").touch()
    assert git(mount, "status", "--porcelain") == ""


def test_sparse_checkout_in_the_application_does_not_reach_the_mount(tmp_path: Path) -> None:
    start = a_repository(tmp_path)
    git(start, "sparse-checkout", "set", "src")
    _, mount = mounted(start)
    assert (mount / "tickets/0a/TICKET-001.yml").exists()
    assert git(mount, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["-x", ".git", ".GIT", "a b", "a\\b", "ünï", "a\nb", ".hidden", "..", "x" + "\u200c"])
def test_a_name_outside_of_the_allowed_ones_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    blob = repository.objects.write([("blob", b"x")])[0]
    data = tree.serialise([Entry(name, FILE_MODE, blob), Entry("a-first", FILE_MODE, blob)])
    root = repository.objects.write([("tree", data)])[0]
    with pytest.raises(TreeRefused, match="refused"):
        _materialise(repository, root, mount)
    assert not (mount / "a-first").exists()


@pytest.mark.parametrize("mode", [0o100755, 0o120000, 0o160000, 0o100600])
def test_links_programs_and_submodules_are_refused(tmp_path: Path, mode: int) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    blob = repository.objects.write([("blob", b"/etc/passwd")])[0]
    root = repository.objects.write([("tree", tree.serialise([Entry("x", mode, blob)]))])[0]
    with pytest.raises(TreeRefused, match="mode"):
        _materialise(repository, root, mount)
    assert not (mount / "x").is_symlink()


def test_names_that_differ_in_capitals_only_are_refused(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    with pytest.raises(TreeRefused, match="capitals"):
        _materialise(repository, a_tree(repository, None, {"A.md": "1", "a.md": "2"}), mount)


def test_a_link_planted_in_the_mount_is_not_followed(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    (tmp_path / "outside").mkdir()
    (mount / "new").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="new"):
        _materialise(repository, a_tree(repository, None, {"new/file.md": "x"}), mount)
    assert not (tmp_path / "outside" / "file.md").exists()


def test_a_planted_link_in_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    (tmp_path / "outside.md").write_text("mine")
    (mount / "new.md").symlink_to(tmp_path / "outside.md")
    assert _materialise(repository, a_tree(repository, None, {"new.md": "x"}), mount) == 1
    assert (tmp_path / "outside.md").read_text() == "mine"
    assert not (mount / "new.md").is_symlink()
