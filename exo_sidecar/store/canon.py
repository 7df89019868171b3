"""Canon: the one tree that the union of two ledgers makes. A merge commits it; a foreign tip is measured by it."""

from typing import NamedTuple

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Kind, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout, redaction, refresh, rendering, union
from exo_sidecar.store.index import Index
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.rendering import Files


class Canon(NamedTuple):
    """The canonical tree; its objects are stored, the index holds its fold."""

    root: Oid | None
    changed: frozenset[str]
    """Paths in which it differs from the tree of our side."""


def canonical(index: Index, objects: Objects, ours: Oid | None, theirs: Oid | None, progress: Progress) -> Canon:
    """Fold the union of both ledgers into the index and return its tree, inside the caller's SQLite transaction.

    `ours` is a canonical tree or None; of `theirs` only ledger lines enter.
    """
    files: Files = union.unite(objects, ours, theirs, redaction.known(index.db))
    with_ledger = store_tree(objects, ours, files)
    changed = refresh.to_tree(index, objects, with_ledger, progress)
    redacted = _redact(index, objects, with_ledger, progress)
    if redacted is not None:
        files, with_ledger, changed = {**files, **redacted.files}, redacted.root, None
    if changed is None or ours is None:
        computed = _whole(index, objects, with_ledger)
    else:
        computed = rendering.files_of(index, changed)
    differing = rendering.differing(objects, with_ledger, computed)
    root = store_tree(objects, with_ledger, differing)
    index.set_meta("tree", root or "")
    return Canon(root, frozenset({*files, *differing}))


class _Redacted(NamedTuple):
    """A ledger in which the redactions that came last are carried out."""

    files: Files
    root: Oid | None


def redacted(index: Index, objects: Objects, base: Oid | None, files: Files, progress: Progress) -> Files | None:
    """Return what of the tree `base` changes, `files` included, once every redaction is carried out; None: nothing.

    The index is then the fold of that tree.
    """
    if not redaction.unsettled(index.db, redaction.known(index.db)):
        return None
    done = _redact(index, objects, store_tree(objects, base, files), progress)
    if done is None:
        return None
    computed = rendering.differing(objects, done.root, _whole(index, objects, done.root))
    return {**files, **done.files, **computed}


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
