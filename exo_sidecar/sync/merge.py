"""Merge: a fetched tip into the branch, by union and fold (docs/sync.md). It writes no event and asks nobody.

The commit is a function of its parents: sorted by id, a fixed author, the date of the later parent, a fixed message; so
clones that merge the same two tips make the same commit.
"""

import itertools
from typing import Final, NamedTuple

from exo_sidecar.git import commits, graph, tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.store import canon, publish, refresh
from exo_sidecar.store.index import Index
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.store import RefMoved, Store
from exo_sidecar.sync import verified
from exo_sidecar.sync.verified import Vector

MESSAGE: Final = "exo: merge\n"
LEFT_OUT_MAX: Final = 100
"""More names than this help nobody."""


class Merged(NamedTuple):
    """What a merge did."""

    tip: Oid | None
    merged: bool
    """Whether the branch moved."""
    events: int
    """Events that came with it."""
    left_out: tuple[str, ...] = ()
    """Files of the fetched tree that do not follow from the events, by path: they were not taken over."""


def merge(store: Store, remote: str, theirs: Oid, progress: Progress, *, known: Vector | None = None) -> Merged:
    """Bring the fetched tip into the branch; the clone's lock must be held, and the local tip be exo's own.

    `known` is what was verified from the remote before the tip was asked for (None: what is so now). Another process of
    this clone may have fetched and merged a younger tip meanwhile; against that, ours would seem to have lost events.

    Raises:
        SyncRefused, FormatTooNew: nothing was changed.
        Moved: somebody moved the branch; try again.
    """
    governed = store.governed
    objects = governed.repository.objects
    tip = governed.tip()
    if tip is not None and tip != publish.recorded_tip(governed):
        message = f"somebody committed to {governed.branch} by hand meanwhile"
        raise RefMoved(message, hint="exo sync takes it in")
    with store.writing() as index:
        refresh.to_tip(index, objects, tip, progress)
        before = _count(index)
        own = _own_chain(store, index)
        ours, their_tree = governed.tree_of(tip), governed.tree_of(theirs)
        stored = verified.read(governed.folder, remote)
        verified.check(objects, stored if known is None else known, ours, their_tree)
        if tip is not None and (tip == theirs or graph.is_ancestor(objects, theirs, tip)):
            vector = verified.of_tree(index, objects, ours, their_tree)
            target: Oid | None = tip
        else:
            root = canon.canonical(index, objects, ours, their_tree, progress).root
            vector = verified.of_tree(index, objects, root, their_tree)
            if own != _own_chain(store, index):
                store.renew_clone_id()  # before the branch moves: a kill in between must not forget the twin
            target = _move(store, tip, theirs, root)
            index.set_tip(target)
        verified.write(governed.folder, remote, verified.joined(stored, vector))
        left_out = _left_out(store, theirs, target) if target not in {tip, theirs} else ()
        return Merged(target, target != tip, _count(index) - before, left_out)


def _left_out(store: Store, theirs: Oid, target: Oid | None) -> tuple[str, ...]:
    """Return the files that the fetched tree has and the merged one has not."""
    governed = store.governed
    changes = tree.diff(governed.repository.objects, governed.tree_of(theirs), governed.tree_of(target))
    return tuple(itertools.islice((change.path for change in changes if change.new is None), LEFT_OUT_MAX))


def _move(store: Store, tip: Oid | None, theirs: Oid, root: Oid | None) -> Oid:
    """Move the branch to the commit that holds the tree `root`: theirs when it does, else one of ours."""
    governed = store.governed
    objects = governed.repository.objects
    continues = tip is None or graph.is_ancestor(objects, tip, theirs)
    if continues and root == governed.tree_of(theirs):
        return publish.move(governed, tip, theirs, {})
    parents = (theirs,) if continues or tip is None else tuple(sorted((tip, theirs)))
    planned = publish.plan(governed, root, {}, _commit(store, parents))
    return publish.publish(governed, tip, planned, {})


def _commit(store: Store, parents: tuple[Oid, ...]) -> Commit:
    objects = store.governed.repository.objects
    seconds = max(commits.read(objects, parent).commit_time for parent in parents)
    return Commit(EMPTY_TREE, parents, publish.AUTHOR, seconds, publish.AUTHOR, seconds, MESSAGE)


def _own_chain(store: Store, index: Index) -> list[tuple[str, int]]:
    """Return this clone's chain and its forks: a merge that changes them has met a twin of the same id."""
    own = store.clone_id()
    return index.db.execute(
        "SELECT writer, seq FROM writers WHERE writer >= ? AND writer < ? ORDER BY writer", (own, f"{own}.")
    ).fetchall()


def _count(index: Index) -> int:
    return int(index.db.execute("SELECT COUNT(*) FROM events").fetchone()[0])
