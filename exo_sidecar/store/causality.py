"""Causality: what an event knew, answered from the `seen` table (docs/format.md, "Events").

An event of a writer knows the writer's earlier events, and of every other writer all up to the highest entry that its
writer's `seen` named until then. Nothing here looks at a clock.
"""

import sqlite3
from functools import lru_cache

from exo_sidecar.store.entry import Name


class Causality:
    """Implements `Knows` over a database; answers are kept for the life of the object."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known = lru_cache(maxsize=100_000)(self._look_up)

    def __call__(self, later: Name, earlier: Name) -> bool:
        """Whether `later` knew `earlier`."""
        if later.writer == earlier.writer:
            return earlier.seq < later.seq
        return self._known(later.writer, later.seq, earlier.writer) >= earlier.seq

    def _look_up(self, writer: str, seq: int, other: str) -> int:
        row = self._db.execute(
            "SELECT seq FROM seen WHERE writer = ? AND other = ? AND at <= ? ORDER BY at DESC LIMIT 1",
            (writer, other, seq),
        ).fetchone()
        return int(row[0]) if row else 0
