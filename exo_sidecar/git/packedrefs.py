"""The `packed-refs` file: looked up by bytes, so that many refs cost no parsing; lines removed under its lock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exo_sidecar.git import lockfile
from exo_sidecar.git.oid import Oid, is_oid

_OID_LENGTH: Final = 40


def find(path: Path, name: str) -> Oid | None:
    """Return the packed value of `name`, None when it is not packed."""
    data = _read(path)
    span = _line_of(data, name)
    return None if span is None else Oid(data[span[0] : span[0] + _OID_LENGTH].decode())


def with_prefix(path: Path, prefix: str) -> Iterator[tuple[str, Oid]]:
    """Yield the packed refs whose names start with `prefix`."""
    wanted = prefix.encode()
    for line in _read(path).split(b"\n"):
        if line[_OID_LENGTH + 1 :].startswith(wanted) and line[:1] not in {b"#", b"^"}:
            oid = line[:_OID_LENGTH].decode("ascii", errors="replace")
            if is_oid(oid):
                yield line[_OID_LENGTH + 1 :].decode(errors="surrogateescape"), Oid(oid)


def remove(path: Path, name: str, temporary: Path) -> None:
    """Remove the line of `name`, with the peeled one that follows it, under the file's lock; LockBusy."""
    if _line_of(_read(path), name) is None:
        return
    with lockfile.held(path, temporary, b"", durable=False) as lock:
        data = _read(path)
        span = _line_of(data, name)
        if span is None:
            return
        start, end = span
        while data[end : end + 1] == b"^":
            end = data.find(b"\n", end) + 1 or len(data)
        lock.write(data[:start] + data[end:], durable=True)
        lock.install(durable=True)


def _line_of(data: bytes, name: str) -> tuple[int, int] | None:
    """Return start and end (after the line break) of the line of `name`."""
    wanted = b" " + name.encode(errors="surrogateescape")
    position = data.find(wanted)
    while position >= 0:
        start, end = position - _OID_LENGTH, position + len(wanted)
        is_line = start >= 0 and data[start - 1 : start] in ({b"\n"} if start else {b""})
        if is_line and data[end : end + 1] in {b"\n", b""} and is_oid(data[start:position].decode("latin-1")):
            return start, min(end + 1, len(data))
        position = data.find(wanted, position + 1)
    return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
