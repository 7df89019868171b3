"""The commit graph: who is an ancestor of whom, and where two histories part.

Commit times are a hint for the order of the walk, never proof: clocks of clones differ. A commit whose object is not
here (shallow clones) counts as a root.
"""

import heapq
from typing import Final, NamedTuple

from exo_sidecar.git.objects import ObjectDamaged, ObjectMissing, Objects
from exo_sidecar.git.oid import Oid, is_oid
from exo_sidecar.model.errors import Environment

COMMITS_MAX: Final = 1_000_000
"""A walk longer than any governance branch; ends one that would take minutes."""

_FIRST: Final = 1
_SECOND: Final = 2
_STALE: Final = 4
_BOTH: Final = _FIRST | _SECOND


class HistoryTooLong(Environment):
    """A question about the commit graph was given up after `COMMITS_MAX` commits."""

    code = "HISTORY_TOO_LONG"


class _Node(NamedTuple):
    time: int
    parents: tuple[Oid, ...]


class _Graph:
    """Commits of one question, each read once."""

    def __init__(self, objects: Objects) -> None:
        self._objects: Final = objects
        self._nodes: Final[dict[Oid, _Node]] = {}

    def node(self, oid: Oid, *, required: bool = False) -> _Node:
        found = self._nodes.get(oid)
        if found is not None:
            return found
        if len(self._nodes) >= COMMITS_MAX:
            message = f"more than {COMMITS_MAX} commits lie between the two"
            raise HistoryTooLong(message)
        try:
            found = _parse(self._objects, oid)
        except ObjectMissing:
            if required:
                raise
            found = _Node(0, ())
        self._nodes[oid] = found
        return found


def is_ancestor(objects: Objects, older: Oid, newer: Oid) -> bool:
    """Whether `older` is `newer` or one of its ancestors; ObjectMissing when either is not here."""
    if older == newer:
        return True
    graph = _Graph(objects)
    graph.node(older, required=True)
    return bool(_paint(graph, older, newer, until=older)[older] & _SECOND)


def merge_bases(objects: Objects, first: Oid, second: Oid) -> tuple[Oid, ...]:
    """Return the best common ancestors, newest first; none for unrelated histories. ObjectMissing."""
    if first == second:
        return (first,)
    graph = _Graph(objects)
    painted = _paint(graph, first, second, until=None)
    found = [oid for oid, flags in painted.items() if flags & _BOTH == _BOTH and not flags & _STALE]
    best = [oid for oid in found if not any(other != oid and is_ancestor(objects, oid, other) for other in found)]
    return tuple(sorted(best, key=lambda oid: (-graph.node(oid).time, oid)))


def only_in(objects: Objects, one: Oid, other: Oid) -> tuple[Oid, ...]:
    """Return the commits of the history of `one` that `other` has not; cost follows the difference. ObjectMissing.

    Where commit times lie, some that both have may be among them; none is missing.
    """
    painted = _paint(_Graph(objects), one, other, until=None) if one != other else {}
    return tuple(oid for oid, flags in painted.items() if flags & _BOTH == _FIRST)


def roots(objects: Objects, tip: Oid) -> tuple[Oid, ...]:
    """Return the commits without parents that the history of `tip` began with, sorted; ObjectMissing."""
    graph = _Graph(objects)
    graph.node(tip, required=True)
    found = []
    reached = {tip}
    waiting = [tip]
    while waiting:
        oid = waiting.pop()
        parents = graph.node(oid).parents
        if not parents:
            found.append(oid)
        fresh = [parent for parent in parents if parent not in reached]
        reached.update(fresh)
        waiting += fresh
    return tuple(sorted(found))


def _paint(graph: _Graph, first: Oid, second: Oid, *, until: Oid | None) -> dict[Oid, int]:
    """Walk down from both, newest first, marking who reaches what; ends when only common history is left to walk.

    A commit that gets a new mark is walked again. An order that lies (skewed clocks) costs time and never hides a
    best common ancestor: the way to one leads through commits that are not common, and all of those are walked.
    With `until`, ends as soon as that commit is reached from `second`.
    """
    flags = {first: _FIRST, second: _SECOND}
    queue = [(-graph.node(oid, required=True).time, oid) for oid in flags]
    heapq.heapify(queue)
    waiting = dict.fromkeys(flags, None)
    fresh = len(queue)  # waiting commits that are not known to be common history
    while queue and fresh:
        _, oid = heapq.heappop(queue)
        if oid not in waiting:
            continue
        del waiting[oid]
        mark = flags[oid]
        fresh -= not mark & _STALE
        if oid == until and mark & _SECOND:
            break
        passed_on = mark | _STALE if mark & _BOTH == _BOTH else mark
        for parent in graph.node(oid).parents:
            before = flags.get(parent, 0)
            after = before | passed_on
            if after == before:
                continue
            flags[parent] = after
            if parent in waiting:
                fresh -= (not before & _STALE) and bool(after & _STALE)
            else:
                waiting[parent] = None
                fresh += not after & _STALE
                heapq.heappush(queue, (-graph.node(parent).time, parent))
    return flags


def _parse(objects: Objects, oid: Oid) -> _Node:
    """Read only what the walk needs: parents and commit time."""
    found = objects.read(oid)
    if found.kind != "commit":
        message = f"object {oid} is a {found.kind}, where a commit is expected"
        raise ObjectDamaged(message, oid=oid)
    parents = []
    time = 0
    for line in found.data.partition(b"\n\n")[0].split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"parent":
            text = value.decode("ascii", errors="replace")
            if not is_oid(text):
                message = f"commit {oid} names the parent {text[:60]!r}"
                raise ObjectDamaged(message, oid=oid)
            parents.append(Oid(text))
        elif key == b"committer":
            seconds = value.rpartition(b">")[2].split()[:1]
            time = int(seconds[0]) if seconds and seconds[0].isdigit() else 0
            break
    return _Node(time, tuple(parents))
