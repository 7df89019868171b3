"""Ends what hangs: a connection that is silent too long, or that takes too long altogether.

A read from a pipe has no time limit of its own, so a thread keeps the time and closes the other end; the blocked read
then returns. Invariant: a connection under a watchdog ends within `idle_seconds` after its last byte, and within
TRANSFER_SECONDS_MAX in all.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

TRANSFER_SECONDS_MAX: Final = 900
"""A whole transfer, however lively; a peer that sends one byte at a time gains nothing."""


class Watchdog:
    """Calls `end` once when nobody called `feed` for `idle_seconds`; use it as a context manager."""

    def __init__(self, idle_seconds: float, total_seconds: float = TRANSFER_SECONDS_MAX) -> None:
        self.idle_seconds = idle_seconds
        self.fired = False
        self._last_deadline = time.monotonic() + max(total_seconds, idle_seconds)
        self._deadline = time.monotonic() + idle_seconds
        self._ends: list[Callable[[], None]] = []
        self._is_ours = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="exo-watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def guard(self, end: Callable[[], None]) -> None:
        """Have `end` called when time is up, at once if it is up already; `end` must not raise or block."""
        self._ends.append(end)
        if self.fired:
            end()

    def feed(self) -> None:
        """Say that something was received or sent just now."""
        self._deadline = min(time.monotonic() + self.idle_seconds, self._last_deadline)

    @contextlib.contextmanager
    def ours(self) -> Iterator[None]:
        """Run the body as work of our own, for which the other end waits: it is not the one that is silent."""
        self._is_ours = True
        try:
            yield
        finally:
            self.feed()
            self._is_ours = False

    def _left(self) -> float:
        """Return after how many seconds to look again; none when time is up."""
        now = time.monotonic()
        return min(self.idle_seconds, self._last_deadline - now) if self._is_ours else self._deadline - now

    def _watch(self) -> None:
        while (left := self._left()) > 0:
            if self._done.wait(left):
                return
        if self._done.is_set():
            return
        self.fired = True
        for end in tuple(self._ends):
            end()
