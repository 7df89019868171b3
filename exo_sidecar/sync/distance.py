"""Distance: how many events this clone and a remote have that the other had not when it was last seen."""

import itertools
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import commits, lone_swap, tree
from exo_sidecar.git.objects import ObjectDamaged, ObjectMissing, Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.store import layout
from exo_sidecar.store.governed import Governed

_FILES_MAX: Final = 20_000
"""A status must not take long because somebody pushed a million files."""


class Distance(NamedTuple):
    """Events ahead and behind, and when the remote was last seen (seconds since 1970, None: never)."""

    ahead: int
    behind: int
    seen_at: float | None
    readable: bool = True
    """Whether what the remote showed last can be read; the numbers are of what could be."""


def tracking_ref(governed: Governed, remote: str) -> str:
    """Return the ref that remembers the remote's tip."""
    return f"refs/remotes/{remote}/{governed.branch}"


def note(governed: Governed, remote: str, tip: Oid | None) -> None:
    """Remember the remote's tip, and that it was seen now."""
    repository = governed.repository
    name = tracking_ref(governed, remote)
    before = repository.refs.read(name)
    if before != tip and tip is not None:
        lone_swap.swap(repository, name, old=before, new=tip)
    _seen(governed, remote).parent.mkdir(parents=True, exist_ok=True)
    _seen(governed, remote).touch()


def measure(governed: Governed, remote: str) -> Distance:
    """Return how far apart both were when the remote was last seen; no connection is made."""
    theirs = governed.repository.refs.read(tracking_ref(governed, remote))
    tip = governed.tip()
    try:
        seen_at: float | None = _seen(governed, remote).stat().st_mtime
    except FileNotFoundError:
        seen_at = None
    if theirs == tip:
        return Distance(0, 0, seen_at)
    return _count(governed.repository, theirs, tip)._replace(seen_at=seen_at)


def between(repository: Repository, theirs: Oid | None, ours: Oid | None) -> tuple[int, int]:
    """Return the number of events that only `ours` has, and that only `theirs` has; cost follows the difference.

    In a partial clone what plain git fetched of theirs may not be here: each segment or folder of it counts as one.
    """
    apart = _count(repository, theirs, ours)
    return apart.ahead, apart.behind


def _count(repository: Repository, theirs: Oid | None, ours: Oid | None) -> Distance:
    """Count per writer: a redaction moves lines from one segment to another."""
    objects = repository.objects
    growth: dict[str, int] = defaultdict(int)
    missing = 0
    readable = True
    try:
        old, new = (commits.tree_of(objects, commit) for commit in (theirs, ours))
        for change in itertools.islice(tree.diff(objects, old, new, layout.LEDGER), _FILES_MAX):
            segment = layout.parse_segment(change.path)
            if segment is not None:
                growth[segment.writer] += _growth(objects, change)
    except ObjectMissing:
        missing = 1
    except ObjectDamaged:
        readable = False
    ahead = sum(number for number in growth.values() if number > 0)
    behind = sum(-number for number in growth.values() if number < 0)
    return Distance(ahead, behind + missing, None, readable)


def _growth(objects: Objects, change: tree.Change) -> int:
    """Return by how many events our segment is longer than theirs."""
    ours = _lines(objects, change.new)
    try:
        return ours - _lines(objects, change.old)
    except ObjectMissing:
        return -1


def _lines(objects: Objects, entry: tree.Entry | None) -> int:
    return objects.read(entry.oid).data.count(b"\n") if entry is not None and entry.mode == tree.FILE_MODE else 0


def _seen(governed: Governed, remote: str) -> Path:
    return governed.folder / "remotes" / remote.replace("/", "_")
