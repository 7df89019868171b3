"""Canon: the one tree that the union of two ledgers makes. A merge commits it; a foreign tip is measured by it."""

from typing import NamedTuple

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Kind, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout, redaction, refresh, rendering, rendition, union
from exo_sidecar.store.index import Index
from exo_sidecar.store.refold import Changed
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.rendering import Files


class Canon(NamedTuple):
    """The canonical tree; its objects are stored, the index holds its fold."""

    root: Oid | None
    changed: frozenset[str]
    """Paths in which it differs from the tree of our side."""


def canonical(
    index: Index, objects: Objects, ours: Oid | None, theirs: Oid | None, progress: Progress, *, whole: bool = False
) -> Canon:
    """Fold the union of both ledgers into the index and return its tree, inside the caller's SQLite transaction.

    Of `theirs` only ledger lines enter. `ours` is a tree whose computed files this program's number has made, or None;
    `whole` when another has: then every one of them is computed anew.
    """
    united = _united(index, objects, ours, theirs, progress)
    if whole and ours is not None:
        progress("computing every file of the branch anew")
    if united.changed is None or ours is None or whole:
        computed = _whole(index, objects, united.root)
    else:
        computed = rendering.files_of(index, united.changed)
    differing = rendering.differing(objects, united.root, computed)
    root = store_tree(objects, united.root, differing)
    refresh.note_tree(index, objects, root)
    return Canon(root, united.paths | differing.keys())


def beside(
    index: Index, objects: Objects, ours: Oid | None, theirs: Oid | None, files_of: Oid | None, progress: Progress
) -> Oid | None:
    """As `canonical`, on a branch whose files a newer program computes: they are those of the tree `files_of`."""
    united = _united(index, objects, ours, theirs, progress)
    root = rendition.left(objects, united.root, files_of)
    refresh.note_tree(index, objects, root)
    return root


class _United(NamedTuple):
    """The tree with both ledgers, the other files being ours still; the index holds its fold."""

    root: Oid | None
    paths: frozenset[str]
    """Segments in which it differs from ours."""
    changed: Changed | None
    """Records that were folded anew; None: all."""


def _united(index: Index, objects: Objects, ours: Oid | None, theirs: Oid | None, progress: Progress) -> _United:
    files: Files = union.unite(objects, ours, theirs, redaction.known(index.db))
    root, paths = store_tree(objects, ours, files), frozenset(files)
    del files  # they may be many megabytes, and are read again one by one
    changed = refresh.to_tree(index, objects, root, progress)
    redacted = _redact(index, objects, root, progress)
    if redacted is None:
        return _United(root, paths, changed)
    return _United(redacted.root, paths | redacted.files.keys(), None)


class _Redacted(NamedTuple):
    """A ledger in which the redactions that came last are carried out."""

    files: Files
    root: Oid | None


def redacted(
    index: Index, objects: Objects, base: Oid | None, files: Files, progress: Progress, *, computed: bool
) -> Files | None:
    """Return what of the tree `base` changes, `files` included, once every redaction is carried out; None: nothing.

    The index is then the fold of that tree. Without `computed` files a newer program sees to those.
    """
    if not redaction.unsettled(index.db, redaction.known(index.db)):
        return None
    done = _redact(index, objects, store_tree(objects, base, files), progress)
    if done is None:
        return None
    anew = rendering.differing(objects, done.root, _whole(index, objects, done.root)) if computed else {}
    return {**files, **done.files, **anew}


def _redact(index: Index, objects: Objects, root: Oid | None, progress: Progress) -> _Redacted | None:
    """Carry out in the tree what the index knows of redactions, and fold it anew; None when that is done already."""
    redactions = redaction.known(index.db)
    writers = redaction.unsettled(index.db, redactions)
    if not writers:
        return None
    files = union.redact(objects, root, writers, redactions)
    after = store_tree(objects, root, files)
    refresh.rebuild(index, objects, after, progress)
    return _Redacted(files, after)


def _whole(index: Index, objects: Objects, root: Oid | None) -> Files:
    """Return every computed file, and None for what stands in the tree and is not computed any more."""
    computed = rendering.everything(index)
    present = (path for path, _ in tree.walk(objects, root) if not path.startswith(f"{layout.LEDGER}/"))
    return {path: None for path in present if path not in computed} | computed


def store_tree(objects: Objects, base: Oid | None, files: Files) -> Oid | None:
    """Store `base` with `files` spliced in and return the tree; None for the empty one."""
    if not files:
        return base
    blobs: dict[str, Oid | None] = {
        path: object_id("blob", data) if data is not None else None for path, data in files.items()
    }
    spliced = tree.splice(objects, base, blobs)
    made: list[tuple[Kind, bytes]] = [("blob", data) for data in files.values() if data is not None]
    objects.write([*made, *(("tree", each) for each in spliced.trees)])
    return spliced.root
