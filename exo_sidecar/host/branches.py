"""Branches: where one stands, and the checkout's changed where nothing can be lost by that; and changed back."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from exo_sidecar.git import cgit
from exo_sidecar.git.locate import Place
from exo_sidecar.host import checkout, worktrees

GIT_SECONDS: Final = 300.0
"""A switch may write every file of the application."""


class Switched(NamedTuple):
    """What became of a switch."""

    branch: str
    """The one that was wanted."""
    before: str | None = None
    """The one that was checked out until then; None: nothing was changed."""
    created: str | None = None
    """The commit at which the branch was made; None: it was there."""
    reason: str | None = None
    """Why nothing was changed; None: it is checked out."""


def tip(place: Place, branch: str, remotes: Iterable[str]) -> str | None:
    """Return the commit of a branch, here or as a remote had it, None when there is none any more."""
    names = (f"refs/heads/{branch}", *(f"refs/remotes/{remote}/{branch}" for remote in remotes))
    return next((found for name in names if (found := checkout.commit_of(place, name)) is not None), None)


def switch(place: Place, branch: str, begin: str | None) -> Switched:
    """Check out the branch, made at `begin` (None: HEAD) when there is none; only in a clean worktree.

    Ignored files are not written over, and no hook runs. TimedOut, GitRequired.
    """
    worktree, head = place.worktree, checkout.head(place)
    if worktree is None:
        return Switched(branch, reason="there is no checkout")
    if head.branch == branch:
        return Switched(branch)
    if head.branch is None or head.commit is None:
        why = "nothing is committed yet" if head.commit is None else "HEAD is detached"
        return Switched(branch, reason=f"{why}: git switch -c {branch}")
    dirty = checkout.uncommitted(worktree)
    if dirty:
        files = "a file is" if len(dirty) == 1 else f"{len(dirty)} files are"
        return Switched(branch, reason=f"{files} changed and not committed: git switch {branch} when they are")
    begin = begin or head.commit
    is_new = checkout.commit_of(place, f"refs/heads/{branch}") is None
    words = ("--no-track", "--create", branch, begin) if is_new else (branch,)
    said = cgit.run(("switch", "--quiet", "--no-overwrite-ignore", *words), cwd=worktree, timeout_seconds=GIT_SECONDS)
    if said.status != 0:
        return Switched(branch, reason=f"git did not switch: {said.complaint}")
    return Switched(branch, before=head.branch, created=begin if is_new else None)


def back(place: Place, switched: Switched) -> None:
    """Take a switch back, where nothing was done since; whatever stands in the way is left as it is."""
    head = checkout.head(place)
    if switched.before is None or place.worktree is None or head.branch != switched.branch:
        return
    words = ("switch", "--quiet", "--no-overwrite-ignore", switched.before)
    said = cgit.run(words, cwd=place.worktree, timeout_seconds=GIT_SECONDS)
    if said.status == 0 and switched.created is not None:
        worktrees.delete_branch(place, switched.branch, switched.created)
