"""Advice on branches and the worktree: what is not merged, what went on elsewhere, what was dirty. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from exo_sidecar.base import quoting
from exo_sidecar.model import advisory, duration, glob
from exo_sidecar.model.advisory import Advisory, Detail
from exo_sidecar.model.ticket import Scope

BRANCHES_MAX: Final = 5
_PATHS_MAX: Final = 3
_PATHS_DETAILED_MAX: Final = 20
_NAME_MAX: Final = 100


class BranchWork(NamedTuple):
    """A branch that is not merged into HEAD."""

    name: str
    """As git shows it: `topic`, or `origin/topic`."""
    age_seconds: int
    """Of its tip."""
    paths: tuple[str, ...]
    """What it changes that HEAD has not."""


class LastBranch(NamedTuple):
    """The branch of the ticket's last session: another one than is checked out, still there and not merged."""

    name: str
    session: str
    current: str | None


class Behind(NamedTuple):
    """How far HEAD is behind the base branch, as far as it is known here."""

    branch: str
    commits: int


class Upstream(NamedTuple):
    """How far the branch that is checked out and its upstream are apart."""

    name: str
    ahead: int
    behind: int


def unmerged_work(branches: Sequence[BranchWork], scope: Scope) -> Iterator[Advisory]:
    """Yield one advisory per branch that changed files of the scope, the newest first."""
    is_allowed, is_denied = glob.matching(scope.allow), glob.matching(scope.deny)
    shown = 0
    for branch in branches:
        paths = [path for path in branch.paths if is_allowed(path) and not is_denied(path)]
        if not paths or shown == BRANCHES_MAX:
            continue
        shown += 1
        name = _name(branch.name)
        age = duration.show(branch.age_seconds)
        files = f"{len(paths)} file{'s' if len(paths) > 1 else ''} of this scope: {_listed(paths)}"
        yield Advisory(
            kind=advisory.UNMERGED,
            severity="info",
            message=f"{name}, {age} old and not merged here, changed {files}",
            detail={"branch": name, "age_seconds": branch.age_seconds, "files": _some(paths), "count": len(paths)},
        )


def branch_mismatch(last: LastBranch | None) -> Iterator[Advisory]:
    """Yield that the ticket's last session left work on another branch."""
    if last is None:
        return
    name, current = _name(last.name), _name(last.current or "a detached HEAD")
    message = f"{last.session} worked on this ticket on {name}, which is not merged here; {current} is checked out"
    detail: dict[str, Detail] = {"branch": name, "session": last.session, "current": last.current}
    yield Advisory(kind=advisory.MISMATCH, severity="warning", message=message, detail=detail)


def base_divergence(behind: Behind | None, warned_from: int) -> Iterator[Advisory]:
    """Yield that the base branch went on; a warning from `warned_from` commits on."""
    if behind is None or behind.commits == 0:
        return
    name = _name(behind.branch)
    commits = f"{behind.commits} commit{'s' if behind.commits > 1 else ''}"
    yield Advisory(
        kind=advisory.DIVERGENCE,
        severity="warning" if behind.commits >= warned_from else "info",
        message=f"HEAD is {commits} behind {name}",
        detail={"base": name, "commits": behind.commits},
    )


def stale_branch(upstream: Upstream | None) -> Iterator[Advisory]:
    """Yield that the upstream of the branch has commits that HEAD has not."""
    if upstream is None or upstream.behind == 0:
        return
    name = _name(upstream.name)
    message = f"the branch is {upstream.behind} behind its upstream {name}"
    if upstream.ahead:
        message = f"the branch and its upstream {name} parted: {upstream.ahead} commits here, {upstream.behind} there"
    detail: dict[str, Detail] = {"upstream": name, "ahead": upstream.ahead, "behind": upstream.behind}
    yield Advisory(kind=advisory.STALE, severity="warning", message=message, detail=detail)


def dirty_worktree(paths: Sequence[str]) -> Iterator[Advisory]:
    """Yield that files were changed before the session began."""
    if not paths:
        return
    files = f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
    message = f"{files} changed before the start, not counted as this session's: {_listed(paths)}"
    detail: dict[str, Detail] = {"files": _some(paths), "count": len(paths)}
    yield Advisory(kind=advisory.DIRTY, severity="info", message=message, detail=detail)


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _PATHS_MAX} more" if len(paths) > _PATHS_MAX else ""
    return ", ".join(_name(path) for path in paths[:_PATHS_MAX]) + more


def _some(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(_name(path) for path in paths[:_PATHS_DETAILED_MAX])


def _name(text: str) -> str:
    return quoting.name(text, _NAME_MAX)
