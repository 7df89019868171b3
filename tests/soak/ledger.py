"""The highest epochs that were ever acquired, as the governance branch keeps them: a file that every worker shares.

It stands for a branch that is fetched after a claim and pushed by compare-and-swap: an entry is written only if nothing
was written for the ticket since it was read. It outlives a restored hub, as the clones' copies of the branch do.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SoakLedger:
    """A folder with one file per ticket: lines of epoch and session, oldest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def count(self) -> int:
        """Return how many claims were ever completed."""
        return sum(path.read_bytes().count(b"\n") for path in self._folder.iterdir())

    def highest(self, ticket: str) -> int:
        """Return the highest epoch acquired for `ticket`, 0 when it never was."""
        return max((int(line.split()[0]) for line in self._lines(ticket)), default=0)

    def knows(self, session: str) -> bool:
        """Whether `session` ever completed a claim."""
        return any(line.split()[1] == session for path in self._folder.iterdir() for line in self._lines(path.name))

    def acquire(self, ticket: str, epoch: int, session: str, *, blindly: bool = False) -> bool:
        """Write an acquisition down unless its epoch is not the highest; `blindly` asks nothing."""
        with self._alone(ticket) as handle:
            if not blindly and epoch <= self.highest(ticket):
                return False
            os.write(handle, f"{epoch} {session}\n".encode())
            return True

    def _lines(self, ticket: str) -> list[str]:
        try:
            return (self._folder / ticket).read_text().splitlines()
        except FileNotFoundError:
            return []

    @contextmanager
    def _alone(self, ticket: str) -> Iterator[int]:
        handle = os.open(self._folder / ticket, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)
