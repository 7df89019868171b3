"""What a pack would inflate to is found out in constant memory, whatever it says of itself."""

import hashlib
import io
import subprocess
import tracemalloc
import zlib
from pathlib import Path

import pytest

from exo_sidecar.git import pack_limits
from exo_sidecar.git.pack_limits import OBJECT_BYTES_MAX, PackRefused
from tests.support.repositories import a_repository, commit_files, git

BLOB, OFFSET_DELTA, NAMED_DELTA = 3, 6, 7


def header(kind: int, size: int) -> bytes:
    """Return the head of a packed object."""
    first, size = kind << 4 | size & 15, size >> 4
    parts = [first]
    while size:
        parts[-1] |= 0x80
        parts.append(size & 0x7F)
        size >>= 7
    return bytes(parts)


def number(size: int) -> bytes:
    """Return a size as a delta begins with it."""
    parts = [size & 0x7F]
    while size := size >> 7:
        parts[-1] |= 0x80
        parts.append(size & 0x7F)
    return bytes(parts)


def pack(*objects: bytes, count: int | None = None) -> io.BytesIO:
    """Return a pack of these objects."""
    data = b"PACK" + (2).to_bytes(4, "big") + (len(objects) if count is None else count).to_bytes(4, "big")
    data += b"".join(objects)
    return io.BytesIO(data + hashlib.sha1(data, usedforsecurity=False).digest())


def blob(data: bytes, size: int | None = None) -> bytes:
    """Return a packed blob that says it has `size` bytes."""
    return header(BLOB, len(data) if size is None else size) + zlib.compress(data, 9)


def delta(made: int) -> bytes:
    """Return a packed delta that says it makes so many bytes."""
    content = number(4) + number(made) + b"\x90\x04"
    return header(NAMED_DELTA, len(content)) + b"\1" * 20 + zlib.compress(content)


def zeros(size: int) -> bytes:
    """Return the compressed form of so many zeros, without holding them."""
    deflater = zlib.compressobj(9)
    parts = [deflater.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, deflater.flush()])


def test_what_git_itself_packs_is_taken(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    for round_ in range(20):
        text = "".join(f"line {line} {round_ if line == 7 else ''}\n" for line in range(500))
        commit_files(repository, {"a.txt": text, "b/c.txt": f"{round_}\n", "d.bin": "x" * (round_ * 4000)})
    names = git(repository, "rev-list", "--objects", "--all")
    for options in (["--delta-base-offset"], ["--thin"], ["--window=50", "--depth=50", "--delta-base-offset"]):
        made = subprocess.run(
            ["git", "pack-objects", "--stdout", "-q", *options],
            cwd=repository,
            input="\n".join(line.split()[0] for line in names.splitlines()).encode(),
            capture_output=True,
            check=True,
        )
        pack_limits.check(io.BytesIO(made.stdout), "hub")


def test_an_object_up_to_the_limit_is_taken_and_one_beyond_it_is_not() -> None:
    pack_limits.check(pack(header(BLOB, OBJECT_BYTES_MAX) + zeros(OBJECT_BYTES_MAX), blob(b"after")), "hub")
    with pytest.raises(PackRefused, match="more than 16 MiB"):
        pack_limits.check(pack(header(BLOB, OBJECT_BYTES_MAX + 1) + zeros(OBJECT_BYTES_MAX)), "hub")


def test_a_gigabyte_that_comes_as_a_megabyte_costs_no_memory() -> None:
    small = pack(header(BLOB, 100) + zeros(64 << 20))
    tracemalloc.start()
    with pytest.raises(PackRefused, match="longer than it says"):
        pack_limits.check(small, "hub")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "bad",
    [
        pack(delta(1 << 30)),
        pack(delta((1 << 63) + 5)),
        pack(b"\xff" * 40),
        pack(blob(b"x"), count=2),
        pack(count=1 << 31),
        pack(header(BLOB, 3) + b"no zlib at all"),
        pack(header(OFFSET_DELTA, 3) + b"\xff" * 40),
        io.BytesIO(b"PACK\0\0\0\2\0\0\0\1"),
        pack(header(BLOB, 9) + zlib.compress(b"x" * 9)[:-5]),
    ],
    ids=["delta", "huge delta", "endless size", "missing", "count", "no zlib", "endless offset", "nothing", "cut"],
)
def test_a_pack_that_is_none_is_refused(bad: io.BytesIO) -> None:
    with pytest.raises(PackRefused, match="what hub sends is refused"):
        pack_limits.check(bad, "hub")


def test_small_deltas_are_taken() -> None:
    pack_limits.check(pack(blob(b"base"), delta(4), delta(1000)), "hub")
