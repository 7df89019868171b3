"""The ledger as files: segments of each writer, append-only (docs/format.md, "Tree")."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout
from exo_sidecar.store.index import Index
from exo_sidecar.store.layout import FILE_BYTES_MAX, SEGMENT_BYTES

_LINE_BYTES_MIN: Final = 100
"""Half of the shortest event: what has more lines than this allows is no ledger."""
_LINES_FREE: Final = 100


class Rewritten(Exception):
    """Lines that were folded before are gone or changed: the index must be built anew."""


class Segment(NamedTuple):
    """One segment file."""

    number: int
    oid: Oid


def arrivals(index: Index, objects: Objects, old: Oid | None, new: Oid | None) -> dict[str, list[bytes]]:
    """Return per writer the lines that tree `new` has and the index has not; Rewritten when it has lost some.

    Cost follows the difference of the two trees. The segments are noted as folded.
    """
    changed: dict[str, list[Segment]] = defaultdict(list)
    for change in tree.diff(objects, old, new, layout.LEDGER):
        segment = layout.parse_segment(change.path)
        if segment is None:
            continue
        if change.new is None or change.new.mode != tree.FILE_MODE:  # a link is no segment
            if change.old is not None and change.old.mode == tree.FILE_MODE:
                raise Rewritten(change.path)
            continue
        changed[segment.writer].append(Segment(segment.number, change.new.oid))
    return {writer: _new_lines(index, objects, writer, changed[writer]) for writer in sorted(changed)}


def lines_of(data: bytes) -> list[bytes]:
    """Return the lines of a segment; what stands behind the last line feed is a line too (a broken one)."""
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def append(index: Index, objects: Objects, root: Oid | None, writer: str, lines: Sequence[bytes]) -> dict[str, bytes]:
    """Return the changed segment files after `lines` were appended; a full segment takes no more."""
    number = _open_number(index, writer)
    entry = tree.entry_at(objects, root, layout.segment_path(writer, number)) if root else None
    data = objects.read(entry.oid).data if entry is not None else b""
    changed: dict[int, bytes] = {}
    for line in lines:
        if len(data) >= SEGMENT_BYTES:
            number, data = number + 1, b""
        data += line + b"\n"
        changed[number] = data
    for place, content in changed.items():
        note(index, writer, place, content)
    return {layout.segment_path(writer, place): content for place, content in changed.items()}


def open_segment(index: Index, writer: str) -> str:
    """Return the path of the segment that takes the writer's next line, if it is not full."""
    return layout.segment_path(writer, _open_number(index, writer))


def cut(lines: Iterable[bytes]) -> list[bytes]:
    """Return a writer's lines as its segments: the same lines always give the same files, each within the limits."""
    size = SEGMENT_BYTES
    parts: list[list[bytes]] = []
    for line in lines:
        following = size + len(line) + 1
        if size >= SEGMENT_BYTES or not is_within_limits(len(parts[-1]) + 1, following):
            parts.append([])
            following = len(line) + 1
        parts[-1].append(line)
        size = following
    return [b"\n".join([*part, b""]) for part in parts]


def is_within_limits(lines: int, size: int) -> bool:
    """Whether a segment of so many lines and bytes may be read; whatever exo itself has written is."""
    return size <= FILE_BYTES_MAX and lines <= _LINES_FREE + size // _LINE_BYTES_MIN


def note(index: Index, writer: str, number: int, data: bytes) -> None:
    """Remember how much of a segment is folded."""
    index.db.execute(
        "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?)", (writer, number, len(data), sha256_hex(data))
    )


def _open_number(index: Index, writer: str) -> int:
    row = index.db.execute("SELECT MAX(number) FROM segments WHERE writer = ?", (writer,)).fetchone()
    return int(row[0] or 1)


def _new_lines(index: Index, objects: Objects, writer: str, segments: Sequence[Segment]) -> list[bytes]:
    found: list[bytes] = []
    last = index.db.execute("SELECT MAX(number) FROM segments WHERE writer = ?", (writer,)).fetchone()[0] or 0
    for segment in sorted(segments):
        row = index.db.execute(
            "SELECT size, digest FROM segments WHERE writer = ? AND number = ?", (writer, segment.number)
        ).fetchone()
        size, digest = row or (0, sha256_hex(b""))
        data = objects.read(segment.oid).data
        known = data[:size]
        if sha256_hex(known) != digest or (known and not known.endswith(b"\n")) or (row and segment.number < last):
            raise Rewritten(layout.segment_path(writer, segment.number))
        found += lines_of(data[size:])
        note(index, writer, segment.number, data)
    return found
