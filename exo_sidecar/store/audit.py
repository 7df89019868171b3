"""Audit: the record proved from the branch alone (docs/format.md). Nothing is healed, absorbed or written.

Every chain is recomputed event by event into a fold of its own; anchors (`seen`) are compared with what they name;
every computed file is rendered and compared; the mount's files are compared with the branch; and the branch with
what this clone wrote or verified before, so that a rewrite is found although git history has no trace of it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import codec, layout, ledger, publish, redaction, refresh, rendering, union
from exo_sidecar.store import index as indexes
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.index import Index
from exo_sidecar.store.redaction import RedactedEvent
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.render_number import number_of

_SHOWN_MAX: Final = 1000


class Place(NamedTuple):
    """Where something is wrong."""

    file: str
    line: int | None
    reason: str


class Chain(NamedTuple):
    """One writer's events."""

    writer: str
    events: int
    head: str
    first_bad: Place | None


class Anchor(NamedTuple):
    """A `seen` entry that names an event which is not there, or is another."""

    event: str
    names: str
    why: str


class Proof(NamedTuple):
    """What an audit found."""

    chains: tuple[Chain, ...]
    anchors: tuple[Anchor, ...]
    anchors_checked: int
    rewritten: tuple[Place, ...]
    """Lines that this clone had before and that the branch lost or changed."""
    render: int
    """The branch's render number. Another than this program's: computed files were not compared."""
    mismatched: tuple[str, ...]
    """Computed files of the branch that do not follow from the ledger."""
    lagging: bool
    """Whether an older program wrote the tip in this clone: then files may be behind the ledger, and are no forgery."""
    strays: tuple[str, ...]
    """Files of the branch that exo does not know."""
    redacted: tuple[RedactedEvent, ...]
    """Events whose contents were taken out, in the order of their names."""
    fold: Index
    """The fold that was made on the way; the caller closes it."""


def prove(governed: Governed, progress: Progress) -> Proof:
    """Verify the branch at its tip."""
    objects = governed.repository.objects
    tip = governed.tip()
    root = governed.tree_of(tip)
    fold = indexes.in_memory()
    refresh.rebuild(fold, objects, root, progress)
    computed = rendering.everything(fold)
    known = {*computed, *(path for path, _ in _segments(objects, root))}
    here = {path for path, _ in tree.walk(objects, root)} if root else set()
    render = number_of(objects, root)
    is_newer = render > layout.RENDER_NUMBER
    is_compared = render in {0, layout.RENDER_NUMBER}
    return Proof(
        chains=tuple(_chains(fold, objects, root)),
        anchors=tuple(_anchors(fold)),
        anchors_checked=int(fold.db.execute("SELECT COUNT(*) FROM seen").fetchone()[0]),
        rewritten=tuple(_rewritten(governed, tip, root)),
        render=render,
        mismatched=tuple(sorted(rendering.differing(objects, root, computed))) if is_compared else (),
        lagging=publish.recorded_tip(governed) == tip and 0 < publish.recorded_render(governed) < layout.RENDER_NUMBER,
        strays=() if is_newer else tuple(sorted(here - known))[:_SHOWN_MAX],
        redacted=tuple(redaction.carried_out(fold.db)[:_SHOWN_MAX]),
        fold=fold,
    )


def quick(index: Index, governed: Governed) -> tuple[list[Chain], list[Anchor]]:
    """Return the broken chains and anchors that the index knows of; nothing is computed anew."""
    root = governed.tree_of(governed.tip())
    chains = _chains(index, governed.repository.objects, root)
    return [chain for chain in chains if chain.first_bad is not None], _anchors(index)


def ledger_files_edited(governed: Governed, paths: set[str]) -> list[Place]:
    """Return where ledger files of the mount differ from the branch; `paths` are files known to differ."""
    objects = governed.repository.objects
    root = governed.tree_of(governed.tip())
    found = []
    for path in sorted(paths):
        if layout.parse_segment(path) is None or root is None:
            continue
        entry = tree.entry_at(objects, root, path)
        committed = ledger.lines_of(objects.read(entry.oid).data) if entry else []
        present = _mount_lines(governed, path)
        line = _first_difference(committed, present)
        if line is not None:
            found.append(Place(path, line, f"the file in {governed.mount.name} is not what the branch holds"))
    return found


def _chains(fold: Index, objects: Objects, root: Oid | None) -> list[Chain]:
    chains = []
    rows = fold.db.execute("SELECT writer, first, seq, digest, broken FROM writers ORDER BY writer").fetchall()
    for writer, first, seq, digest, broken in rows:
        events = seq - first + 1 if first else 0
        bad = _place_of(objects, root, writer, events + 1, broken) if broken is not None else None
        chains.append(Chain(writer, events, digest, bad))
    return chains


def _place_of(objects: Objects, root: Oid | None, writer: str, line: int, reason: str) -> Place:
    """Return the segment and the line in it of a writer's `line`, counted over all segments."""
    rest = line
    path = layout.segment_path(writer, 1)
    for path, data in _segments(objects, root, writer):  # noqa: B007 - the last one looked at is the answer
        lines = len(ledger.lines_of(data))
        if rest <= lines:
            break
        rest -= lines
    return Place(path, rest, reason.partition(": ")[2] or reason)


def _segments(objects: Objects, root: Oid | None, writer: str | None = None) -> list[tuple[str, bytes]]:
    if root is None:
        return []
    under = layout.writer_folder(writer) if writer else layout.LEDGER
    return [
        (path, objects.read(entry.oid).data if writer else b"")
        for path, entry in sorted(tree.walk(objects, root, under))
        if layout.parse_segment(path) is not None and entry.mode == tree.FILE_MODE
    ]


def _anchors(fold: Index) -> list[Anchor]:
    rows = fold.db.execute(
        "SELECT writer, at, other, seq, why FROM unresolved ORDER BY writer, at, other LIMIT ?", (_SHOWN_MAX,)
    )
    return [Anchor(f"{writer}:{at}", f"{other}:{seq}", why) for writer, at, other, seq, why in rows]


def _rewritten(governed: Governed, tip: Oid | None, root: Oid | None) -> list[Place]:
    """Compare a tip that exo did not write with the last one that it did."""
    recorded = publish.recorded_tip(governed)
    objects = governed.repository.objects
    if recorded is None or recorded == tip or not objects.contains(recorded):
        return []
    before = governed.tree_of(recorded)
    found = []
    writers = {
        segment.writer
        for change in tree.diff(objects, before, root, layout.LEDGER)
        if (segment := layout.parse_segment(change.path)) is not None
    }
    for writer in sorted(writers):
        old, new = union.lines_of(objects, before, writer), union.lines_of(objects, root, writer)
        line = _first_difference(old, new[: len(old)], codec.digest_of)
        if line is not None:
            place = _place_of(objects, before, writer, line, "")
            found.append(Place(place.file, place.line, "the branch lost or changed what this clone had before"))
    return found


def _first_difference(
    committed: list[bytes], present: list[bytes], digest: Callable[[bytes], str] = sha256_hex
) -> int | None:
    for number, (one, other) in enumerate(zip(committed, present, strict=False), 1):
        if digest(one) != digest(other):
            return number
    return min(len(committed), len(present)) + 1 if len(committed) != len(present) else None


def _mount_lines(governed: Governed, path: str) -> list[bytes]:
    try:
        data = files.read_beneath(governed.mount, path, limit_bytes=layout.FILE_BYTES_MAX)
    except (files.NotRegularError, files.TooLargeError):
        return []
    return ledger.lines_of(data) if data else []
