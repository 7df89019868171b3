"""The index: patched in place to what git would have made of it."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from exo_sidecar.git import checkout, commits, index
from exo_sidecar.git.index import IndexUnusable, Staged, is_unchanged
from exo_sidecar.git.lockfile import LockBusy, lock_of
from exo_sidecar.git.objects import object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from tests.support.plumbing import REF, a_tree, mounted
from tests.support.repositories import a_repository, git

EMPTY = object_id("blob", b"")
LONG = "/".join(["folder-with-a-long-name"] * 12) + "/file.md"


def _staged(path: Path) -> Staged:
    return Staged(object_id("blob", path.read_bytes()), path.lstat())


def _patch(repository: Repository, changes: dict[str, Staged | None]) -> None:
    index.patch(repository.mount_git_dir / "index", changes, repository.mount_git_dir / "proof.tmp")


def _root(repository: Repository) -> Oid:
    tip = repository.refs.read(REF)
    assert tip is not None
    return commits.read(repository.objects, tip).tree


def test_entries_are_added_replaced_and_removed(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    names = ["index.md", "index.md2", "index", "tickets/0a/TICKET-000.yml", "zz.md", LONG]
    changes: dict[str, Staged | None] = {".gitattributes": None, "never.there": None}
    for name in names:
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(f"new {name}")
        changes[name] = _staged(mount / name)
    (mount / ".gitattributes").unlink()
    _patch(repository, changes)
    listed = git(mount, "ls-files").split("\n")
    assert listed == sorted([*names, "tickets/0a/TICKET-001.yml"], key=os.fsencode)
    assert git(mount, "diff-files") == ""
    assert git(mount, "ls-files", "-s", "zz.md").split()[1] == object_id("blob", b"new zz.md")


def test_what_is_read_is_what_git_lists(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    path = repository.mount_git_dir / "index"
    found = index.read(path)
    lines = git(mount, "ls-files", "-s").split("\n")
    assert lines == [f"{entry.mode:o} {entry.oid} 0\t{name}" for name, entry in found.items()]
    wanted = ["index.md", "absent"]
    assert index.read_some(path, wanted) == {"index.md": found["index.md"]}
    assert is_unchanged(found["index.md"], (mount / "index.md").lstat())
    (mount / "index.md").write_text("# Other content\n")
    assert not is_unchanged(found["index.md"], (mount / "index.md").lstat())
    assert index.read(tmp_path / "absent") == {}


def test_an_index_that_git_refreshed_and_extended_is_patched(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    git(mount, "update-index", "--untracked-cache")
    git(mount, "read-tree", "HEAD")
    assert b"TREE" in (repository.mount_git_dir / "index").read_bytes()
    (mount / "index.md").write_text("changed")
    _patch(repository, {"index.md": _staged(mount / "index.md")})
    assert b"TREE" not in (repository.mount_git_dir / "index").read_bytes()
    assert git(mount, "diff", "--cached", "--name-only") == "index.md"


def test_names_of_every_length_keep_their_alignment(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    file = mount / "a"
    file.write_text("")
    names = ["n" * length for length in range(1, 20)] + ["m" * 5000]
    _patch(repository, {name: Staged(EMPTY, file.lstat()) for name in names})
    _patch(repository, {name: None for name in names if len(name) % 2})
    listed = git(mount, "ls-files", "n*", "m*").split("\n")
    assert sorted(listed) == sorted(name for name in names if len(name) % 2 == 0)


def test_a_busy_lock_changes_nothing(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    path = repository.mount_git_dir / "index"
    before = path.read_bytes()
    lock_of(path).touch()
    with pytest.raises(LockBusy):
        _patch(repository, {"index.md": None})
    lock_of(path).unlink()
    assert path.read_bytes() == before
    assert git(mount, "status", "--porcelain") == ""


@pytest.mark.parametrize("form", ["version 4", "split", "damaged", "zeros", "short", "merging", "absent"])
def test_an_index_of_another_form_is_refused_by_patch_and_built_anew_by_checkout(tmp_path: Path, form: str) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    path = repository.mount_git_dir / "index"
    match form:
        case "version 4":
            git(mount, "update-index", "--index-version", "4")
        case "split":
            git(mount, "update-index", "--split-index")
        case "damaged":
            path.write_bytes(path.read_bytes()[:-30] + b"x" * 30)
        case "zeros":
            path.write_bytes(path.read_bytes()[:-30] + bytes(30))
        case "short":
            path.write_bytes(b"DIRC")
        case "merging":
            info = f"0 {'0' * 40} 0\tindex.md\n100644 {EMPTY} 1\tindex.md\n100644 {EMPTY} 2\tindex.md\n"
            git(mount, "update-index", "--index-info", stdin=info)
        case _:
            path.unlink()
    if form != "absent":
        with pytest.raises(IndexUnusable):
            _patch(repository, {"index.md": None})
    proof = repository.mount_git_dir / "proof.tmp"
    changes = {"index.md": _staged(mount / "index.md")}
    checkout.update_index(repository.objects, _root(repository), mount, changes, proof)
    assert git(mount, "status", "--porcelain") == ""
    assert not proof.exists()


def test_an_index_built_anew_shows_edited_and_missing_files_as_such(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path))
    (mount / "index.md").write_text("# Edited")
    (mount / ".gitattributes").unlink()
    proof = repository.mount_git_dir / "proof.tmp"
    checkout.rebuild_index(repository.objects, _root(repository), mount, proof)
    assert git(mount, "status", "--porcelain").split("\n") == [" D .gitattributes", " M index.md"]


def test_random_patches_agree_with_the_tree_they_follow(tmp_path: Path) -> None:
    repository, mount = mounted(a_repository(tmp_path), {"keep.md": "x"})
    root: Oid | None = _root(repository)
    for step in range(12):
        changes: dict[str, str | None] = {}
        staged: dict[str, Staged | None] = {}
        for number in range(7):
            name = f"f{(step * 5 + number * 3) % 4}/{(step * number) % 9}.md"
            text = None if (step + number) % 3 == 0 else f"{step} {number}"
            changes[name] = text
            blob = None if text is None else repository.objects.write([("blob", text.encode())])[0]
            staged[name] = None if blob is None else Staged(blob, None)
        root = a_tree(repository, root, changes)
        _patch(repository, staged)
        assert git(mount, "write-tree") == root


def test_patching_ten_thousand_entries_takes_milliseconds(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    path, proof = tmp_path / "index", tmp_path / "proof.tmp"
    entry = Staged(EMPTY, file.lstat())
    index.build(path, ((f"tickets/{n % 256:02x}/TICKET-{n:05d}.yml", entry) for n in range(10_000)), proof)
    best = float("inf")
    for number in range(8):
        started = time.perf_counter()
        index.patch(path, {"tickets/00/TICKET-00000.yml": entry, f"tickets/7f/NEW-{number}.yml": entry}, proof)
        best = min(best, time.perf_counter() - started)
    assert best < 0.05  # 5 ms when nothing else runs
    repository = a_repository(tmp_path)
    listed = subprocess.run(
        ["git", "ls-files"],
        cwd=repository,
        env={**os.environ, "GIT_INDEX_FILE": str(path)},
        capture_output=True,
        check=True,
    )
    assert len(listed.stdout.splitlines()) == 10_008
