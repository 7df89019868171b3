"""Files that are there whole or not at all, opened without following links out of their root.

`root` arguments are folders that the caller trusts; `relative` is a `/`-separated path below it, of which no
component may be a link. Nothing here knows what a file means.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
TEMPORARY: Final = re.compile(r"\.(.+)\.[0-9a-f]{12}\.tmp")
"""Name of the temporary file beside a file that is being written, and in it that file's name."""


class TooLargeError(OSError):
    """A file is larger than its reader allows."""


class NotRegularError(OSError):
    """A path names a link, a folder or a device where a plain file is expected."""


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data` through a temporary file beside it; with `durable` it survives a power cut."""
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        _write_new(temporary, data, dir_fd=None, durable=durable)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_beneath(root: Path, relative: str, data: bytes, *, durable: bool = True) -> None:
    """Replace the file `relative` below `root`, making folders as needed and following no link on the way."""
    with folder_beneath(root, relative, create=True) as (folder, name):
        temporary = f".{name}.{os.urandom(6).hex()}.tmp"
        try:
            _write_new(temporary, data, dir_fd=folder, durable=durable)
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise


def read_beneath(root: Path, relative: str, *, limit_bytes: int) -> bytes | None:
    """Return the plain file `relative` below `root`, None when it is absent; NotRegularError, TooLargeError."""
    try:
        with folder_beneath(root, relative, create=False) as (folder, name):
            handle = os.open(name, _READ, dir_fd=folder)
            return _read_all(handle, relative, limit_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if isinstance(error, NotRegularError | TooLargeError):
            raise
        raise NotRegularError(error.errno, f"cannot be opened as a plain file: {error.strerror}", relative) from error


def remove_beneath(root: Path, relative: str) -> None:
    """Remove the file `relative` below `root`, if it is there."""
    with (
        contextlib.suppress(FileNotFoundError, NotADirectoryError),
        folder_beneath(root, relative, create=False) as (folder, name),
    ):
        os.unlink(name, dir_fd=folder)


@contextlib.contextmanager
def folder_beneath(root: Path, relative: str, *, create: bool) -> Iterator[tuple[int, str]]:
    """Yield a descriptor of the folder that holds `relative` and its last component, opened step by step."""
    *folders, name = relative.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in (*folders, name)):
        message = "not a plain relative path"
        raise NotRegularError(0, message, relative)
    current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=current)
            following = os.open(part, _FOLDER, dir_fd=current)
            os.close(current)
            current = following
        yield current, name
    finally:
        os.close(current)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_new(name: str | Path, data: bytes, *, dir_fd: int | None, durable: bool) -> None:
    handle = os.open(name, _CREATE, 0o666, dir_fd=dir_fd)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def _read_all(handle: int, relative: str, limit_bytes: int) -> bytes:
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            message = "not a plain file"
            raise NotRegularError(0, message, relative)
        if found.st_size > limit_bytes:
            message = f"larger than {limit_bytes} bytes"
            raise TooLargeError(0, message, relative)
        parts = []
        while part := os.read(handle, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(handle)
