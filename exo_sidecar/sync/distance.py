"""Distance: how many events this clone and a remote have that the other had not when it was last seen."""

from pathlib import Path
from typing import NamedTuple

from exo_sidecar.git import commits, lone_swap, tree
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.store import layout
from exo_sidecar.store.governed import Governed


class Distance(NamedTuple):
    """Events ahead and behind, and when the remote was last seen (seconds since 1970, None: never)."""

    ahead: int
    behind: int
    seen_at: float | None


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
    ahead, behind = between(governed.repository, theirs, tip)
    return Distance(ahead, behind, seen_at)


def between(repository: Repository, theirs: Oid | None, ours: Oid | None) -> tuple[int, int]:
    """Return the number of events that only `ours` has, and that only `theirs` has; cost follows the difference."""
    ahead = behind = 0
    old, new = (commits.tree_of(repository.objects, commit) for commit in (theirs, ours))
    for change in tree.diff(repository.objects, old, new, layout.LEDGER):
        if layout.parse_segment(change.path) is None:
            continue
        growth = _lines(repository.objects, change.new) - _lines(repository.objects, change.old)
        ahead += max(0, growth)
        behind += max(0, -growth)
    return ahead, behind


def _lines(objects: Objects, entry: tree.Entry | None) -> int:
    return objects.read(entry.oid).data.count(b"\n") if entry is not None and entry.mode == tree.FILE_MODE else 0


def _seen(governed: Governed, remote: str) -> Path:
    return governed.folder / "remotes" / remote.replace("/", "_")
