"""Which objects a server lacks: the difference in history, found without walking the whole of it.

Commits are visited newest first; what the server has spreads to its ancestors, and the walk ends when only such commits
are left. A clock that runs wrong costs a few objects sent twice, never one too few.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from exo_sidecar.git import commits, tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.objects import ObjectDamaged, ObjectMissing, Objects
from exo_sidecar.git.oid import Oid

SUBMODULE_MODE: Final = 0o160000


class _Walk(NamedTuple):
    """Commits to send, in the order found, with the parents of each."""

    found: dict[Oid, Commit]
    known: set[Oid]


def lacking(objects: Objects, tips: Iterable[Oid], advertised: Collection[Oid], near: Iterable[Oid]) -> list[Oid]:
    """Return the objects that make `tips` whole on a server that has all of `advertised`.

    `near` are those advertised commits that the tips most likely grew from; they are looked at first. Commits whose
    parents are not here (a shallow clone) count as roots.

    Raises:
        ObjectMissing: a tip, or something that a commit to be sent names, is not here.
    """
    walk = _commits(objects, list(tips), advertised, [oid for oid in near if _is_commit(objects, oid)])
    sending: dict[Oid, None] = {}
    for oid, commit in reversed(walk.found.items()):
        sending[oid] = None
        bases = [base for parent in commit.parents if (base := _tree_of(objects, parent, walk)) is not None]
        for added in _added(objects, commit.tree, bases, sending):
            sending[added] = None
    return list(sending)


def _commits(objects: Objects, tips: list[Oid], advertised: Collection[Oid], near: list[Oid]) -> _Walk:
    """Visit commits newest first until only such are left that the server has."""
    server = frozenset(advertised)
    walk = _Walk({}, set(near))
    queue = _Queue(objects)
    for oid in near:
        queue.add(oid, needed=False)
    for oid in tips:
        if oid not in server:
            queue.add(oid, needed=True)
    while any(oid not in walk.known and oid not in server for oid in queue.waiting):
        oid, commit = queue.take()
        if oid in walk.known or oid in server:
            _spread(walk, oid, commit)
            walk.known.update(commit.parents)
        else:
            walk.found[oid] = commit
        for parent in commit.parents:
            queue.add(parent, needed=False)
    return walk


class _Queue:
    """Commits to look at, the newest first, each once."""

    def __init__(self, objects: Objects) -> None:
        self.waiting: dict[Oid, Commit] = {}
        self._objects = objects
        self._heap: list[tuple[int, Oid]] = []
        self._seen: set[Oid] = set()

    def add(self, oid: Oid, *, needed: bool) -> None:
        """Look at `oid` later, once; one that is not here is passed over unless it is needed."""
        if oid in self._seen:
            return
        try:
            commit = commits.read(self._objects, oid)
        except ObjectMissing:
            if needed:
                raise
            return
        self._seen.add(oid)
        self.waiting[oid] = commit
        heapq.heappush(self._heap, (-commit.commit_time, oid))

    def take(self) -> tuple[Oid, Commit]:
        """Return the newest commit and forget it."""
        oid = heapq.heappop(self._heap)[1]
        return oid, self.waiting.pop(oid)


def _spread(walk: _Walk, oid: Oid, commit: Commit) -> None:
    """Take back what was found before it turned out that the server has a descendant of it."""
    walk.known.add(oid)
    doubtful = [parent for parent in commit.parents if parent in walk.found]
    while doubtful:
        taken = doubtful.pop()
        gone = walk.found.pop(taken, None)
        if gone is not None:
            walk.known.add(taken)
            walk.known.update(gone.parents)
            doubtful += [parent for parent in gone.parents if parent in walk.found]


def _is_commit(objects: Objects, oid: Oid) -> bool:
    """Whether `oid` is here and a commit: a ref may show anything."""
    try:
        return objects.read(oid).kind == "commit"
    except ObjectMissing:
        return False


def _tree_of(objects: Objects, oid: Oid, walk: _Walk) -> Oid | None:
    found = walk.found.get(oid)
    if found is not None:
        return found.tree
    try:
        return commits.read(objects, oid).tree
    except ObjectMissing:
        return None


def _added(objects: Objects, root: Oid, bases: Sequence[Oid], sending: Collection[Oid]) -> Iterator[Oid]:
    """Yield the tree `root` and what is below it, but what stands at the same place in one of `bases`.

    Folder by folder and without recursion: a tree that came from somebody else may be of any depth and width.
    """
    waiting = [(root, tuple(bases))]
    met: set[Oid] = set()
    while waiting:
        folder, same = waiting.pop()
        if folder in same or folder in sending or folder in met:
            continue
        met.add(folder)
        yield folder
        before = [{entry.name: entry for entry in _entries(objects, base)} for base in same]
        for entry in _entries(objects, folder):
            here = [found for entries in before if (found := entries.get(entry.name)) is not None]
            if entry.mode == SUBMODULE_MODE or any(found.oid == entry.oid for found in here):
                continue
            if entry.is_tree:
                waiting.append((entry.oid, tuple(found.oid for found in here if found.is_tree)))
            elif entry.oid not in sending:
                yield entry.oid


def _entries(objects: Objects, oid: Oid) -> tuple[tree.Entry, ...]:
    """Return the entries of a tree, however many: what is in history is sent, whoever made it."""
    found = objects.read(oid)
    if found.kind != "tree":
        message = f"object {oid} is a {found.kind}, where a tree is expected"
        raise ObjectDamaged(message, oid=oid)
    return tree.parse(found.data) if len(found.data) > tree.TREE_BYTES_MAX else tree.read(objects, oid)
