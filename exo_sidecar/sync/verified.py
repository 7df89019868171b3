"""Verified: per remote the highest event of each writer that was taken from it (docs/sync.md, "Steps").

A vector of `(seq, digest)` under `<common>/exo/verified/`. A fetched ledger must still hold each of them at the same
digest, wherever git history went meanwhile: a ledger that lost or changed one is refused.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base import files
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import FormatTooNew, Integrity
from exo_sidecar.store import codec, layout, union
from exo_sidecar.store.index import Index

Vector = dict[str, tuple[int, str]]

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
LEDGER_FILES_MAX: Final = 200_000


class SyncRefused(Integrity):
    """The remote's ledger has lost or changed what was verified here, or is larger than any ledger of ours."""

    code = "SYNC_REFUSED"
    advice = "nothing here was changed; ask who rewrote the branch, and see docs/sync.md"


class Lost(NamedTuple):
    """A verified event that a ledger does not hold."""

    writer: str
    seq: int


def read(folder: Path, remote: str) -> Vector:
    """Return what was verified from the remote, empty before the first time."""
    try:
        return msgspec.json.decode(_path(folder, remote).read_bytes()[:_FILE_BYTES_MAX], type=Vector)
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def write(folder: Path, remote: str, vector: Mapping[str, tuple[int, str]]) -> None:
    """Remember what was verified."""
    path = _path(folder, remote)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(path, msgspec.json.encode(dict(sorted(vector.items()))))


def joined(one: Vector, other: Vector) -> Vector:
    """Return the further event of each writer: of two processes that verify at once neither undoes the other's."""
    return {**other, **{writer: head for writer, head in one.items() if head[0] >= other.get(writer, (0, ""))[0]}}


def of_tree(index: Index, objects: Objects, ours: Oid | None, theirs: Oid | None) -> Vector:
    """Return the heads that the tree `theirs` holds, the index being a fold that includes it and `ours` its canon."""
    heads: Vector = {
        writer: (seq, digest) for writer, seq, digest in index.db.execute("SELECT writer, seq, digest FROM writers")
    }
    for writer in _differing(objects, ours, theirs):
        heads.pop(writer, None)
        head = _last_event(index, writer, union.lines_of(objects, theirs, writer))
        if head is not None:
            heads[writer] = head
    return heads


def _last_event(index: Index, writer: str, lines: list[bytes]) -> tuple[int, str] | None:
    """Return the last line that counts: damage stands behind it, and its name here may be that of another branch."""
    clone = layout.clone_of(writer)
    for line in reversed(lines):
        row = index.db.execute(
            "SELECT seq, digest FROM events WHERE writer >= ? AND writer < ? AND digest = ?",
            (clone, f"{clone}.", sha256_hex(line)),
        ).fetchone()
        if row is not None:
            return row[0], row[1]
    return None


def check(objects: Objects, vector: Vector, ours: Oid | None, theirs: Oid | None) -> None:
    """Refuse a fetched tree that lost or changed a verified event; SyncRefused names writers and numbers."""
    _check_format(objects, theirs)
    differing = _differing(objects, ours, theirs)
    digests: dict[str, set[str]] = {}
    lost = []
    for writer, (seq, digest) in vector.items():
        if writer not in differing:
            continue
        clone = layout.clone_of(writer)
        if clone not in digests:
            chains = union.chains_of(objects, theirs, clone).values()
            digests[clone] = {digest for lines in chains for digest in _linked(lines)}
        if digest not in digests[clone]:
            lost.append(Lost(writer, seq))
    if lost:
        named = ", ".join(f"{one.writer}:{one.seq}" for one in lost[:5])
        message = f"the remote's ledger has lost or changed events that were verified here: {named}"
        raise SyncRefused(message, events=tuple(f"{one.writer}:{one.seq}" for one in lost[:100]))


def _linked(lines: list[bytes]) -> Iterator[str]:
    """Yield the digests of the lines up to the first that does not name the one before it: nothing counts behind."""
    before: str | None = None
    for line in lines:
        try:
            event = codec.decode(line)
        except codec.MalformedError:
            return
        if before is not None and event.prev != before:
            return
        before = sha256_hex(line)
        yield before


def _differing(objects: Objects, ours: Oid | None, theirs: Oid | None) -> set[str]:
    writers: set[str] = set()
    for number, change in enumerate(tree.diff(objects, ours, theirs, layout.LEDGER)):
        segment = layout.parse_segment(change.path)
        if number > LEDGER_FILES_MAX:
            message = f"the remote's ledger has more than {LEDGER_FILES_MAX} files that differ"
            raise SyncRefused(message)
        if change.new is not None and segment is not None:
            _check_size(objects, change.path, change.new)
        if segment is not None:
            writers.add(segment.writer)
    return writers


def _check_size(objects: Objects, path: str, entry: tree.Entry) -> None:
    if entry.mode == tree.FILE_MODE and len(objects.read(entry.oid).data) > layout.FILE_BYTES_MAX:
        message = f"{path} of the remote is larger than {layout.FILE_BYTES_MAX} bytes"
        raise SyncRefused(message)


def _check_format(objects: Objects, theirs: Oid | None) -> None:
    entry = tree.entry_at(objects, theirs, layout.FORMAT) if theirs else None
    numbers = layout.parse_format(objects.read(entry.oid).data) if entry else None
    if numbers is not None and numbers.format > layout.FORMAT_NUMBER:
        message = f"the remote's branch has format {numbers.format}; this program reads {layout.FORMAT_NUMBER}"
        raise FormatTooNew(message)


def _path(folder: Path, remote: str) -> Path:
    return folder / "verified" / f"{_UNFIT.sub('_', remote)}.json"
