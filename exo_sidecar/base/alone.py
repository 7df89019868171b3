"""One process at a time, by a lock of the kernel: it is let go when its holder dies, so nobody has to clean up.

A holder that is killed while it starts a child leaves the lock to that child until it has become the other program:
some milliseconds, on a busy machine more. Whoever starts programs under such a lock asks for it with patience.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PAUSE_SECONDS: Final = 0.01


@contextlib.contextmanager
def alone(lock: Path, *, patience_seconds: float = 0.0) -> Iterator[bool]:
    """Yield whether this process is the only one that holds `lock`, having waited for `patience_seconds` at most.

    The file stays: one that is removed could be locked by two, each its own. OSError as from opening it.
    """
    with held(lock, patience_seconds=patience_seconds) as handle:
        yield handle is not None


@contextlib.contextmanager
def held(lock: Path, *, patience_seconds: float = 0.0) -> Iterator[int | None]:
    """Yield the handle of a lock that is held as by `alone`, for a child that is to hold it, too; None: it is not."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience_seconds
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while not (is_locked := _locked(handle)) and time.monotonic() < until:
            time.sleep(_PAUSE_SECONDS)
        yield handle if is_locked else None
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
