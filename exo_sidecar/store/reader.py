"""Reader: the records of one governed repository, to look at. Loads nothing that only writers need."""

import sqlite3
from pathlib import Path
from typing import Final

from exo_sidecar.git.repository import Repository
from exo_sidecar.store import index as indexes
from exo_sidecar.store import refresh
from exo_sidecar.store.governed import Governed, governed
from exo_sidecar.store.index import READER_WAIT_SECONDS, Index
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.view import IndexView, Restrain


class Reader:
    """Opened for the life of one call; not shared between threads. SidecarMissing when there is nothing to read."""

    def __init__(self, repository: Repository, *, progress: Progress, restrain: Restrain | None = None) -> None:
        self.governed: Final[Governed] = governed(repository)
        self.progress = progress
        self._restrain: Final[Restrain] = restrain or (lambda config: config)
        self._index: Index | None = None

    def view(self) -> IndexView:
        """Return the state at the branch tip; in memory when the index cannot be brought there in time."""
        if self._index is None:
            self._index = self._opened()
        elif not self._index.db.in_transaction:
            self._index = self._follow(self._index)
        return IndexView(self._index, self._restrain)

    def close(self) -> None:
        """Let go of everything."""
        if self._index is not None:
            self._index.close()
            self._index = None
        self.governed.repository.close()

    @property
    def index_path(self) -> Path:
        """Where the local index is."""
        return self.governed.folder / "index.sqlite"

    def _opened(self) -> Index:
        try:
            self.governed.folder.mkdir(parents=True, exist_ok=True)
            index = indexes.open_index(self.index_path, wait_seconds=READER_WAIT_SECONDS)
        except (OSError, sqlite3.OperationalError):
            return self._folded()
        return self._follow(index)

    def _follow(self, index: Index) -> Index:
        """Return the index at the branch tip, or a fold in memory when nobody lets us write."""
        tip = self.governed.tip()
        if index.tip == tip:
            return index
        try:
            with index.transaction():
                refresh.to_tip(index, self.governed.repository.objects, self.governed.tip(), self.progress)
        except sqlite3.OperationalError:
            if index.tip != tip:
                index.close()
                return self._folded()
        except sqlite3.DatabaseError:
            index.close()
            indexes.discard(self.index_path)
            return self._folded()
        return index

    def _folded(self) -> Index:
        index = indexes.in_memory()
        with index.transaction():  # statement by statement it takes twice as long
            refresh.to_tip(index, self.governed.repository.objects, self.governed.tip(), self.progress)
        return index
