"""Verified: per remote the highest event of each writer that was taken from it (docs/sync.md, "Steps").

A vector of `(seq, digest)` under `<common>/exo/verified/`. A fetched ledger must still hold each of them at the same
digest, wherever git history went meanwhile: a ledger that lost or changed one is refused.
"""

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base import files
from exo_sidecar.git import tree
from exo_sidecar.git.objects import ObjectDamaged, Objects
from exo_sidecar.git.oid import Oid, is_oid
from exo_sidecar.model.errors import FormatTooNew, Integrity
from exo_sidecar.model.event_pushes import LOST_MAX
from exo_sidecar.store import codec, layout, ledger, redaction, union
from exo_sidecar.store.index import Index
from exo_sidecar.store.redaction import Redactions
from exo_sidecar.sync.held import is_held
from exo_sidecar.sync.tails import TAILS_BYTES_MAX, Tails

Vector = dict[str, tuple[int, str]]

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
LEDGER_FILES_MAX: Final = 200_000
LEDGER_LINES_MAX: Final = 2_000_000
"""What a single fetch may bring: files and lines that differ from ours."""


class SyncRefused(Integrity):
    """The remote's ledger has lost or changed what was verified here, or is larger than any ledger of ours."""

    code = "SYNC_REFUSED"
    advice = (
        "nothing here was changed; ask who rewrote the branch; a person takes it as it is, and loses nothing, by: "
        'exo sync --accept-rewrite --reason "..."'
    )


class OverLimits(SyncRefused):
    """The remote's branch cannot be read, or is larger than any of ours: it is as if the remote were not there."""

    advice = "nothing here was changed; ask who wrote the branch, and put back there what it was: docs/sync.md"


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


def last_tip(folder: Path, remote: str) -> Oid | None:
    """Return the remote's tip that was verified last, None before the first."""
    try:
        text = _path(folder, remote).with_suffix(".tip").read_text().strip()
    except FileNotFoundError:
        return None
    return Oid(text) if is_oid(text) else None


def note_tip(folder: Path, remote: str, tip: Oid) -> None:
    """Remember the remote's tip that was verified last: it is named when somebody has rewritten it."""
    if last_tip(folder, remote) != tip:
        files.write_atomic(_path(folder, remote).with_suffix(".tip"), f"{tip}\n".encode())


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
        head = _last_event(index, writer, _backwards(objects, theirs, writer))
        if head is not None:
            heads[writer] = head
    return heads


def _backwards(objects: Objects, root: Oid | None, writer: str) -> Iterator[bytes]:
    """Yield the lines of a writer, the last first: the event that is looked for is nearly always the last one."""
    for segment in reversed(union.segments_of(objects, root, writer)):
        yield from reversed(union.lines_in(objects, (segment,)))


def _last_event(index: Index, writer: str, backwards: Iterator[bytes]) -> tuple[int, str] | None:
    """Return the last line that counts: damage stands behind it, and its name here may be that of another branch."""
    clone = layout.clone_of(writer)
    for line in backwards:
        row = index.db.execute(
            "SELECT seq, digest FROM events WHERE writer >= ? AND writer < ? AND digest = ?",
            (clone, f"{clone}.", codec.digest_of(line)),
        ).fetchone()
        if row is not None:
            return row[0], row[1]
    return None


def check(
    objects: Objects,
    vector: Vector,
    ours: Oid | None,
    theirs: Oid | None,
    redactions: Redactions | None = None,
    own_tails: Callable[[], int] = int,
) -> None:
    """Refuse a fetched tree that lost or changed a verified event; SyncRefused names writers and numbers.

    `redactions` are those that are known here; the fetched tree may bring others. `own_tails` says how many bytes of
    our ledger count for nothing: what comes must not make it one that others refuse.
    """
    lost = missing(objects, vector, ours, theirs, redactions, own_tails)
    if lost:
        named = ", ".join(f"{one.writer}:{one.seq}" for one in lost[:5])
        message = f"the remote's ledger has lost or changed events that were verified here: {named}"
        raise SyncRefused(message, events=tuple(f"{one.writer}:{one.seq}" for one in lost[:LOST_MAX]))


def missing(
    objects: Objects,
    vector: Vector,
    ours: Oid | None,
    theirs: Oid | None,
    redactions: Redactions | None = None,
    own_tails: Callable[[], int] = int,
) -> list[Lost]:
    """Return the events of the vector that a fetched tree lost or changed; OverLimits, FormatTooNew."""
    _check_format(objects, theirs)
    _check_limits(objects, ours, theirs, own_tails)
    differing = _differing(objects, ours, theirs)
    digests: dict[str, set[str]] = {}
    lost = []

    @functools.cache
    def announced() -> Redactions:
        lines = (line for writer in sorted(differing) for line in union.lines_of(objects, theirs, writer))
        return redaction.joined(redactions or {}, redaction.announced(lines))

    for writer, (seq, digest) in vector.items():
        if writer not in differing or is_held(objects, ours, theirs, writer, (seq, digest)):
            continue
        clone = layout.clone_of(writer)
        if clone not in digests:
            chains = union.chains_of(objects, theirs, clone).values()
            digests[clone] = {digest for lines in chains for digest in _linked(lines, announced)}
        if digest not in digests[clone]:
            lost.append(Lost(writer, seq))
    return lost


def _linked(lines: list[bytes], announced: Callable[[], Redactions]) -> Iterator[str]:
    """Yield the digests of the lines up to the first that does not name the one before it: nothing counts behind.

    Nor does anything from a line on that was redacted although no event says so.
    """
    before: str | None = None
    for line in lines:
        try:
            event = codec.decode(line)
        except codec.MalformedError:
            return
        if before is not None and event.prev != before:
            return
        if codec.is_redacted(event) and not redaction.is_allowed(event, line, announced()):
            return
        before = codec.digest_of(line)
        yield before


@contextlib.contextmanager
def unreadable_is_refused(remote: str) -> Iterator[None]:
    """Refuse the remote's branch when something of it cannot be read; OverLimits."""
    try:
        yield
    except ObjectDamaged as error:
        message = f"the branch of {remote} cannot be read: {error.message}"
        raise OverLimits(message) from error


def _differing(objects: Objects, ours: Oid | None, theirs: Oid | None) -> set[str]:
    places = (layout.parse_segment(change.path) for change in tree.diff(objects, ours, theirs, layout.LEDGER))
    return {place.writer for place in places if place is not None}


def _check_limits(objects: Objects, ours: Oid | None, theirs: Oid | None, own_tails: Callable[[], int]) -> None:
    """Refuse a fetched ledger that is larger than any of ours, or in which too much follows no event; OverLimits.

    It is read once, one segment at a time, and no further than up to where a limit is passed.
    """
    tails = Tails(objects, theirs)
    lines = 0
    own: int | None = None
    for number, change in enumerate(tree.diff(objects, ours, theirs, layout.LEDGER), 1):
        place = layout.parse_segment(change.path)
        if place is not None and change.new is not None and change.new.mode == tree.FILE_MODE:
            data = objects.read(change.new.oid).data
            lines += _lines(change.path, data)
            tails.add(place, data, _content(objects, change.old))
        if number > LEDGER_FILES_MAX or lines > LEDGER_LINES_MAX:
            what = f"{LEDGER_FILES_MAX} files" if number > LEDGER_FILES_MAX else f"{LEDGER_LINES_MAX} lines"
            message = f"the remote's ledger has more than {what} that differ"
            raise OverLimits(message)
        if tails.size and own is None:
            own = own_tails()
        if tails.size + (own or 0) > TAILS_BYTES_MAX:
            message = f"more than {TAILS_BYTES_MAX >> 20} MiB of the remote's ledger follow no event"
            raise OverLimits(message)


def _content(objects: Objects, entry: tree.Entry | None) -> bytes:
    return objects.read(entry.oid).data if entry is not None and entry.mode == tree.FILE_MODE else b""


def _lines(path: str, data: bytes) -> int:
    """Return how many lines a fetched segment has; OverLimits when exo cannot have written it."""
    lines = data.count(b"\n")
    if not ledger.is_within_limits(lines, len(data)):
        message = f"{path} of the remote has {len(data)} bytes in {lines} lines; no segment is like that"
        raise OverLimits(message)
    return lines


def _check_format(objects: Objects, theirs: Oid | None) -> None:
    entry = tree.entry_at(objects, theirs, layout.FORMAT) if theirs else None
    if entry is None or entry.mode != tree.FILE_MODE:
        return
    numbers = layout.parse_format(objects.read(entry.oid).data)
    if numbers is not None and numbers.format > layout.FORMAT_NUMBER:
        message = f"the remote's branch has format {numbers.format}; this program reads {layout.FORMAT_NUMBER}"
        raise FormatTooNew(message)


def _path(folder: Path, remote: str) -> Path:
    return folder / "verified" / f"{_UNFIT.sub('_', remote)}.json"
