"""Union of two ledgers: writer by writer, no merge base, no conflict (docs/format.md, "The fold"; docs/sync.md).

Of two versions of a chain where one continues the other, the longer is taken. Where both went on differently (a restored
backup, a copied folder) both are kept: the branch with the lower digest at the fork keeps the name, the other gets the
computed name `<writer>-<8 of its digest>`. The result does not depend on which side is called ours.
"""

from collections import defaultdict
from collections.abc import Sequence

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import codec, layout, ledger

Lines = list[bytes]


def unite(objects: Objects, ours: Oid | None, theirs: Oid | None) -> dict[str, bytes]:
    """Return the segment files that turn the ledger of tree `ours` into the union of both; cost follows the difference."""
    writers = {
        segment.writer
        for change in tree.diff(objects, ours, theirs, layout.LEDGER)
        if (segment := layout.parse_segment(change.path)) is not None
    }
    before = {writer: lines_of(objects, ours, writer) for writer in writers}
    after = _united(before, {writer: lines_of(objects, theirs, writer) for writer in writers})
    for writer in sorted(set(after) - writers):  # a fork that got its name just now may be here already
        before[writer] = lines_of(objects, ours, writer)
        after = _united(after, {writer: before[writer]})
    files: dict[str, bytes] = {}
    for writer, lines in after.items():
        if lines != before.get(writer):
            files |= _segments(writer, lines, before.get(writer, []))
    return files


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


def _united(ours: dict[str, Lines], theirs: dict[str, Lines]) -> dict[str, Lines]:
    found: dict[str, Lines] = defaultdict(list)
    for writer in sorted({*ours, *theirs}):
        branches = _branches(writer, ours.get(writer, []), theirs.get(writer, []))
        for name, lines in branches.items():
            found[name] = lines if name not in found else max(found[name], lines, key=len)
    return dict(found)


def _branches(writer: str, first: Lines, second: Lines) -> dict[str, Lines]:
    """Return the chains that two versions of a writer's chain make."""
    shared = _shared(first, second)
    if shared == len(first) or shared == len(second):
        return {writer: max(first, second, key=len)}
    previous = sha256_hex(first[shared - 1]) if shared else None
    sound = [lines for lines in (first, second) if _continues(writer, lines[shared], previous, shared)]
    if len(sound) < 2:  # noqa: PLR2004 - a fork has two sound sides
        return {writer: sound[0] if sound else first}
    kept, other = sorted(sound, key=lambda lines: sha256_hex(lines[shared]))
    return {writer: kept, f"{writer}-{sha256_hex(other[shared])[:8]}": other[shared:]}


def _shared(first: Sequence[bytes], second: Sequence[bytes]) -> int:
    number = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        number += 1
    return number


def _continues(writer: str, line: bytes, previous: str | None, place: int) -> bool:
    """Whether a line is an event that follows the shared part."""
    try:
        event = codec.decode(line)
    except codec.MalformedError:
        return False
    if previous is None:
        is_fork = "-" in writer
        return is_fork or (event.seq == 1 and event.prev == NO_DIGEST)
    return event.prev == previous and (event.seq == place + 1 or "-" in writer)


def _segments(writer: str, lines: Lines, before: Lines) -> dict[str, bytes]:
    """Return the segments that differ from those of `before`."""
    old = ledger.cut(before)
    return {
        layout.segment_path(writer, number): data
        for number, data in enumerate(ledger.cut(lines), 1)
        if number > len(old) or old[number - 1] != data
    }
