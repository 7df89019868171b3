"""Tails: lines of a ledger that follow no event and so count for nothing (docs/hostile-branches.md, "Limits").

A chain counts up to its first break; what stands behind is kept, because what it follows may still arrive. Nobody who
writes with exo makes such lines, so there are few of them or somebody means harm: a fetched ledger is measured segment
by segment, each let go before the next is read, and refused before anything of it is united.
"""

from typing import Final

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.event import Event
from exo_sidecar.store import codec, layout, ledger, union
from exo_sidecar.store.index import Index

TAILS_BYTES_MAX: Final = 16 * 1024 * 1024
"""What counts for nothing in a ledger, altogether: a few seconds of work, and far above any accident."""


class Tails:
    """Adds up the bytes of fetched lines that follow no event; segments are given in the order of their paths."""

    def __init__(self, objects: Objects, theirs: Oid | None) -> None:
        self.size = 0
        self._objects = objects
        self._theirs = theirs
        self._place = layout.Segment("", 0)
        self._before: Event | None = None
        self._digest = ""
        self._is_broken = False

    def add(self, place: layout.Segment, data: bytes, known: bytes) -> None:
        """Take a segment that differs; `known` is what stands here under its name.

        Lines that are here already are not judged again, but for the last one, which the next has to follow.
        """
        if place.writer != self._place.writer or self._stands_behind_a_known_one(place):
            self._before, self._is_broken = None, False
        self._place = place
        start = 0
        if known.endswith(b"\n") and data.startswith(known):
            self._before = None
            start = known.rfind(b"\n", 0, len(known) - 1) + 1
        for line in () if self._is_broken else ledger.lines_of(data[start:]):
            if not self._follows(line):
                self._is_broken = True
                break
            start += len(line) + 1
        self.size += max(0, len(data) - start)

    def _stands_behind_a_known_one(self, place: layout.Segment) -> bool:
        """Whether the segment before this one is alike on both sides, so that it was not given."""
        if place.number == self._place.number + 1:
            return False
        path = layout.segment_path(place.writer, place.number - 1)
        entry = tree.entry_at(self._objects, self._theirs, path) if self._theirs and place.number > 1 else None
        return entry is not None and entry.mode == tree.FILE_MODE

    def _follows(self, line: bytes) -> bool:
        try:
            event = codec.decode(line)
        except codec.MalformedError:
            return False
        before = self._before
        if event.clone != layout.clone_of(self._place.writer):
            return False
        if before is not None and (event.prev != self._digest or event.seq != before.seq + 1):
            return False
        self._before, self._digest = event, codec.digest_of(line)
        return True


def in_ledger(index: Index, objects: Objects, root: Oid | None) -> int:
    """Return the bytes that count for nothing in the ledger of the tree `root`, of which the index is the fold."""
    size = 0
    for writer, left_out in index.db.execute("SELECT writer, left_out FROM writers WHERE left_out > 0").fetchall():
        size += sum(len(line) + 1 for line in union.lines_of(objects, root, writer)[-left_out:])
    return size
