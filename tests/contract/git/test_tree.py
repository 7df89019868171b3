"""Trees: parsing, walking, comparing and splicing; C git is asked in tests/compat."""

from pathlib import Path

import pytest

from exo_sidecar.git import tree
from exo_sidecar.git.objects import ObjectDamaged, Objects, ObjectTooLarge, object_id
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.repository import Repository, init
from exo_sidecar.git.tree import DEPTH_MAX, FILE_MODE, Change, Entry
from tests.support.plumbing import a_tree

FILES = {"a.txt": "1", "a/b.txt": "2", "a/c/d.txt": "3", "e/f.txt": "4"}


def _store(tmp_path: Path) -> Repository:
    return Repository(init(tmp_path / "repo", "main"))


def _paths(store: Objects, root: Oid, under: str = "") -> list[str]:
    return [path for path, _ in tree.walk(store, root, under)]


def test_a_walk_yields_every_file_with_its_full_path(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    root = a_tree(repository, None, FILES)
    assert _paths(repository.objects, root) == ["a.txt", "a/b.txt", "a/c/d.txt", "e/f.txt"]
    assert _paths(repository.objects, root, "a") == ["a/b.txt", "a/c/d.txt"]
    assert _paths(repository.objects, root, "a/b.txt") == ["a/b.txt"]
    assert _paths(repository.objects, root, "absent") == []


def test_an_entry_is_found_by_its_path(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    root = a_tree(repository, None, FILES)
    assert tree.entry_at(repository.objects, root, "a/c/d.txt") == Entry("d.txt", FILE_MODE, object_id("blob", b"3"))
    for absent in ("a/x", "a.txt/b", "x/y/z"):
        assert tree.entry_at(repository.objects, root, absent) is None
    assert tree.entry_at(repository.objects, None, "a") is None


def test_a_difference_names_added_removed_and_changed_files(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    old = a_tree(repository, None, FILES)
    new = a_tree(repository, old, {"a/b.txt": "changed", "e/f.txt": None, "g.txt": "new"})
    found = {item.path: item for item in tree.diff(repository.objects, old, new)}
    assert sorted(found) == ["a/b.txt", "e/f.txt", "g.txt"]
    assert found["e/f.txt"] == Change("e/f.txt", Entry("f.txt", FILE_MODE, object_id("blob", b"4")), None)
    assert found["g.txt"].old is None
    assert [item.path for item in tree.diff(repository.objects, old, new, "a")] == ["a/b.txt"]
    assert list(tree.diff(repository.objects, old, old)) == []
    assert len(list(tree.diff(repository.objects, None, old))) == len(FILES)


def test_a_file_that_becomes_a_folder_is_removed_and_its_files_are_added(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    old = a_tree(repository, None, {"x": "file"})
    new = a_tree(repository, old, {"x": None, "x/y": "below"})
    assert [(c.path, c.old is None, c.new is None) for c in tree.diff(repository.objects, old, new)] == [
        ("x", False, True),
        ("x/y", True, False),
    ]


def test_equal_folders_are_never_opened(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    old = a_tree(repository, None, FILES)
    new = a_tree(repository, old, {"e/f.txt": "changed"})
    same = tree.entry_at(repository.objects, old, "a")
    assert same is not None
    (repository.place.common / "objects" / same.oid[:2] / same.oid[2:]).unlink()
    assert [item.path for item in tree.diff(repository.objects, old, new)] == ["e/f.txt"]


def test_folders_vanish_with_their_last_file(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    root = a_tree(repository, None, FILES)
    assert a_tree(repository, root, dict.fromkeys(FILES)) == EMPTY_TREE
    assert repository.objects.read(EMPTY_TREE).data == b""
    kept = a_tree(repository, root, {"a/c/d.txt": None})
    assert tree.entry_at(repository.objects, kept, "a/c") is None


def test_a_splice_that_changes_nothing_has_nothing_to_store(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    root = a_tree(repository, None, FILES)
    spliced = tree.splice(repository.objects, root, {"a.txt": object_id("blob", b"1"), "absent/file": None})
    assert spliced == (root, ())


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/./b", "a\0b", "/".join("x" * (DEPTH_MAX + 2))])
def test_a_path_that_is_none_is_refused(tmp_path: Path, path: str) -> None:
    repository = _store(tmp_path)
    with pytest.raises(ValueError, match="no path"):
        tree.splice(repository.objects, None, {path: EMPTY_TREE})


def test_a_folder_becomes_a_file_when_its_files_go(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    root = a_tree(repository, None, FILES)
    changed = a_tree(repository, root, {"e/f.txt": None, "e": "file now"})
    assert _paths(repository.objects, changed) == ["a.txt", "a/b.txt", "a/c/d.txt", "e"]
    assert a_tree(repository, root, {"e": None}) == root


@pytest.mark.parametrize("order", [("a", "a/b"), ("a/b", "a")])
def test_a_path_cannot_be_set_as_file_and_folder_at_once(tmp_path: Path, order: tuple[str, str]) -> None:
    repository = _store(tmp_path)
    with pytest.raises(ValueError, match="at once"):
        tree.splice(repository.objects, None, dict.fromkeys(order, object_id("blob", b"")))


@pytest.mark.parametrize("data", [b"100644 a", b"100644 a\0short", b"x y\0" + b"0" * 20, b"100644"])
def test_bytes_that_are_no_tree_are_damage(data: bytes) -> None:
    with pytest.raises(ObjectDamaged):
        tree.parse(data)


def test_a_folder_that_is_too_deep_is_named_and_not_opened(tmp_path: Path) -> None:
    store = _store(tmp_path).objects
    oid = store.write([("blob", b"deep")])[0]
    mode = FILE_MODE
    for _ in range(DEPTH_MAX + 10):
        oid = store.write([("tree", tree.serialise([Entry("d", mode, oid)]))], durable=False)[0]
        mode = tree.TREE_MODE
    ((path, entry),) = tree.walk(store, oid)
    assert (path, entry.is_tree) == ("/".join("d" * (DEPTH_MAX + 1)), True)
    (change,) = tree.diff(store, None, oid)
    assert (change.path, change.old, change.new) == (path, None, entry)


@pytest.mark.parametrize("content", [b"leaf", None])
def test_a_tree_of_few_objects_that_stands_for_millions_ends_its_reader_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    monkeypatch.setattr(tree, "FOLDERS_MAX", 1000)
    store = _store(tmp_path).objects
    entries = [Entry("leaf", FILE_MODE, store.write([("blob", content)])[0])] if content else []
    for _ in range(10):
        oid = store.write([("tree", tree.serialise(entries))], durable=False)[0]
        entries = [Entry(f"d{number}", tree.TREE_MODE, oid) for number in range(10)]
    with pytest.raises(ObjectDamaged, match="more than 1000 folders"):
        list(tree.walk(store, oid))
    with pytest.raises(ObjectDamaged, match="more than 1000 folders"):
        list(tree.diff(store, None, oid))


def test_a_tree_of_more_names_than_any_of_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "TREE_BYTES_MAX", 1000)
    store = _store(tmp_path).objects
    blob = store.write([("blob", b"")])[0]
    names = [Entry(f"{number:04}", FILE_MODE, blob) for number in range(100)]
    oid = store.write([("tree", tree.serialise(names))])[0]
    with pytest.raises(ObjectTooLarge):
        list(tree.walk(store, oid))


def test_a_blob_where_a_tree_is_expected_is_damage(tmp_path: Path) -> None:
    store = _store(tmp_path).objects
    blob = store.write([("blob", b"no tree")])[0]
    with pytest.raises(ObjectDamaged, match="a tree is expected"):
        list(tree.walk(store, blob))
