"""Objects: read from wherever they are, written so that nobody is blocked and nothing damaged is believed."""

import hashlib
import os
import sys
import zlib
from pathlib import Path

import pytest

from exo_sidecar.git import objects as object_room
from exo_sidecar.git.objects import ObjectDamaged, ObjectMissing, Objects, ObjectTooLarge, object_id
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from tests.support.process import Command, parallel
from tests.support.repositories import a_repository, git

WRITERS = 4


def _opened(tmp_path: Path) -> Objects:
    return Objects(a_repository(tmp_path) / ".git")


def _file(tmp_path: Path, oid: Oid) -> Path:
    return tmp_path / "repo" / ".git" / "objects" / oid[:2] / oid[2:]


def test_what_is_written_is_read_back_here_and_by_git(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    first, second, tree = store.write([("blob", b"one\n"), ("blob", b""), ("tree", b"")])
    assert store.read(first) == ("blob", b"one\n")
    assert store.read(second) == ("blob", b"")
    assert tree == EMPTY_TREE
    assert git(tmp_path / "repo", "cat-file", "blob", first) == "one"
    assert git(tmp_path / "repo", "hash-object", "--stdin", stdin="one\n") == first == object_id("blob", b"one\n")


def test_objects_that_git_wrote_loose_packed_or_borrowed_are_read(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    blob = Oid(git(tmp_path / "repo", "rev-parse", "HEAD:README.md"))
    commit = Oid(git(tmp_path / "repo", "rev-parse", "HEAD"))
    loose = store.read(blob)
    git(tmp_path / "repo", "gc", "-q", "--prune=now")
    assert not _file(tmp_path, blob).exists()
    git(tmp_path, "clone", "-q", "--shared", "repo", "borrower")
    borrowed = Objects(tmp_path / "borrower" / ".git")
    assert store.read(blob) == loose == borrowed.read(blob) == ("blob", b"# Example\n")
    assert store.read(commit).kind == borrowed.read(commit).kind == "commit"
    assert store.contains(blob)
    assert borrowed.contains(blob)
    store.close()
    borrowed.close()


def test_a_repack_between_two_reads_goes_unnoticed(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    git(tmp_path / "repo", "gc", "-q")
    blob = Oid(git(tmp_path / "repo", "rev-parse", "HEAD:README.md"))
    assert store.read(blob).data == b"# Example\n"
    fresh = store.write([("blob", b"fresh")])[0]
    git(tmp_path / "repo", "update-ref", "refs/tags/fresh", fresh)
    git(tmp_path / "repo", "repack", "-qadf")
    git(tmp_path / "repo", "prune-packed")
    assert store.read(fresh).data == b"fresh"
    assert store.contains(fresh)
    assert store.read(blob).data == b"# Example\n"
    store.close()


def test_an_object_that_is_nowhere_is_missing(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    absent = object_id("blob", b"never written")
    assert not store.contains(absent)
    with pytest.raises(ObjectMissing, match=absent):
        store.read(absent)


@pytest.mark.parametrize("damage", ["", "cut", "other", "garbage"])
def test_a_damaged_file_is_reported_and_never_read(tmp_path: Path, damage: str) -> None:
    store = _opened(tmp_path)
    oid, other = store.write([("blob", b"content " * 100), ("blob", b"other")])
    whole = _file(tmp_path, oid).read_bytes()
    contents = {"": b"", "cut": whole[:-8], "other": _file(tmp_path, other).read_bytes(), "garbage": b"garbage" * 9}
    _file(tmp_path, oid).chmod(0o644)
    _file(tmp_path, oid).write_bytes(contents[damage])
    with pytest.raises(ObjectDamaged, match=oid):
        store.read(oid)
    store.close()


def test_an_empty_file_left_by_a_power_cut_is_written_anew(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    oid = store.write([("blob", b"content")])[0]
    _file(tmp_path, oid).chmod(0o644)
    _file(tmp_path, oid).write_bytes(b"")
    store.write([("blob", b"content")])
    assert store.read(oid).data == b"content"


def test_a_damaged_file_does_not_hide_a_good_copy_in_a_pack(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    blob = Oid(git(tmp_path / "repo", "rev-parse", "HEAD:README.md"))
    git(tmp_path / "repo", "gc", "-q")
    _file(tmp_path, blob).parent.mkdir(exist_ok=True)
    _file(tmp_path, blob).write_bytes(b"")
    assert store.read(blob).data == b"# Example\n"
    store.close()


def test_an_object_that_inflates_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_room, "OBJECT_LIMIT_BYTES", 10_000)
    store = _opened(tmp_path)
    allowed, bomb = store.write([("blob", b"0" * 9_000), ("blob", b"0" * 1_000_000)])
    assert len(store.read(allowed).data) == 9_000
    with pytest.raises(ObjectTooLarge, match=bomb):
        store.read(bomb)


def test_a_loose_object_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    content = b"blub 3\0abc"
    oid = Oid(hashlib.sha1(content, usedforsecurity=False).hexdigest())
    _file(tmp_path, oid).parent.mkdir(exist_ok=True)
    _file(tmp_path, oid).write_bytes(zlib.compress(content))
    with pytest.raises(ObjectDamaged, match="header"):
        store.read(oid)


def test_writing_what_is_there_makes_it_young_and_writes_nothing(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    oid = store.write([("blob", b"again")])[0]
    before = _file(tmp_path, oid).stat()
    os.utime(_file(tmp_path, oid), (1, 1))
    store.write([("blob", b"again")])
    after = _file(tmp_path, oid).stat()
    assert after.st_ino == before.st_ino
    assert after.st_mtime > 1


def test_four_processes_writing_equal_content_do_not_meet(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    script = (
        "import sys, pathlib; from exo_sidecar.git.objects import Objects; store = Objects(pathlib.Path('.git'));"
        "print(len({oid for n in range(100) for oid in store.write([('blob', b'%d' % n)], durable=False)}))"
    )
    ran = parallel([Command(repository, (sys.executable, "-c", script))] * WRITERS)
    assert [(each.exit, each.out.strip()) for each in ran] == [(0, "100")] * WRITERS
    assert not list((repository / ".git" / "objects").glob("*/tmp_obj_*"))
    git(repository, "fsck", "--strict")


def test_writing_goes_on_while_git_prunes_the_folders_away(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    script = (
        "import pathlib; from exo_sidecar.git.objects import Objects; store = Objects(pathlib.Path('.git'));"
        "[store.write([('blob', b'%d' % n)], durable=n % 2 == 0) for n in range(300)]; print('done')"
    )
    prune = "for n in 1 2 3 4 5 6 7 8; do git prune --expire=now; find .git/objects -type d -empty -delete; done"
    ran = parallel(
        [Command(repository, (sys.executable, "-c", script))] * 2 + [Command(repository, ("sh", "-c", prune))]
    )
    assert [each.out.strip() for each in ran[:2]] == ["done", "done"], ran
    git(repository, "fsck", "--strict")
