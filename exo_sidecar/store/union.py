"""Union of two ledgers: clone by clone, no merge base, no conflict (docs/format.md, "The fold"; docs/sync.md).

Of two versions of a chain where one continues the other, the longer is taken. Where both went on differently (a
restored backup, a copied folder) all branches are kept (chains.py). The result does not depend on which side is
called ours.
"""

import functools
import itertools
from collections.abc import Callable, Sequence

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import chains, layout, ledger, redaction
from exo_sidecar.store.chains import Lines
from exo_sidecar.store.ledger import Segment
from exo_sidecar.store.redaction import Redactions


def unite(
    objects: Objects, ours: Oid | None, theirs: Oid | None, redactions: Redactions | None = None
) -> dict[str, bytes | None]:
    """Return the segments that turn the ledger of tree `ours` into the union of both; cost follows the difference.

    `redactions` are those that `ours` has already: its lines stay as they are when the other side has not heard of it.
    """
    clones = {
        layout.clone_of(segment.writer)
        for change in tree.diff(objects, ours, theirs, layout.LEDGER)
        if (segment := layout.parse_segment(change.path)) is not None
    }
    files: dict[str, bytes | None] = {}

    @functools.cache
    def announced() -> Redactions:
        chains = (lines for clone in sorted(clones) for lines in chains_of(objects, theirs, clone).values())
        return redaction.joined(redactions or {}, redaction.announced(line for lines in chains for line in lines))

    for clone in sorted(clones):
        grown = _grown(objects, ours, theirs, clone, redactions or {})
        if grown is not None:
            files |= grown
            continue
        before = chains_of(objects, ours, clone)
        after = _united(clone, before, chains_of(objects, theirs, clone), announced)
        if redactions:
            after = {
                writer: [redaction.standing(line, redactions) for line in lines] for writer, lines in after.items()
            }
        for writer in sorted({*before, *after}):
            if after.get(writer) != before.get(writer):
                files |= segments(writer, after.get(writer, []), before.get(writer, []))
    return files


def redact(objects: Objects, root: Oid | None, writers: set[str], redactions: Redactions) -> dict[str, bytes | None]:
    """Return the segments of these writers that differ once their lines stand as the redactions say."""
    files: dict[str, bytes | None] = {}
    for writer in sorted(writers):
        before = lines_of(objects, root, writer)
        files |= segments(writer, [redaction.standing(line, redactions) for line in before], before)
    return files


def chains_of(objects: Objects, root: Oid | None, clone: str) -> dict[str, Lines]:
    """Return the chain of a clone and the forks of it, by writer."""
    found = {name: lines_of(objects, root, name) for name in _writers_of(objects, root, clone)}
    return {name: lines for name, lines in found.items() if lines}


def lines_of(objects: Objects, root: Oid | None, writer: str) -> Lines:
    """Return all lines of a writer, segment after segment."""
    return lines_in(objects, segments_of(objects, root, writer))


def lines_in(objects: Objects, found: Sequence[Segment]) -> Lines:
    """Return the lines of these segments, one after the other."""
    return [line for segment in found for line in ledger.lines_of(objects.read(segment.oid).data)]


def segments_of(objects: Objects, root: Oid | None, writer: str) -> list[Segment]:
    """Return the segments of a writer in their order; what is no plain file is none."""
    if root is None:
        return []
    found = []
    for path, entry in tree.walk(objects, root, layout.writer_folder(writer)):
        segment = layout.parse_segment(path)
        if segment is not None and entry.mode == tree.FILE_MODE:
            found.append(Segment(segment.number, entry.oid))
    return sorted(found)


def common_start(one: Sequence[Segment], other: Sequence[Segment]) -> int:
    """Return the place of the last segment that both have alike, 0 when that is the first, or none.

    All before it are alike, too. It counts as one that may differ: a chain goes on where its last segment ends.
    """
    pairs = enumerate(zip(one, other, strict=False))
    common = next((place for place, (mine, its) in pairs if mine != its), min(len(one), len(other)))
    return max(0, common - 1)


def _writers_of(objects: Objects, root: Oid | None, clone: str) -> list[str]:
    """Return the names in the ledger that the clone's chain and its forks have."""
    folder = tree.entry_at(objects, root, f"{layout.LEDGER}/{clone[:2]}") if root else None
    if folder is None or not folder.is_tree:
        return []
    names = (entry.name for entry in tree.read(objects, folder.oid))
    return [name for name in names if name.startswith(clone) and layout.clone_of(name) == clone]


def _grown(
    objects: Objects, ours: Oid | None, theirs: Oid | None, clone: str, redactions: Redactions
) -> dict[str, bytes | None] | None:
    """Return the segments that change where a chain without forks only went on; None when that is not seen at a glance.

    A chain is cut at its beginning first, so segments that are alike on both sides stay as they are and need not be
    read: cost follows what is new, not the length of the chain.
    """
    if {*_writers_of(objects, ours, clone), *_writers_of(objects, theirs, clone)} != {clone}:
        return None
    mine, other = segments_of(objects, ours, clone), segments_of(objects, theirs, clone)
    start = common_start(mine, other)
    if any(segment.number != place for place, segment in enumerate(mine[:start], 1)):
        return None
    before, after = lines_in(objects, mine[start:]), lines_in(objects, other[start:])
    if before[: len(after)] == after:
        return {}
    if after[: len(before)] != before:
        return None
    return segments(clone, [redaction.standing(line, redactions) for line in after], before, first=start + 1)


def _united(
    clone: str, ours: dict[str, Lines], theirs: dict[str, Lines], announced: Callable[[], Redactions]
) -> dict[str, Lines]:
    if {*ours, *theirs} == {clone}:
        shorter, longer = sorted((ours.get(clone, []), theirs.get(clone, [])), key=len)
        if longer[: len(shorter)] == shorter:
            return {clone: longer}
    return chains.branches(clone, [*ours.items(), *theirs.items()], announced)


def segments(writer: str, lines: Lines, before: Lines, *, first: int = 1) -> dict[str, bytes | None]:
    """Return the segments that differ from those of `before`, None for those that go; `first` is the first's number."""
    pairs = itertools.zip_longest(ledger.cut(before), ledger.cut(lines))
    return {layout.segment_path(writer, number): new for number, (old, new) in enumerate(pairs, first) if old != new}
