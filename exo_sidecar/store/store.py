"""Store: the records of one governed repository, to write: one rule, one transaction, one commit."""

import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Final

from exo_sidecar.base.override import override
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import Conflict
from exo_sidecar.model.ids import CloneId, Entropy
from exo_sidecar.store import clone, healing, lock, mounting, publish
from exo_sidecar.store import index as indexes
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.hand_edits import Absorb
from exo_sidecar.store.index import WRITER_WAIT_SECONDS, Index
from exo_sidecar.store.reader import Reader
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.scribe import Scribe
from exo_sidecar.store.transaction import Attempt, Committed, Judges, Rule
from exo_sidecar.store.view import Restrain

ATTEMPTS_MAX: Final = 50
_PAUSE_SECONDS: Final = 0.01
_PAUSE_SECONDS_MAX: Final = 0.25


class RefMoved(Conflict):
    """The branch moved under every attempt."""

    code = "REF_MOVED"
    advice = "somebody commits to the governance branch all the time; try again"


class Store(Reader):
    """A reader that writes, too."""

    def __init__(
        self,
        repository: Repository,
        *,
        entropy: Entropy,
        absorb: Absorb,
        scribe: Scribe,
        progress: Progress,
        restrain: Restrain | None = None,
    ) -> None:
        super().__init__(repository, progress=progress, restrain=restrain)
        self._entropy = entropy
        self._absorb = absorb
        self._scribe = scribe
        self._open = contextlib.ExitStack()
        """What an uncommitted dry run holds until the store is closed."""

    def transact(
        self, rule: Rule, stamp: Stamp, *, paths: Callable[[], set[str]] = set, dry_run: bool = False
    ) -> Committed:
        """Run the rule on the state at the tip and commit its events, or nothing at all.

        Args:
            rule: pure; it runs again when the branch moved, so its minted ids must come from its arguments.
            stamp: who, when and which operation.
            paths: further files to look at for hand edits, asked for once the lock is held.
            dry_run: decide only; the view shows what would be until the store is closed.

        Raises:
            CloneLockTimeout, RefMoved: nothing was written.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(self.locked())
            for attempt in range(ATTEMPTS_MAX):
                healing.heal(self.governed)
                try:
                    committed = self._attempt(held, rule, stamp, paths(), dry_run=dry_run)
                except sqlite3.DatabaseError as error:
                    self._forget_index(error, attempt)
                    continue
                except publish.Moved:
                    time.sleep(random.uniform(0, min(_PAUSE_SECONDS_MAX, _PAUSE_SECONDS * 2**attempt)))  # noqa: S311
                    continue
                if dry_run:
                    self._open = held.pop_all()
                return committed
        message = f"{self.governed.branch} moved {ATTEMPTS_MAX} times while this operation tried to write"
        raise RefMoved(message)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the clone's lock: writers of one clone queue here, readers never do. CloneLockTimeout."""
        with lock.held(self.governed.folder):
            yield

    @contextlib.contextmanager
    def writing(self) -> Iterator[Index]:
        """Yield the index inside one SQLite transaction, for a writer that holds the clone's lock."""
        index = self._writer()
        with index.transaction():
            yield index

    def clone_id(self) -> CloneId:
        """Return this clone's id, minted at the first write; the clone's lock must be held."""
        self.check_format()
        return clone.ensure(self.governed.folder, self._entropy).id

    def renew_clone_id(self) -> CloneId:
        """Go on under a new clone id: a copy of this clone (a restored backup, a twin) writes under the present one."""
        return clone.mint(self.governed.folder, self._entropy)

    def check_format(self) -> None:
        """Refuse to write on a branch that a newer program has written; FormatTooNew."""
        mounting.check_format(self.governed.repository, self.governed.tip())

    @override
    def close(self) -> None:
        """Let go of everything; a dry run's decision is rolled back."""
        self._open.close()
        super().close()

    def _attempt(
        self, held: contextlib.ExitStack, rule: Rule, stamp: Stamp, paths: set[str], *, dry_run: bool
    ) -> Committed:
        judges = Judges(self._absorb, self._restrain, self._scribe)
        attempt = Attempt(self.governed, self._writer(), self.clone_id(), judges, self.progress)
        committed: Committed | None = None
        try:
            with contextlib.ExitStack() as transaction:
                transaction.enter_context(self._undone() if dry_run else self._writer().transaction())
                committed = attempt.run(rule, stamp, paths, dry_run=dry_run)
                if dry_run:
                    held.push(transaction.pop_all().__exit__)
        except sqlite3.Error:
            if committed is None:
                raise
            self._drop_index()  # the branch has moved already: the index follows when it is opened next
        return committed

    def _forget_index(self, error: sqlite3.DatabaseError, attempt: int) -> None:
        """Have a damaged index built anew, once; whatever else a database says is raised."""
        if attempt or isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
            raise error
        self._drop_index()
        indexes.discard(self.index_path)

    def _drop_index(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None

    @contextlib.contextmanager
    def _undone(self) -> Iterator[None]:
        """Run a block in a SQLite transaction that is always rolled back."""
        index = self._writer()
        index.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            index.db.execute("ROLLBACK")

    def _writer(self) -> Index:
        if self._index is None or self._index.is_in_memory:
            self._index = indexes.open_index(self.index_path, wait_seconds=WRITER_WAIT_SECONDS)
        self._index.db.execute(f"PRAGMA busy_timeout = {int(WRITER_WAIT_SECONDS * 1000)}")
        return self._index
