"""Canon: the one tree that the union of two ledgers makes. A merge commits it; a foreign tip is measured by it."""

from typing import NamedTuple

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Kind, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout, refresh, rendering, union
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
    files: Files = union.unite(objects, ours, theirs)
    with_ledger = store_tree(objects, ours, files)
    changed = refresh.to_tree(index, objects, with_ledger, progress)
    if changed is None or ours is None:
        computed = _whole(index, objects, with_ledger)
    else:
        computed = rendering.files_of(index, changed)
    differing = rendering.differing(objects, with_ledger, computed)
    root = store_tree(objects, with_ledger, differing)
    index.set_meta("tree", root or "")
    return Canon(root, frozenset({*files, *differing}))


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
