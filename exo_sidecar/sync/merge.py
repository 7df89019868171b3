"""Merge: a fetched tip into the branch, by union and fold (docs/sync.md). It writes no event and asks nobody.

The commit is a function of its parents: sorted by id, a fixed author, the date of the later parent, a fixed message; so
clones that merge the same two tips make the same commit.
"""

import functools
import itertools
from collections.abc import Container
from typing import Final, NamedTuple

from exo_sidecar.git import commits, graph, tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.objects import ObjectDamaged
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.model.finding import Finding
from exo_sidecar.store import canon, layout, publish, redaction, refresh, rendition
from exo_sidecar.store.index import Index
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.render_number import is_newer, number_of
from exo_sidecar.store.store import RefMoved, Store
from exo_sidecar.sync import idle, lineage, tails, verified, web_edits
from exo_sidecar.sync.verified import Vector
from exo_sidecar.sync.web_edits import WebEdit

MESSAGE: Final = "exo: merge\n"
LEFT_OUT_MAX: Final = 100
"""More names than this help nobody."""
PATH_SHOWN_MAX: Final = 200
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999: a commit that claims to be younger must not make ours one that git refuses."""


class Merged(NamedTuple):
    """What a merge did."""

    tip: Oid | None
    merged: bool
    """Whether the branch moved."""
    events: int
    """Events that came with it."""
    left_out: tuple[str, ...] = ()
    """Files of the fetched tree that do not follow from the events, by path: they were not taken over."""
    edited: tuple[WebEdit, ...] = ()
    """What commits without an event have changed in it, and was computed anew."""
    raised: Finding | None = None
    """Tells that every file of the branch was computed anew, because this program's number is higher."""


def merge(
    store: Store,
    remote: str,
    theirs: Oid,
    progress: Progress,
    *,
    known: Vector | None = None,
    accepted: Oid | None = None,
) -> Merged:
    """Bring the fetched tip into the branch; the clone's lock must be held, and the local tip be exo's own.

    `known` is what was verified from the remote before the tip was asked for (None: what is so now). Another process of
    this clone may have fetched and merged a younger tip meanwhile; against that, ours would seem to have lost events.
    `accepted` is the tip that a person takes as it is: what it has is what was verified from then on.

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
        is_accepted = theirs == accepted
        stored = {} if is_accepted else verified.read(governed.folder, remote)
        with verified.unreadable_is_refused(remote):
            ours, their_tree = governed.tree_of(tip), governed.tree_of(theirs)
            wanted = {} if is_accepted else stored if known is None else known
            own_tails = functools.partial(tails.in_ledger, index, objects, ours)
            verified.check(objects, wanted, ours, their_tree, redaction.known(index.db), own_tails)
            is_here = tip is not None and (tip == theirs or graph.is_ancestor(objects, theirs, tip))
        union = _Union(None, None, None)
        if is_here:
            vector = verified.of_tree(index, objects, ours, their_tree)
            target: Oid | None = tip
        else:
            with verified.unreadable_is_refused(remote):
                union = _united(store, index, tip, theirs, progress)
            vector = verified.of_tree(index, objects, union.root, their_tree)
            if own != _own_chain(store, index):
                store.renew_clone_id()  # before the branch moves: a kill in between must not forget the twin
            target = _move(store, tip, theirs, union.root)
            index.set_tip(target)
        verified.write(governed.folder, remote, verified.joined(stored, vector))
        verified.note_tip(governed.folder, remote, theirs)
        is_ours = target not in {tip, theirs}
        edited = web_edits.found(governed, theirs) if is_ours else ()
        left_out = _left_out(store, union, target, {edit.path for edit in edited if edit.command}) if is_ours else ()
        edited = tuple(edit for edit in edited if edit.path[:PATH_SHOWN_MAX] not in left_out)
        return Merged(target, target != tip, _count(index) - before, left_out, edited, union.raised)


class _Union(NamedTuple):
    """The tree that holds both ledgers."""

    root: Oid | None
    files_of: Oid | None
    """The tree whose files are looked for in it: the fetched one, or the one that a newer program's are taken from."""
    raised: Finding | None


def _united(store: Store, index: Index, tip: Oid | None, theirs: Oid, progress: Progress) -> _Union:
    """Unite both: with files computed by this program, or, where a newer one does that, with the files of one side."""
    governed, objects = store.governed, store.governed.repository.objects
    ours, their_tree = governed.tree_of(tip), governed.tree_of(theirs)
    if not is_newer(objects, ours, their_tree):
        whole = rendition.standing(governed, tip) != "current"
        root = canon.canonical(index, objects, ours, their_tree, progress, whole=whole).root
        return _Union(root, their_tree, rendition.raised(number_of(objects, ours)) if whole else None)
    files_of = _files_of(store, tip, theirs)
    return _Union(canon.beside(index, objects, ours, their_tree, files_of, progress), files_of, None)


def _files_of(store: Store, tip: Oid | None, theirs: Oid) -> Oid | None:
    """Return the tree whose computed files a program takes that is older than the branch."""
    heirs = _parents(store, tip, theirs)
    return rendition.chosen(store.governed, (tip, theirs) if tip else (theirs,), heirs[0] if len(heirs) == 1 else None)


def _left_out(store: Store, union: _Union, target: Oid | None, told: Container[str]) -> tuple[str, ...]:
    """Return the files that the fetched tree has and the merged one has not; a tree made to exhaust ends the list."""
    governed = store.governed
    changes = tree.diff(governed.repository.objects, union.files_of, governed.tree_of(target))
    named = (change.path for change in changes if _is_left_out(change) and change.path not in told)
    found: list[str] = []
    try:
        found.extend(itertools.islice(named, LEFT_OUT_MAX))
    except ObjectDamaged as error:
        found.append(f"a folder ({error.message})")
    return tuple(path[:PATH_SHOWN_MAX] for path in found)


def _is_left_out(change: tree.Change) -> bool:
    """Whether the fetched side has something that is not on ours, or no plain file where ours has one."""
    if change.old is None:
        return False
    if change.old.mode != tree.FILE_MODE:
        return True
    # The lines of a segment are united; where they stand then is another matter.
    return change.new is None and layout.parse_segment(change.path) is None


def _move(store: Store, tip: Oid | None, theirs: Oid, root: Oid | None) -> Oid:
    """Move the branch to the commit that holds the tree `root`: theirs when it does, else one of ours."""
    governed = store.governed
    parents = _parents(store, tip, theirs)
    for parent in parents if len(parents) == 1 else ():
        if root == governed.tree_of(parent):
            return parent if parent == tip else publish.move(governed, tip, parent, {})
    is_settled = tip is not None and root == governed.tree_of(tip) == governed.tree_of(theirs)
    if is_settled and tip and idle.gives_way(governed.repository.objects, tip, theirs, MESSAGE):
        return publish.move(governed, tip, theirs, {})
    planned = publish.plan(governed, root, {}, _commit(store, parents))
    return publish.publish(governed, tip, planned, {})


def _parents(store: Store, tip: Oid | None, theirs: Oid) -> tuple[Oid, ...]:
    """Return what a commit of ours goes on from: theirs, ours after a compaction, or both."""
    objects = store.governed.repository.objects
    if tip is None or graph.is_ancestor(objects, tip, theirs):
        return (theirs,)
    heir = lineage.heir(objects, tip, theirs)
    return (heir,) if heir is not None else tuple(sorted((tip, theirs)))


def _commit(store: Store, parents: tuple[Oid, ...]) -> Commit:
    objects = store.governed.repository.objects
    seconds = max(0, *(commits.read(objects, parent).commit_time for parent in parents))
    seconds = min(seconds, _LATEST)
    return Commit(EMPTY_TREE, parents, commits.AUTHOR, seconds, commits.AUTHOR, seconds, MESSAGE)


def _own_chain(store: Store, index: Index) -> list[tuple[str, int, str | None]]:
    """Return this clone's chain and its forks: a merge that changes or breaks them has met a twin, or a forger."""
    own = store.clone_id()
    return index.db.execute(
        "SELECT writer, seq, broken FROM writers WHERE writer >= ? AND writer < ? ORDER BY writer", (own, f"{own}.")
    ).fetchall()


def _count(index: Index) -> int:
    return int(index.db.execute("SELECT COUNT(*) FROM events").fetchone()[0])
