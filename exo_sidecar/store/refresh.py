"""Refresh: the index brought to a tree of the governance branch, by difference where that is possible."""

from collections.abc import Callable

from exo_sidecar.git import commits
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout, ledger, redaction
from exo_sidecar.store.index import RENDER, Index
from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.layout import clone_of
from exo_sidecar.store.refold import Changed, refold
from exo_sidecar.store.render_number import number_of

Progress = Callable[[str], None]


def to_tip(index: Index, objects: Objects, tip: Oid | None, progress: Progress) -> None:
    """Fold the ledger at `tip` into the index, inside the caller's SQLite transaction."""
    if index.tip == tip:
        return
    to_tree(index, objects, commits.tree_of(objects, tip), progress)
    index.set_tip(tip)


def to_tree(index: Index, objects: Objects, root: Oid | None, progress: Progress) -> Changed | None:
    """Fold the ledger of a tree into the index; return what changed, None when the index was built anew."""
    known = Oid(index.meta("tree")) or None
    if known == root:
        return Changed()
    try:
        arrivals = ledger.arrivals(index, objects, known, root)
        _check_settled(index, arrivals)
        changed: Changed | None = refold(index, Ingest(index, arrivals).run())
    except ledger.Rewritten:
        rebuild(index, objects, root, progress)
        changed = None
    note_tree(index, objects, root)
    return changed


def note_tree(index: Index, objects: Objects, root: Oid | None) -> None:
    """Record the tree whose ledger is folded into the index, and by which number its files were computed."""
    index.set_meta("tree", root or "")
    index.set_meta(RENDER, str(number_of(objects, root)))


def rebuild(index: Index, objects: Objects, root: Oid | None, progress: Progress) -> None:
    """Fold the whole ledger of a tree into an empty index."""
    progress("building the local index from the ledger")
    index.clear()
    refold(index, Ingest(index, ledger.arrivals(index, objects, None, root)).run())
    note_tree(index, objects, root)


def _check_settled(index: Index, arrivals: dict[str, list[bytes]]) -> None:
    """Have the index built anew when lines come that an earlier event named before they were here."""
    arriving = {clone_of(writer) for writer, lines in arrivals.items() if lines}
    for (other,) in index.db.execute("SELECT DISTINCT other FROM unresolved"):
        if clone_of(other) in arriving:
            raise ledger.Rewritten(other)
    if index.db.execute("SELECT 1 FROM writers WHERE broken IS NOT NULL").fetchone() is not None and (
        redaction.announced(line for lines in arrivals.values() for line in lines)
    ):
        raise ledger.Rewritten(layout.LEDGER)  # a chain may go on where it broke for want of it
