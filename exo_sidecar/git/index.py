"""The git index of the mount: patched in place, because everything that costs with the number of files is in it.

Version 2 only, which is what git writes unless told otherwise; extensions are caches and are dropped. The index must
follow each of our commits: where it does not, a plain `git commit` by hand in the mount takes our changes back.
"""

import hashlib
import os
import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import lockfile
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.tree import FILE_MODE
from exo_sidecar.model.errors import Integrity

_HEADER: Final = struct.Struct(">4sLL")
_ENTRY: Final = struct.Struct(">10L20sH")
_FIXED_BYTES: Final = _ENTRY.size
_CHECKSUM_BYTES: Final = 20
_FLAGS_AT: Final = 60
_LENGTH_MAX: Final = 0x0FFF
"""The length field's largest value; a longer name ends at its NUL."""
_STAGE_MASK: Final = 0x30
_WORD: Final = 0xFFFFFFFF
_SPLIT: Final = b"link"
_SPARSE: Final = b"sdir"
_LIMIT_BYTES: Final = 512 << 20


class IndexUnusable(Integrity):
    """The index is of a form that is not patched (version 3 or 4, split, sparse, mid-merge) or is damaged.

    Nothing is lost by building it anew from the tree: `git.checkout.update_index` does.
    """

    code = "INDEX_UNUSABLE"
    advice = "exo sidecar-repair builds the index of .exo anew"


class Indexed(NamedTuple):
    """What the index knows of one path, for telling an edited file from an untouched one without opening it."""

    oid: Oid
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Staged(NamedTuple):
    """A file's content and its state on disk, taken after it was written; without one git looks at the file again."""

    oid: Oid
    status: os.stat_result | None


def read(path: Path) -> dict[str, Indexed]:
    """Return the entries of the index at `path` in their order, none when it is absent; IndexUnusable."""
    data = _load(path)
    starts, _ = _layout(data)
    return {_name_at(data, start).decode(errors="surrogateescape"): _indexed(data, start) for start in starts}


def read_some(path: Path, names: Iterable[str]) -> dict[str, Indexed]:
    """Return the entries of `names` alone, those that there are; a tenth of the cost of `read`. IndexUnusable."""
    data = _load(path)
    starts, _ = _layout(data)
    found = {}
    for name in names:
        encoded = name.encode(errors="surrogateescape")
        place = bisect_left(starts, encoded, key=partial(_name_at, data))
        if place < len(starts) and _name_at(data, starts[place]) == encoded:
            found[name] = _indexed(data, starts[place])
    return found


def is_unchanged(indexed: Indexed, status: os.stat_result) -> bool:
    """Whether the file with `status` is surely the one that was staged: size, both times and inode agree."""
    return (
        indexed.size == status.st_size & _WORD
        and indexed.mtime_ns == status.st_mtime_ns
        and indexed.ctime_ns == status.st_ctime_ns
        and indexed.inode == status.st_ino & _WORD
    )


def patch(index: Path, changes: Mapping[str, Staged | None], temporary: Path) -> None:
    """Stage `changes` (None removes) in the index under git's lock; an absent index counts as empty.

    `temporary` is the lock's proof (git.lockfile).

    Raises:
        IndexUnusable: it must be built anew instead; nothing was changed.
        LockBusy: somebody holds the lock.
    """
    with lockfile.held(index, temporary, b"", durable=False) as lock:
        lock.write(_sealed(_patched(_load(index), changes)), durable=False)
        lock.install(durable=False)


def build(index: Path, entries: Iterable[tuple[str, Staged]], temporary: Path) -> None:
    """Replace the index by one that holds just `entries`, under git's lock; LockBusy."""
    named = sorted((path.encode(errors="surrogateescape"), staged) for path, staged in entries)
    parts = [_HEADER.pack(b"DIRC", 2, len(named)), *(_entry(name, staged) for name, staged in named)]
    lockfile.replace(index, temporary, _sealed(b"".join(parts)), durable=False)


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT_BYTES + 1)
    except FileNotFoundError:
        return _sealed(_HEADER.pack(b"DIRC", 2, 0))
    if len(data) < _HEADER.size + _CHECKSUM_BYTES or len(data) > _LIMIT_BYTES:
        raise _unusable(path, f"it is {len(data)} bytes long")
    if data[-_CHECKSUM_BYTES:] != _sha1(data[:-_CHECKSUM_BYTES]):  # with index.skipHash, zeros: as after a power cut
        raise _unusable(path, "its checksum is wrong")
    if _HEADER.unpack_from(data)[:2] != (b"DIRC", 2):
        raise _unusable(path, "it is not of version 2")
    return data


def _layout(data: bytes) -> tuple[list[int], int]:
    """Return where each entry starts, and where the last one ends; IndexUnusable."""
    starts = []
    position = _HEADER.size
    last = len(data) - _CHECKSUM_BYTES
    merging = 0
    try:
        for _ in range(_HEADER.unpack_from(data)[2]):
            starts.append(position)
            high = data[position + _FLAGS_AT]
            merging |= high
            length = (high & 0x0F) << 8 | data[position + _FLAGS_AT + 1]
            if length == _LENGTH_MAX:
                length = data.index(b"\0", position + _FIXED_BYTES) - position - _FIXED_BYTES
            position += (_FIXED_BYTES + length + 8) & ~7
    except (IndexError, ValueError):
        position = last + 1
    if position > last:
        message = "the index is cut short"
        raise IndexUnusable(message)
    if merging & _STAGE_MASK:
        message = "the index holds an unfinished merge"
        raise IndexUnusable(message)
    _check_extensions(data, position, last)
    return starts, position


def _check_extensions(data: bytes, position: int, last: int) -> None:
    """Refuse those that change what the entries mean; the others are caches."""
    while position + 8 <= last:
        name, length = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8])
        if name in {_SPLIT, _SPARSE}:
            message = f"the index has the extension {name.decode()}"
            raise IndexUnusable(message)
        position += 8 + length


def _indexed(data: bytes, start: int) -> Indexed:
    fields = _ENTRY.unpack_from(data, start)
    mtime_ns = fields[2] * 1_000_000_000 + fields[3]
    ctime_ns = fields[0] * 1_000_000_000 + fields[1]
    return Indexed(Oid(fields[10].hex()), fields[6], fields[9], mtime_ns, ctime_ns, fields[5])


def _name_at(data: bytes, start: int) -> bytes:
    return data[start + _FIXED_BYTES : data.index(b"\0", start + _FIXED_BYTES)]


def _patched(data: bytes, changes: Mapping[str, Staged | None]) -> bytes:
    """Return header and entries of `data` with entries added, replaced and removed; the rest is copied whole."""
    starts, end = _layout(data)
    bounds = [*starts, end]
    parts = []
    position = _HEADER.size
    count = len(starts)
    named = sorted((path.encode(errors="surrogateescape"), staged) for path, staged in changes.items())
    for name, staged in named:
        place = bisect_left(starts, name, key=partial(_name_at, data))
        is_present = place < len(starts) and _name_at(data, starts[place]) == name
        parts.append(data[position : bounds[place]])
        position = bounds[place + is_present]
        count += (staged is not None) - is_present
        if staged is not None:
            parts.append(_entry(name, staged))
    parts.append(data[position:end])
    return b"".join([_HEADER.pack(b"DIRC", 2, count), *parts])


def _entry(name: bytes, staged: Staged) -> bytes:
    padding = 8 - (_FIXED_BYTES + len(name)) % 8
    return _fixed(staged, name) + name + bytes(padding)


def _fixed(staged: Staged, name: bytes) -> bytes:
    status = staged.status
    oid, length = bytes.fromhex(staged.oid), min(len(name), _LENGTH_MAX)
    if status is None:
        return _ENTRY.pack(0, 0, 0, 0, 0, 0, FILE_MODE, 0, 0, 0, oid, length)
    ctime_seconds, ctime_rest = divmod(status.st_ctime_ns, 1_000_000_000)
    mtime_seconds, mtime_rest = divmod(status.st_mtime_ns, 1_000_000_000)
    return _ENTRY.pack(
        ctime_seconds & _WORD,
        ctime_rest,
        mtime_seconds & _WORD,
        mtime_rest,
        status.st_dev & _WORD,
        status.st_ino & _WORD,
        FILE_MODE,
        status.st_uid & _WORD,
        status.st_gid & _WORD,
        status.st_size & _WORD,
        oid,
        length,
    )


def _sealed(body: bytes) -> bytes:
    return body + _sha1(body)


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _unusable(path: Path, reason: str) -> IndexUnusable:
    return IndexUnusable(f"the index {path} cannot be patched: {reason}")
