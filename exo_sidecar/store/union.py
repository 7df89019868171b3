"""Union of two ledgers: clone by clone, no merge base, no conflict (docs/format.md, "The fold"; docs/sync.md).

Of two versions of a chain where one continues the other, the longer is taken. Where both went on differently (a
restored backup, a copied folder) all branches are kept (chains.py). The result does not depend on which side is
called ours.
"""

import functools
from collections.abc import Callable

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import chains, layout, ledger, redaction
from exo_sidecar.store.chains import Lines
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
    folder = tree.entry_at(objects, root, f"{layout.LEDGER}/{clone[:2]}") if root else None
    if folder is None or not folder.is_tree:
        return {}
    names = [entry.name for entry in tree.read(objects, folder.oid) if layout.clone_of(entry.name) == clone]
    found = {name: lines_of(objects, root, name) for name in names}
    return {name: lines for name, lines in found.items() if lines}


def lines_of(objects: Objects, root: Oid | None, writer: str) -> Lines:
    """Return all lines of a writer, segment after segment."""
    if root is None:
        return []
    segments = []
    for path, entry in tree.walk(objects, root, layout.writer_folder(writer)):
        segment = layout.parse_segment(path)
        if segment is not None and entry.mode == tree.FILE_MODE:
            segments.append((segment.number, entry.oid))
    return [line for _, oid in sorted(segments) for line in ledger.lines_of(objects.read(oid).data)]


def _united(
    clone: str, ours: dict[str, Lines], theirs: dict[str, Lines], announced: Callable[[], Redactions]
) -> dict[str, Lines]:
    if {*ours, *theirs} == {clone}:
        shorter, longer = sorted((ours.get(clone, []), theirs.get(clone, [])), key=len)
        if longer[: len(shorter)] == shorter:
            return {clone: longer}
    return chains.branches(clone, [*ours.items(), *theirs.items()], announced)


def segments(writer: str, lines: Lines, before: Lines) -> dict[str, bytes | None]:
    """Return the segments that differ from those of `before`, None for those that go."""
    old, new = ledger.cut(before), ledger.cut(lines)
    changed: dict[str, bytes | None] = {
        layout.segment_path(writer, number): data
        for number, data in enumerate(new, 1)
        if number > len(old) or old[number - 1] != data
    }
    return changed | {layout.segment_path(writer, number): None for number in range(len(new) + 1, len(old) + 1)}
