"""Trees: read, compared, and rebuilt along the changed paths only, so that cost follows the change.

Paths are `/`-separated text. Bytes of a name that are no UTF-8 survive as surrogates. Nothing here writes: new tree
objects are returned, and whoever commits stores them.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from exo_sidecar.git.objects import ObjectDamaged, Objects, ObjectTooLarge, object_id
from exo_sidecar.git.oid import Oid

FILE_MODE: Final = 0o100644
TREE_MODE: Final = 0o40000
DEPTH_MAX: Final = 64
"""Deeper than any layout of ours: a folder below is named, never opened."""
FOLDERS_MAX: Final = 200_000
"""What one question opens; ends the walk of a tree made to exhaust its reader: few objects can stand for millions."""
TREE_BYTES_MAX: Final = 8 << 20
"""A folder of more than a hundred thousand names is none of ours."""
_OID_BYTES: Final = 20
_LINE: Final = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{20})", re.DOTALL)
_KEPT_MAX: Final = 64
"""Trees kept taken apart; more than one transaction touches, less than memory feels."""


class Entry(NamedTuple):
    """One line of a tree."""

    name: str
    mode: int
    oid: Oid

    @property
    def is_tree(self) -> bool:
        """Whether the entry is a folder."""
        return self.mode == TREE_MODE


class Change(NamedTuple):
    """A path whose entry differs; None on the side where it is absent."""

    path: str
    old: Entry | None
    new: Entry | None


class Spliced(NamedTuple):
    """The root of a changed tree, and the tree objects to store for it."""

    root: Oid
    trees: tuple[bytes, ...]


class _Node(NamedTuple):
    """Changes below one folder: leaves by name, deeper ones by folder."""

    leaves: dict[str, Oid | None]
    folders: dict[str, "_Node"]


def parse(data: bytes) -> tuple[Entry, ...]:
    """Return the entries of a tree object in their stored order; ObjectDamaged when it is none."""
    found = _LINE.findall(data)
    if sum(len(mode) + len(name) + 2 + _OID_BYTES for mode, name, _ in found) == len(data):
        return tuple(
            Entry(name.decode(errors="surrogateescape"), int(mode, 8), Oid(oid.hex())) for mode, name, oid in found
        )
    return _parsed_one_by_one(data)


def _parsed_one_by_one(data: bytes) -> tuple[Entry, ...]:
    """Return the entries of a tree that is not plain, or say where it is damaged; a third of the speed."""
    entries = []
    position = 0
    while position < len(data):
        space = data.find(b" ", position)
        end = data.find(b"\0", space)
        following = end + 1 + _OID_BYTES
        if space < 0 or end < 0 or following > len(data):
            message = "a tree object is cut short"
            raise ObjectDamaged(message)
        try:
            mode = int(data[position:space], 8)
        except ValueError as error:
            message = f"a tree object holds the mode {data[position:space]!r}"
            raise ObjectDamaged(message) from error
        name = data[space + 1 : end].decode(errors="surrogateescape")
        entries.append(Entry(name, mode, Oid(data[end + 1 : following].hex())))
        position = following
    return tuple(entries)


def serialise(entries: tuple[Entry, ...] | list[Entry]) -> bytes:
    """Return the tree object of `entries`, in the order that git demands whatever theirs is."""
    parts = []
    for entry in sorted(entries, key=_order):
        name = entry.name.encode(errors="surrogateescape")
        parts.append(b"%o %s\0%s" % (entry.mode, name, bytes.fromhex(entry.oid)))
    return b"".join(parts)


def read(objects: Objects, oid: Oid | None) -> tuple[Entry, ...]:
    """Return the entries of the tree `oid`, none for None."""
    if oid is None:
        return ()
    known = objects.trees.get(oid)
    if known is not None:
        return known
    found = objects.read(oid)
    if found.kind != "tree":
        message = f"object {oid} is a {found.kind}, where a tree is expected"
        raise ObjectDamaged(message, oid=oid)
    if len(found.data) > TREE_BYTES_MAX:
        message = f"tree {oid} is larger than {TREE_BYTES_MAX >> 20} MiB"
        raise ObjectTooLarge(message, oid=oid)
    if len(objects.trees) >= _KEPT_MAX:
        objects.trees.clear()
    return objects.trees.setdefault(oid, parse(found.data))


def entry_at(objects: Objects, root: Oid | None, path: str) -> Entry | None:
    """Return the entry at `path` below `root`, None when there is none."""
    *folders, name = path.split("/")
    current = root
    for folder in folders:
        found = _named(read(objects, current), folder)
        if found is None or not found.is_tree:
            return None
        current = found.oid
    return _named(read(objects, current), name)


def walk(objects: Objects, root: Oid | None, under: str = "") -> Iterator[tuple[str, Entry]]:
    """Yield path and entry of everything that is no folder, below `under`; a folder that is too deep as it stands.

    ObjectDamaged for a tree that is damaged, or made to exhaust its reader.
    """
    start = root
    if under:
        entry = entry_at(objects, root, under) if root else None
        if entry is None:
            return
        if not entry.is_tree:
            yield under, entry
            return
        start = entry.oid
    yield from _walk(objects, start, f"{under}/" if under else "", 0, itertools.count())


def diff(objects: Objects, old: Oid | None, new: Oid | None, under: str = "") -> Iterator[Change]:
    """Yield what differs between two trees below `under`; equal subtrees are never opened. ObjectDamaged as `walk`."""
    opened = itertools.count()
    if not under:
        yield from _diff(objects, old, new, "", opened)
        return
    before = entry_at(objects, old, under) if old else None
    after = entry_at(objects, new, under) if new else None
    yield from _diff_entries(objects, before, after, under, opened)


def splice(objects: Objects, root: Oid | None, changes: Mapping[str, Oid | None]) -> Spliced:
    """Return `root` with plain files set (an id) and removed (None); folders come and go with their files.

    Raises:
        ValueError: a path is malformed, or one is set as a file and as a folder at once.
    """
    node = _Node({}, {})
    for path, oid in changes.items():
        _plant(node, path, oid)
    trees: list[bytes] = []
    new_root = _splice(objects, root, node, trees)
    if new_root is None:
        trees.append(b"")
        new_root = object_id("tree", b"")
    return Spliced(new_root, tuple(trees))


def _named(entries: tuple[Entry, ...], name: str) -> Entry | None:
    return next((entry for entry in entries if entry.name == name), None)


def _order(entry: Entry) -> bytes:
    name = entry.name.encode(errors="surrogateescape")
    return name + b"/" if entry.is_tree else name


def _walk(
    objects: Objects, root: Oid | None, prefix: str, depth: int, opened: Iterator[int]
) -> Iterator[tuple[str, Entry]]:
    _check_count(prefix, opened)
    for entry in read(objects, root):
        if entry.is_tree and depth < DEPTH_MAX:
            yield from _walk(objects, entry.oid, f"{prefix}{entry.name}/", depth + 1, opened)
        else:
            yield prefix + entry.name, entry


def _diff(objects: Objects, old: Oid | None, new: Oid | None, prefix: str, opened: Iterator[int]) -> Iterator[Change]:
    if old == new:
        return
    _check_count(prefix, opened)
    before = {entry.name: entry for entry in read(objects, old)}
    after = {entry.name: entry for entry in read(objects, new)}
    for name in sorted(before.keys() | after.keys()):
        yield from _diff_entries(objects, before.get(name), after.get(name), prefix + name, opened)


def _diff_entries(
    objects: Objects,
    before: Entry | None,
    after: Entry | None,
    path: str,
    opened: Iterator[int],
) -> Iterator[Change]:
    if before is not None and after is not None and (before.mode, before.oid) == (after.mode, after.oid):
        return
    is_opened = path.count("/") < DEPTH_MAX
    old_file = before if before is not None and not (before.is_tree and is_opened) else None
    new_file = after if after is not None and not (after.is_tree and is_opened) else None
    if old_file or new_file:
        yield Change(path, old_file, new_file)
    old_tree = before.oid if before is not None and before.is_tree and is_opened else None
    new_tree = after.oid if after is not None and after.is_tree and is_opened else None
    yield from _diff(objects, old_tree, new_tree, f"{path}/", opened)


def _check_count(prefix: str, opened: Iterator[int]) -> None:
    if next(opened) >= FOLDERS_MAX:
        message = f"the tree has more than {FOLDERS_MAX} folders, at {prefix[:80]}"
        raise ObjectDamaged(message)


def _plant(node: _Node, path: str, oid: Oid | None) -> None:
    *folders, name = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in (*folders, name)) or len(folders) > DEPTH_MAX:
        message = f"{path!r} is no path inside of a tree"
        raise ValueError(message)
    for folder in folders:
        node = node.folders.setdefault(folder, _Node({}, {}))
    node.leaves[name] = oid


def _sets_a_file(node: _Node) -> bool:
    return any(node.leaves.values()) or any(_sets_a_file(deeper) for deeper in node.folders.values())


def _check_emptied(name: str, below: _Node) -> None:
    """A folder may become a file, but not while files are set in it."""
    if _sets_a_file(below):
        message = f"{name!r} is set as a file and as a folder at once"
        raise ValueError(message)


def _splice(objects: Objects, root: Oid | None, node: _Node, trees: list[bytes]) -> Oid | None:
    """Return the changed tree's id, None when nothing is left in it; new tree objects are added to `trees`."""
    old = read(objects, root)
    entries = {entry.name: entry for entry in old}
    for name, oid in node.leaves.items():
        if oid is not None:
            entries[name] = Entry(name, FILE_MODE, oid)
        elif name in entries and not entries[name].is_tree:
            del entries[name]
    for name, deeper in node.folders.items():
        if node.leaves.get(name) is not None:
            _check_emptied(name, deeper)
            continue
        present = entries.get(name)
        below = present.oid if present is not None and present.is_tree else None
        changed = _splice(objects, below, deeper, trees)
        if changed is not None:
            entries[name] = Entry(name, TREE_MODE, changed)
        elif present is not None and present.is_tree:
            del entries[name]
    if not entries:
        return None
    data = serialise(list(entries.values()))
    oid = object_id("tree", data)
    if oid != root:
        trees.append(data)
    return oid
