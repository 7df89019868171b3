"""The local index: `<common>/exo/index.sqlite`, or the same in memory. Disposable, rebuilt when missing or damaged.

A database is one fold of the ledger at one tip (`meta.tip`). Writers change it inside one SQLite transaction together
with the branch, so that it is never ahead; readers that find it behind bring it up to date, or fold in memory.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from exo_sidecar import __version__
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout
from exo_sidecar.store.schema import SCHEMA_NUMBER, TABLES

READER_WAIT_SECONDS: Final = 1.0
"""A reader that gets no lock within this time folds in memory."""
WRITER_WAIT_SECONDS: Final = 30.0
"""A writer holds the clone's lock already: only readers that refresh can be in its way."""
_CACHE_KIB: Final = 64 * 1024
"""An upper bound, used while an index of many records is built: with less its pages go to the disk again and again."""

RENDER: Final = "render"
"""The branch's render number at the tree that is folded in, among `meta`."""
State: TypeAlias = Literal["absent", "foreign", "damaged", "busy", "behind", "current"]
"""How the index stands to the branch; `foreign`: another version of the program made it."""


class Index:
    """One database with the tables of schema.py."""

    def __init__(self, connection: sqlite3.Connection, *, is_in_memory: bool = False) -> None:
        self.db = connection
        self.is_in_memory = is_in_memory

    @property
    def tip(self) -> Oid | None:
        """The commit whose ledger is folded in here; None before the first."""
        value = self.meta("tip")
        return Oid(value) if value else None

    def set_tip(self, tip: Oid | None) -> None:
        """Record the commit whose ledger is folded in here."""
        self.set_meta("tip", tip or "")

    def meta(self, key: str) -> str:
        """Return a value kept beside the fold, empty when there is none."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value beside the fold."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def clear(self) -> None:
        """Empty every table, inside the current transaction."""
        names = [row[0] for row in self.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            self.db.execute(f'DROP TABLE "{name}"')
        _create(self.db)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as one SQLite transaction that holds the write lock; an exception rolls it back."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a damaged database cannot roll back either; it is dropped
                self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def in_memory() -> Index:
    """Return an empty index that lives as long as the process."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _create(connection)
    return Index(connection, is_in_memory=True)


def open_index(path: Path, *, wait_seconds: float) -> Index:
    """Open or create the index at `path`; one that is damaged or of another program starts empty."""
    try:
        return _open(path, wait_seconds)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        discard(path)
        return _open(path, wait_seconds)


def state(path: Path, tip: Oid | None) -> State:
    """Return how the index at `path` stands to the branch's tip; nothing is opened for writing or mended."""
    if not path.exists():
        return "absent"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            index = Index(connection)
            if not _is_ours(index):
                return "foreign"
            return "current" if index.tip == tip else "behind"
    except sqlite3.OperationalError:
        return "busy"
    except sqlite3.DatabaseError:
        return "damaged"


def discard(path: Path) -> None:
    """Delete the index at `path`: it is rebuilt at the next use."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _open(path: Path, wait_seconds: float) -> Index:
    connection = sqlite3.connect(path, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        index = Index(connection)
        if not _is_ours(index):
            with index.transaction():
                if not _is_ours(index):  # another process may have made it while this one waited
                    index.clear()
    except BaseException:
        connection.close()
        raise
    return index


def _is_ours(index: Index) -> bool:
    try:
        return index.meta("program") == _program()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return False
        raise


def _create(connection: sqlite3.Connection) -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('program', ?)", (_program(),))


def _program() -> str:
    return f"{__version__}/{SCHEMA_NUMBER}/{layout.RENDER_NUMBER}"
