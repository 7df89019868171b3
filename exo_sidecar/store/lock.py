"""The clone's lock: writers of one clone queue here, readers never do."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exo_sidecar.model.errors import Conflict

LOCK_WAIT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.005


class CloneLockTimeout(Conflict):
    """Other operations of this clone kept its lock for too long."""

    code = "CLONE_LOCK_TIMEOUT"
    advice = "another exo operation is running in this clone; try again"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of the clone whose folder `<common>/exo` is given; CloneLockTimeout."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  (39 ms that only writers pay)

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock", timeout=LOCK_WAIT_SECONDS)
    try:
        lock.acquire(poll_interval=_POLL_SECONDS)
    except Timeout as error:
        message = f"the clone's lock was busy for {LOCK_WAIT_SECONDS:.0f} s"
        raise CloneLockTimeout(message) from error
    try:
        yield
    finally:
        lock.release()
