"""What a session that starts should know of its checkout, its branches and its machine. Nothing is fetched.

Each question is bounded in time and size. What cannot be answered raises, and whoever asks goes on without it.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import configtext, refnames
from exo_sidecar.git.locate import Place
from exo_sidecar.git.refs import Refs
from exo_sidecar.host import checkout, commit_log
from exo_sidecar.host.commit_log import QUICK_SECONDS, Commit

LOOKED_AT_MAX: Final = 50
"""Branches that are looked at, the newest first."""
LOGGED_MAX: Final = 300
"""Commits that are looked at on all of them together."""
COUNTED_MAX: Final = 10_000
_HEADS: Final = "refs/heads/"
_REMOTES: Final = "refs/remotes/"
_MEBIBYTE: Final = 1024 * 1024
_MEMINFO: Final = Path("/proc/meminfo")


class Unmerged(NamedTuple):
    """A branch whose tip HEAD has not."""

    name: str
    """As git shows it: `topic`, or `origin/topic`."""
    tip: str
    committed: int
    """When its tip was committed, in seconds since 1970, by the clock of whoever did."""
    paths: tuple[str, ...]


class Wanted(NamedTuple):
    """Which branches are asked for."""

    since: int
    """Their tips are not older, in seconds since 1970."""
    apart: frozenset[str]
    """Short names without a remote's: the governance branch, the base branch and the one that is checked out."""
    prefixes: tuple[str, ...] = ()
    """Full names that begin so are no work: branches that carry leases."""
    merged: tuple[str, ...] = ()
    """Commits that count as merged with all that they lead to: what is checked out, and where the base branch is."""


class Apart(NamedTuple):
    """How many commits each side has alone."""

    ahead: int
    behind: int


class Machine(NamedTuple):
    """What the machine has, and what it is busy with."""

    cores: int
    load: float
    memory_mib: int


class _Tip(NamedTuple):
    name: str
    commit: str
    committed: int


def unmerged(worktree: Path, wanted: Wanted) -> tuple[Unmerged, ...]:
    """Return the branches with what they change, the newest first; CheckoutUnreadable, TimedOut, GitRequired."""
    tips = _tips(worktree, wanted)
    if not tips:
        return ()
    words = (*(tip.commit for tip in tips), "--not", *wanted.merged)
    commits = commit_log.newest(worktree, *words, limit=LOGGED_MAX)
    known = {commit.id: commit for commit in commits}
    found = (Unmerged(tip.name, tip.commit, tip.committed, _paths(tip.commit, known)) for tip in tips)
    return tuple(branch for branch in found if branch.tip in known)


def behind(worktree: Path, tips: Sequence[str]) -> int:
    """Return how many commits the tips have that HEAD has not, at most COUNTED_MAX."""
    if not tips:
        return 0
    words = ("rev-list", "--count", f"--max-count={COUNTED_MAX}", *tips, "^HEAD", "--")
    return int(checkout.ask(worktree, *words, timeout_seconds=QUICK_SECONDS))


class Following(NamedTuple):
    """What a branch follows."""

    name: str
    """The full name of the ref."""
    tip: str


def upstream_of(place: Place, branch: str) -> Following | None:
    """Return what the branch follows, None when that is nothing that is known here."""
    found = {
        setting.key: setting.value
        for setting in configtext.read(place.common / "config")
        if setting.section == "branch" and setting.subsection == branch
    }
    remote, merge = found.get("remote"), found.get("merge", "")
    if remote is None or not merge.startswith(_HEADS):
        return None
    name = merge if remote == "." else f"{_REMOTES}{remote}/{merge.removeprefix(_HEADS)}"
    tip = Refs(place.common).read(name) if refnames.is_valid(name) else None
    return None if tip is None else Following(name, tip)


def apart(worktree: Path, tip: str) -> Apart:
    """Return how many commits HEAD and the commit `tip` have alone."""
    words = ("rev-list", "--count", "--left-right", f"--max-count={COUNTED_MAX}", f"HEAD...{tip}", "--")
    ahead, behind_by = checkout.ask(worktree, *words, timeout_seconds=QUICK_SECONDS).split()
    return Apart(int(ahead), int(behind_by))


def machine() -> Machine:
    """Return cores, the load of the last minute, and the memory that is available; OSError where that is not told."""
    return Machine(os.cpu_count() or 1, os.getloadavg()[0], _memory_mib())


def _tips(worktree: Path, wanted: Wanted) -> list[_Tip]:
    """Return the newest branches, one of each name: of what is here and at a remote the newest."""
    form = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(symref)"
    # Some of the newest are the base branch and its like.
    count = LOOKED_AT_MAX + len(wanted.apart) * 2
    words = ("for-each-ref", "--sort=-committerdate", f"--count={count}", f"--format={form}", _HEADS, _REMOTES)
    found: dict[str, _Tip] = {}
    for line in checkout.ask(worktree, *words, timeout_seconds=QUICK_SECONDS).splitlines():
        name, commit, committed, symbolic = line.split("\0")
        short = _short(name)
        is_old = not committed.isdecimal() or int(committed) < wanted.since
        is_apart = symbolic or short in wanted.apart or name.startswith(wanted.prefixes or ("\0",))
        if is_old or is_apart or commit in wanted.merged:
            continue
        found.setdefault(short, _Tip(name.removeprefix(_HEADS).removeprefix(_REMOTES), commit, int(committed)))
    return list(found.values())[:LOOKED_AT_MAX]


def _short(name: str) -> str:
    """Return the name of a branch without that of the remote that has it."""
    if name.startswith(_HEADS):
        return name.removeprefix(_HEADS)
    return name.removeprefix(_REMOTES).partition("/")[2]


def _paths(tip: str, known: Mapping[str, Commit]) -> tuple[str, ...]:
    """Return what the commits that lead to `tip` change, as far as they were looked at."""
    waiting, met, paths = [tip], {tip}, set[str]()
    while waiting:
        commit = known.get(waiting.pop())
        if commit is None:
            continue
        paths.update(commit.paths)
        fresh = [parent for parent in commit.parents if parent not in met]
        met.update(fresh)
        waiting += fresh
    return tuple(sorted(paths))


def _memory_mib() -> int:
    told = _told_by_linux(_lines(_MEMINFO))
    if told is not None:
        return told
    import psutil  # noqa: PLC0415  25 ms, and Linux needs it not

    return int(psutil.virtual_memory().available) // _MEBIBYTE


def _told_by_linux(lines: Iterable[str]) -> int | None:
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == "MemAvailable:" and words[1].isdecimal():
            return int(words[1]) // 1024
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
