"""Idle: which of two histories goes on that came to the same files (docs/sync.md, "Convergence").

Between several hubs travel tips of one content and of different histories. If every two of them were merged, idle
clones could go on for ever: who carries an old tip of one hub to another makes a commit there, which the next one
merges with the younger tip of the first, and so on in a circle. So a tip gives way, without a commit, to one that
stands higher: that was merged more often since its files became what they are, or of equals has the higher id. A tip
stands higher than each of the same files that it goes on from, so an old tip never makes the commit that its own heirs
would have to meet; the highest is merged with what it meets, until every hub has it.

Only merges are left behind: a commit that brought events is in both histories, else both go on as parents.
"""

from typing import Final

from exo_sidecar.git import commits, graph
from exo_sidecar.git.objects import ObjectDamaged, ObjectMissing, Objects
from exo_sidecar.git.oid import Oid

COMMITS_MAX: Final = 1000
"""Merges without anything new that are looked at; beyond, two tips are merged like any others."""


def gives_way(objects: Objects, ours: Oid, theirs: Oid, merge_message: str) -> bool:
    """Whether a clone at `ours` goes on from `theirs`, which has the same tree, without a commit of both.

    `merge_message` is that of exo's merges. What can not be read speaks for a merge.
    """
    try:
        mine, other = _height(objects, ours), _height(objects, theirs)
        if mine is None or other is None or (mine, ours) > (other, theirs):
            return False
        left = graph.only_in(objects, ours, theirs)
        return len(left) <= COMMITS_MAX and all(
            _is_merge(objects, oid, merge_message) or graph.is_ancestor(objects, oid, theirs) for oid in left
        )
    except (ObjectMissing, ObjectDamaged):
        return False


def _is_merge(objects: Objects, oid: Oid, merge_message: str) -> bool:
    found = commits.read(objects, oid)
    return (found.committer, found.message) == (commits.AUTHOR, merge_message)


def _height(objects: Objects, tip: Oid) -> int | None:
    """Return the length of the longest line of commits down from `tip` that have its tree; None: beyond the limit."""
    root = commits.read(objects, tip).tree
    alike: dict[Oid, tuple[Oid, ...]] = {}
    heights: dict[Oid, int] = {}
    waiting = [tip]
    while waiting:
        oid = waiting[-1]
        if oid not in alike:
            parents = filter(objects.contains, commits.read(objects, oid).parents)
            alike[oid] = tuple(parent for parent in parents if commits.read(objects, parent).tree == root)
        fresh = [parent for parent in alike[oid] if parent not in heights]
        if fresh:
            waiting += fresh
        else:
            heights[oid] = 1 + max((heights[parent] for parent in alike[oid]), default=0)
            waiting.pop()
        if len(alike) > COMMITS_MAX:
            return None
    return heights[tip]
