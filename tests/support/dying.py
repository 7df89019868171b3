"""Children that are forked for one piece of work, and die in the middle of it as a killed process does.

No SQLite connection may be open when one is forked.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeAlias

_CHANGES: Final = frozenset(
    {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.utime", "sqlite3.connect"}
)
_NEVER: Final = 0
Work: TypeAlias = Callable[[Callable[[str], None]], None]
"""What a child does; it says words by its argument, one for each piece of work that was acknowledged."""


class Fate(NamedTuple):
    """How a child ended, and what it said before."""

    killed: bool
    said: tuple[str, ...]


class Child(NamedTuple):
    """A child at work."""

    pid: int
    reading: int

    def ended(self) -> Fate:
        """Wait for its end."""
        return self._fate(b"")

    def killed(self, *, after_seconds: float = 0.0) -> Fate:
        """Kill it with SIGKILL some time after its first word."""
        first = os.read(self.reading, 4096)
        time.sleep(after_seconds)
        os.kill(self.pid, signal.SIGKILL)
        return self._fate(first)

    def _fate(self, said: bytes) -> Fate:
        parts = [said]
        while part := os.read(self.reading, 1 << 16):
            parts.append(part)
        os.close(self.reading)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in {0, -signal.SIGKILL}, f"the child failed with {code}"
        return Fate(code != 0, tuple(b"".join(parts).decode().splitlines()))


def started(work: Work, *, die_at: int = _NEVER, torn: bool = False) -> Child:
    """Start `work` in a child that dies just before its Nth change of the file system.

    With `torn` it dies in the middle of what it writes after that change: half of the bytes are there.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: a test runner has threads; the child uses none
        pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    status = 70
    try:
        os.close(reading)
        if die_at:
            _Death(die_at, torn=torn).prepare()
        work(partial(_say, writing))
        status = 0
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        raise
    finally:
        os._exit(status)


def forked(work: Work, *, die_at: int = _NEVER, torn: bool = False) -> Fate:
    """Run `work` in a child as `started` does, to its end."""
    return started(work, die_at=die_at, torn=torn).ended()


def _say(handle: int, word: str) -> None:
    os.write(handle, f"{word}\n".encode())


def die() -> None:
    """Kill this process as an administrator would."""
    os.kill(os.getpid(), signal.SIGKILL)


class _Death:
    """Kills this process before its Nth change, or half-way through the write that follows it."""

    def __init__(self, number: int, *, torn: bool) -> None:
        self._left = number
        self._torn = torn
        self._due = False

    def prepare(self) -> None:
        """Watch every change of this process from now on."""
        sys.addaudithook(self._on_event)
        whole = os.write

        def torn(handle: int, data: bytes) -> int:
            if self._due:
                whole(handle, bytes(data)[: len(data) // 2])
                die()
            return whole(handle, data)

        os.write = torn  # type: ignore[assignment]

    def _on_event(self, event: str, args: tuple[object, ...]) -> None:
        is_change = event in _CHANGES or (
            event == "open" and isinstance(args[2], int) and bool(args[2] & (os.O_CREAT | os.O_TRUNC))
        )
        if not is_change:
            return
        if self._due:
            die()
        self._left -= 1
        if self._left == 0:
            if not self._torn:
                die()
            self._due = True
