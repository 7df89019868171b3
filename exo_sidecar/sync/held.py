"""Held: whether a fetched ledger still has a verified event, answered without reading the whole chain.

A chain only grows, so two versions of it nearly always differ at their end. Segments that are equal in both trees need
not be read; the event is looked for in the rest, and what stands before it there must be equal, too.
"""

from typing import NamedTuple

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import codec, layout, ledger


class Segment(NamedTuple):
    """A segment's number and content."""

    number: int
    oid: Oid


def is_held(objects: Objects, ours: Oid | None, theirs: Oid | None, writer: str, head: tuple[int, str]) -> bool:
    """Whether both trees have the chain alike up to the event `head`; False also when that is not seen at a glance.

    `ours` is a canonical tree of this clone, so what it holds is linked. The names of forks follow from other chains.
    """
    seq, digest = head
    if "-" in writer:
        return False
    mine, other = _segments(objects, ours, writer), _segments(objects, theirs, writer)
    pairs = enumerate(zip(mine, other, strict=False))
    common = next((place for place, (one, two) in pairs if one != two), min(len(mine), len(other)))
    start = max(0, common - 1)
    lines, known = _lines(objects, other[start:]), _lines(objects, mine[start:])
    try:
        place = seq - codec.decode(lines[0]).seq if lines else -1
    except codec.MalformedError:
        return False
    if not 0 <= place < min(len(lines), len(known)):
        return False
    return lines[: place + 1] == known[: place + 1] and codec.digest_of(lines[place]) == digest


def _segments(objects: Objects, root: Oid | None, writer: str) -> list[Segment]:
    if root is None:
        return []
    found = []
    for path, entry in tree.walk(objects, root, layout.writer_folder(writer)):
        segment = layout.parse_segment(path)
        if segment is not None and entry.mode == tree.FILE_MODE:
            found.append(Segment(segment.number, entry.oid))
    return sorted(found)


def _lines(objects: Objects, segments: list[Segment]) -> list[bytes]:
    return [line for segment in segments for line in ledger.lines_of(objects.read(segment.oid).data)]
