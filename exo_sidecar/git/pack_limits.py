"""What a received pack would inflate to, found out in constant memory before anything is built from it.

An object's size stands before its content, and a delta begins with the size of what it makes: a megabyte can claim a
gigabyte. Here content is inflated piece by piece and dropped, so a pack that lies about its sizes is found out, too.
"""

import zlib
from collections.abc import Iterator
from typing import IO, Final

from exo_sidecar.model.errors import Environment

OBJECT_BYTES_MAX: Final = 16 << 20
"""What one object of a pack may inflate to: four times the largest file of the governance branch."""
PACK_INFLATED_MAX: Final = 64 << 30
"""What all of them together may; a history of small changes is a thousand times its packed size."""
_PIECE_BYTES: Final = 4 << 10
_AHEAD_BYTES: Final = 64 << 10
_HEADER_BYTES: Final = 12
_OFFSET_DELTA: Final = 6
_NAMED_DELTA: Final = 7
_OID_BYTES: Final = 20
_VARINT_MAX: Final = 10
_HEAD_BYTES: Final = 2 * _VARINT_MAX
"""As much of a delta as its two sizes may take."""


class PackRefused(Environment):
    """A remote sent something that no governance branch holds, or that is no pack."""

    code = "PACK_REFUSED"
    advice = "nothing of it was stored; ask who pushed to the governance branch last"


class _Source:
    """The bytes of a pack, read ahead."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ready = b""
        self._place = 0

    def piece(self, count: int = _PIECE_BYTES) -> bytes:
        """Return at least one byte and at most `count`; PackRefused at the end."""
        if self._place == len(self._ready):
            self._ready, self._place = self._file.read(_AHEAD_BYTES), 0
        found = self._ready[self._place : self._place + count]
        self._place += len(found)
        if not found:
            message = "it is cut short"
            raise PackRefused(message)
        return found

    def byte(self) -> int:
        """Return one byte."""
        return self.piece(1)[0]

    def put_back(self, count: int) -> None:
        """Go back by some bytes of the last piece."""
        self._place -= count


def check(pack: IO[bytes], sender: str) -> None:
    """Refuse a pack, read from its beginning, with an object too large for any record; PackRefused names `sender`."""
    try:
        total = 0
        for size in _sizes(pack):
            total += size
            _check_size(size, total)
    except (PackRefused, zlib.error) as error:
        message = f"what {sender} sends is refused: {error}"
        raise PackRefused(message) from error


def _check_size(size: int, total: int) -> None:
    if size > OBJECT_BYTES_MAX:
        message = f"an object of it inflates to more than {OBJECT_BYTES_MAX >> 20} MiB"
        raise PackRefused(message)
    if total > PACK_INFLATED_MAX:
        message = f"it inflates to more than {PACK_INFLATED_MAX >> 30} GiB"
        raise PackRefused(message)


def _sizes(pack: IO[bytes]) -> Iterator[int]:
    """Yield the size of each object before it is inflated, and of what a delta makes."""
    count = int.from_bytes(pack.read(_HEADER_BYTES)[8:12], "big")
    source = _Source(pack)
    for _ in range(count):
        kind, size = _header(source)
        yield size
        if kind == _OFFSET_DELTA:
            while source.byte() & 0x80:
                pass
        elif kind == _NAMED_DELTA:
            for _ in range(_OID_BYTES):
                source.byte()
        head = _inflated(source, size)
        if kind in {_OFFSET_DELTA, _NAMED_DELTA}:
            yield _made_by(head)


def _header(source: _Source) -> tuple[int, int]:
    byte = source.byte()
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        byte = source.byte()
        size |= (byte & 0x7F) << shift
        shift += 7
        if shift > 7 * _VARINT_MAX:
            message = "a size in it has too many digits"
            raise PackRefused(message)
    return kind, size


def _inflated(source: _Source, size: int) -> bytes:
    """Inflate one object to nothing and return its first bytes; PackRefused when it is longer than it said."""
    inflater = zlib.decompressobj()
    head = b""
    length = 0
    while not inflater.eof:
        found = inflater.decompress(inflater.unconsumed_tail or source.piece(), _AHEAD_BYTES)
        head = (head + found)[:_HEAD_BYTES] if len(head) < _HEAD_BYTES else head
        length += len(found)
        if length > size:
            message = "an object of it is longer than it says"
            raise PackRefused(message)
    source.put_back(len(inflater.unused_data))
    return head


def _made_by(delta: bytes) -> int:
    """Return the size of what a delta makes: the second number that it begins with."""
    place = 0
    size = 0
    for _ in range(2):
        size = shift = 0
        while place < len(delta):
            byte = delta[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
    return size
