"""Git's lock files (`<file>.lock`), made so that after a crash it can be proven whose they are.

A lock is made by linking a finished, synced temporary file to the lock's name; the caller chose the temporary's name
and wrote it down before. The temporary goes last. So after `kill -9` a lock is provably ours when the temporary is
still there and is the same file. Age proves nothing and is never asked.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exo_sidecar.base import files

_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV},
)


class LockBusy(Exception):
    """Somebody holds the lock; the caller tries again a few times."""


class Lock:
    """A held lock: ends in `install`, `remove_target` or, when neither ran, in nothing having happened."""

    def __init__(self, target: Path, temporary: Path) -> None:
        self.target: Final = target
        self._temporary: Final = temporary
        self._path: Final = lock_of(target)
        self._is_open = True

    def write(self, data: bytes, *, durable: bool) -> None:
        """Make `data` the new content: for what can only be known once the lock is held."""
        handle = os.open(self._path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            _write_all(handle, data, durable=durable)
        finally:
            os.close(handle)

    def install(self, *, durable: bool) -> None:
        """Let the new content take the target's place."""
        self._path.rename(self.target)
        self._is_open = False
        if durable:
            _sync_names(self.target.parent)

    def remove_target(self, *, durable: bool) -> None:
        """Remove the target, while the lock keeps others from making it anew."""
        self.target.unlink(missing_ok=True)
        if durable:
            _sync_names(self.target.parent)

    def release(self) -> None:
        """Remove what is left of the lock; the temporary last, because it is the proof."""
        if self._is_open:
            self._path.unlink(missing_ok=True)
            self._is_open = False
        self._temporary.unlink(missing_ok=True)


def lock_of(target: Path) -> Path:
    """Return the name of the lock that git and we use for `target`."""
    return target.with_name(f"{target.name}.lock")


@contextlib.contextmanager
def held(target: Path, temporary: Path, data: bytes, *, durable: bool) -> Iterator[Lock]:
    """Hold the lock on `target`, with `data` ready to take its place.

    `temporary` must be on the same file system and must not exist: an existing one may be linked to a live file.

    Raises:
        LockBusy: somebody else holds it.
    """
    _write(temporary, data, durable=durable)
    try:
        _take(target, temporary, data)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    lock = Lock(target, temporary)
    try:
        yield lock
    finally:
        lock.release()


def replace(target: Path, temporary: Path, data: bytes, *, durable: bool) -> None:
    """Replace `target` by `data` under its lock; LockBusy."""
    with held(target, temporary, data, durable=durable) as lock:
        lock.install(durable=durable)


def clear_dead_lock(target: Path, temporary: Path) -> bool:
    """Remove the lock on `target` that a dead process of ours left; whether there was one.

    The caller knows (from its journal) that `temporary` was ours and that its maker is dead. A lock that is another
    file is somebody else's and stays. The temporary is removed in any case.
    """
    lock = lock_of(target)
    try:
        is_ours = lock.lstat().st_ino == temporary.lstat().st_ino and lock.samefile(temporary)
    except FileNotFoundError:
        is_ours = False
    if is_ours:
        lock.unlink(missing_ok=True)
    temporary.unlink(missing_ok=True)
    return is_ours


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    """Write a new file; never one that exists, for it may be linked to a live target since a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        _write_all(handle, data, durable=durable)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes, *, durable: bool) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    if durable:
        os.fsync(handle)


def _sync_names(folder: Path) -> None:
    """Make the names in a folder durable; one that is gone again was emptied by somebody who packed what was in it.

    That is no failure: the change has happened, and who hears otherwise would make it twice.
    """
    with contextlib.suppress(FileNotFoundError):
        files.sync_folder(folder)


def _take(target: Path, temporary: Path, data: bytes) -> None:
    lock = lock_of(target)
    try:
        os.link(temporary, lock)
    except FileExistsError as error:
        raise LockBusy(str(lock)) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _take_without_links(lock, data)


def _take_without_links(lock: Path, data: bytes) -> None:
    """Take the lock as git does, where the file system has no links; nobody can prove later whose it was."""
    try:
        _write(lock, data, durable=True)
    except FileExistsError as error:
        raise LockBusy(str(lock)) from error
    except OSError:
        lock.unlink(missing_ok=True)
        raise
