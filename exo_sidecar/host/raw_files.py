"""Files of a checkout as they are, byte for byte: looked at, taken away and put back without any filter of git.

No link is followed on the way to a path, and nothing is taken away that is not what the caller saw.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from exo_sidecar.base import files
from exo_sidecar.git.objects import object_id
from exo_sidecar.git.oid import ZERO, Oid
from exo_sidecar.git.tree import FILE_MODE, TREE_MODE
from exo_sidecar.host.changes import Entry

PROGRAM_MODE: Final = 0o100755
LINK_MODE: Final = 0o120000
FOLDER: Final = Entry(TREE_MODE, ZERO)
"""Stands for a folder: what is in it has paths of its own."""
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK_BYTES: Final = 1 << 20
_TEMPORARY: Final = ".exo-restoring-"
_PERMISSIONS: Final = 0o777


def state(root: Path, path: str) -> Entry | None:
    """Return what is at the path: mode and content id as git would store the bytes; None when nothing is there.

    A file that changes while it is read, and what is neither file, link nor folder, has the content id ZERO.
    """
    with _folder(root, path) as found:
        return _state(*found) if found is not None else None


def permissions(root: Path, path: str) -> int | None:
    """Return the permission bits of a plain file, None when there is none."""
    with _folder(root, path) as found:
        if found is None:
            return None
        facts = _facts(*found)
        return stat.S_IMODE(facts.st_mode) & _PERMISSIONS if facts and stat.S_ISREG(facts.st_mode) else None


def remove(root: Path, path: str, expected: Entry) -> bool:
    """Take a file or link away, if it is still `expected`; folders that become empty go with it."""
    with _folder(root, path) as found:
        if found is None:
            return False
        before = _facts(*found)
        # What is written while it is looked at is not lost: it is another file then, and stays.
        if before is None or _state(*found) != expected or _key(_facts(*found)) != _key(before):
            return False
        os.unlink(found[1], dir_fd=found[0])
    _prune(root, path)
    return True


def write(root: Path, path: str, fill: Callable[[int], None], permitted: int, *, durable: bool) -> None:
    """Put a plain file in its place, whole or not at all; `fill` writes its content to the open file it gets."""
    with files.folder_beneath(root, path, create=True) as (folder, name):
        temporary = _temporary(path)
        handle = os.open(temporary, _WRITE, 0o600, dir_fd=folder)
        try:
            fill(handle)
            os.fchmod(handle, permitted)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        _install(folder, temporary, name)


def link(root: Path, path: str, target: bytes) -> None:
    """Put a symbolic link in its place."""
    with files.folder_beneath(root, path, create=True) as (folder, name):
        temporary = _temporary(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        os.symlink(target, os.fsencode(temporary), dir_fd=folder)
        _install(folder, temporary, name)


def target(root: Path, path: str) -> bytes:
    """Return where a symbolic link leads; OSError when it is none any more."""
    with files.folder_beneath(root, path, create=False) as (folder, name):
        return os.readlink(os.fsencode(name), dir_fd=folder)


@contextlib.contextmanager
def _folder(root: Path, path: str) -> Iterator[tuple[int, str] | None]:
    """Yield the folder of a path and its last part; None where the way there leads over what is no folder."""
    try:
        opened = files.folder_beneath(root, path, create=False)
        found = opened.__enter__()
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        yield None
        return
    with contextlib.ExitStack() as stack:
        stack.push(opened)
        yield found


def _facts(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _state(folder: int, name: str) -> Entry | None:
    facts = _facts(folder, name)
    if facts is None:
        return None
    if stat.S_ISDIR(facts.st_mode):
        return FOLDER
    if stat.S_ISLNK(facts.st_mode):
        return Entry(LINK_MODE, object_id("blob", os.readlink(os.fsencode(name), dir_fd=folder)))
    if not stat.S_ISREG(facts.st_mode):
        return Entry(0, ZERO)
    mode = PROGRAM_MODE if facts.st_mode & stat.S_IXUSR else FILE_MODE
    handle = os.open(name, _READ, dir_fd=folder)
    try:
        return Entry(mode, _content(handle))
    finally:
        os.close(handle)


def _content(handle: int) -> Oid:
    size = os.fstat(handle).st_size
    found = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    left = size
    while part := os.read(handle, _CHUNK_BYTES):
        found.update(part)
        left -= len(part)
    return ZERO if left else Oid(found.hexdigest())


def _key(facts: os.stat_result | None) -> tuple[int, ...]:
    if facts is None:
        return ()
    return facts.st_ino, facts.st_dev, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _install(folder: int, temporary: str, name: str) -> None:
    with contextlib.suppress(NotADirectoryError, FileNotFoundError):
        os.rmdir(name, dir_fd=folder)  # an empty folder holds no work
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def _prune(root: Path, path: str) -> None:
    for parent in PurePosixPath(path).parents:
        if parent.name:
            try:
                (root / parent).rmdir()
            except OSError:
                return


def _temporary(path: str) -> str:
    """Return a name that a second try uses again, so that a kill leaves nothing for long; any file may have it."""
    return _TEMPORARY + hashlib.sha1(os.fsencode(path), usedforsecurity=False).hexdigest()[:16]
