"""Linked worktrees made and removed, by C git (docs/guides/worktrees.md).

One call at a time makes one in a clone, under a lock that git itself inherits: when the call is killed and its git goes
on, the next call waits for that git. What a kill of both left half-made is finished, and nothing in it is lost.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from exo_sidecar.base.alone import held
from exo_sidecar.git import cgit, linked, refnames
from exo_sidecar.git.linked import Worktree
from exo_sidecar.git.locate import Place, mount_of
from exo_sidecar.git.oid import is_oid
from exo_sidecar.git.refs import Refs
from exo_sidecar.host import checkout
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.model.errors import NotFound, Refused, TimedOut

GIT_SECONDS: Final = 300.0
"""A checkout writes every file of the application."""
UNPUSHED_MAX: Final = 50
_BRANCH: Final = "refs/heads/"
_LOCK: Final = "exo/worktrees.lock"
_LEFT_LOCK_SECONDS: Final = 60.0
"""An index lock that is older was left by a git that was killed."""
_IN_USE: Final = ("already checked out", "already used by worktree", "cannot lock ref")


class WorktreePathBusy(Refused):
    """The folder for the worktree is taken by something else."""

    code = "WORKTREE_PATH_BUSY"
    advice = "choose another folder: --path PATH"


class BranchInUse(Refused):
    """The ticket's branch is checked out elsewhere."""

    code = "BRANCH_IN_USE"
    advice = "exo worktrees --all shows where"


class BaseUnknown(NotFound):
    """The commit to begin from is not here."""

    code = "BASE_UNKNOWN"
    advice = "name a branch, tag or commit of this clone: --base NAME; git fetch brings what others have"


class WorktreeDirty(Refused):
    """The worktree holds work that would be lost."""

    code = "WORKTREE_DIRTY"
    advice = "commit and push it; a person may add --force, which saves it as a ref first"


class WorktreeBusy(Refused):
    """The worktree is in use."""

    code = "WORKTREE_BUSY"


class Wanted(NamedTuple):
    """A worktree as it is asked for."""

    branch: str
    path: Path
    """Real, and not inside of the repository's own folders."""
    commit: str
    """What the branch begins at when there is none yet."""


class Made(NamedTuple):
    """A worktree that is there."""

    worktree: Worktree
    created: bool
    """Whether this call made it."""
    new_branch: bool
    """Whether this call made its branch."""


def make(place: Place, wanted: Wanted) -> Made:
    """Return the linked worktree that has the branch checked out, made when there is none.

    Raises:
        BranchInUse: it is checked out in the main worktree, or at another path than the one wanted.
        WorktreePathBusy: something else is at the path.
        TimedOut, GitRequired.
    """
    refnames.check(f"{_BRANCH}{wanted.branch}")
    with _turn(place) as handle:
        stale = _registered(place, wanted)
        if stale is not None and stale.is_in_the_making:
            stale = _finished(place, stale)
        if stale is not None and stale.is_present:
            return Made(stale, created=False, new_branch=False)
        is_new = _is_new_branch(place, wanted)
        begin = ("-b", wanted.branch, str(wanted.path), wanted.commit) if is_new else (str(wanted.path), wanted.branch)
        force = ("--force",) if stale is not None else ()
        said = cgit.run_holding(
            ("worktree", "add", "--quiet", *force, *begin), handle, cwd=place.common, timeout_seconds=GIT_SECONDS
        )
        if said.status != 0:
            raise _not_made(wanted, said.complaint)
        made = linked.at(place, wanted.path)
        if made is None:
            message = f"git made no worktree at {wanted.path}"
            raise WorktreePathBusy(message)
        return Made(made, created=True, new_branch=is_new)


def foresee(place: Place, wanted: Wanted) -> Made:
    """Return what `make` would return, or refuse as it would; nothing is changed, and no turn is waited for.

    Raises:
        BranchInUse, WorktreePathBusy.
    """
    refnames.check(f"{_BRANCH}{wanted.branch}")
    known = _registered(place, wanted)
    if known is not None and (known.is_present or known.is_in_the_making):
        is_anew = known.is_in_the_making and not _begun(known.path)
        return Made(known, created=is_anew, new_branch=False)
    is_new = _is_new_branch(place, wanted)
    made = Worktree(wanted.path, place.common, wanted.branch, is_main=False, is_present=True, locked=None)
    return Made(made, created=True, new_branch=is_new)


def unmake(place: Place, made: Made) -> None:
    """Take back what `make` made, where nothing was done in it since; whatever stands in the way is left as it is."""
    if not made.created:
        return
    removed = cgit.run(("worktree", "remove", str(made.worktree.path)), cwd=place.common, timeout_seconds=GIT_SECONDS)
    if removed.status == 0 and made.new_branch and made.worktree.branch is not None:
        delete_branch(place, made.worktree.branch, None)


def remove(place: Place, worktree: Worktree) -> None:
    """Remove a linked worktree that git itself finds clean; WorktreeDirty, with all of it in place, when it does not.

    Raises:
        WorktreeDirty, TimedOut, GitRequired.
    """
    with _turn(place):
        said = cgit.run(("worktree", "remove", str(worktree.path)), cwd=place.common, timeout_seconds=GIT_SECONDS)
    if said.status != 0:
        message = f"git does not remove {worktree.path}: {said.complaint}"
        raise WorktreeDirty(message, path=str(worktree.path))


def delete_branch(place: Place, branch: str, tip: str | None) -> bool:
    """Delete a branch that is still at `tip` (None: wherever it is) and checked out nowhere; whether it was."""
    at = tip or checkout.commit_of(place, f"{_BRANCH}{branch}")
    if at is None or linked.on_branch(place, branch) is not None:
        return False
    # Compared and deleted in one: a commit that came in between stays.
    said = cgit.run(("update-ref", "-d", f"{_BRANCH}{branch}", at), cwd=place.common)
    return said.status == 0


def unpushed(place: Place, commit: str, kept: Sequence[str]) -> tuple[str, ...]:
    """Return commits that `commit` has and neither a remote, as last fetched, nor a ref of `kept`, the youngest first.

    At most UNPUSHED_MAX are returned.
    """
    if not is_oid(commit):
        message = f"{commit[:60]!r} is no commit id"
        raise CheckoutUnreadable(message)
    others = [name for name in kept if checkout.commit_of(place, name) is not None]
    words = ("rev-list", f"--max-count={UNPUSHED_MAX}", commit, "--not", "--remotes", *others, "--")
    return tuple(checkout.ask(place.common, *words).split())


def _registered(place: Place, wanted: Wanted) -> Worktree | None:
    """Return what git knows of a worktree for the branch or at the path; BranchInUse, WorktreePathBusy."""
    here = linked.on_branch(place, wanted.branch)
    if here is not None and here.is_main:
        message = f"{wanted.branch} is checked out in the main worktree {here.path}"
        raise BranchInUse(message, hint="work there, or switch it to another branch", path=str(here.path))
    if here is not None and here.path != wanted.path and (here.is_present or here.locked is not None):
        message = f"{wanted.branch} is checked out in {here.path}"
        raise BranchInUse(message, hint="exo worktree-create without --path returns that one", path=str(here.path))
    there = linked.at(place, wanted.path)
    if there is not None and there.branch != wanted.branch and not there.is_in_the_making:
        message = f"{wanted.path} is a worktree on {there.branch or 'no branch'}"
        raise WorktreePathBusy(message, path=str(wanted.path))
    return there or here


def _is_new_branch(place: Place, wanted: Wanted) -> bool:
    """Whether the branch of a worktree that can be made is a new one; refuse what git would refuse, or should."""
    _check_path(place, wanted.path)
    is_new = checkout.commit_of(place, f"{_BRANCH}{wanted.branch}") is None
    if is_new and (other := _in_the_way(place, wanted.branch)) is not None:
        message = f"git cannot have the branch {wanted.branch} beside {other}: one would be a folder of the other"
        raise BranchInUse(message, hint=f"rename {other}, or choose another sessions.branch_prefix", branch=other)
    return is_new


def _in_the_way(place: Place, branch: str) -> str | None:
    """Return a branch whose name is the beginning of a new one's, or the other way round, part by part."""
    refs = Refs(place.common)
    outer = [str(parent) for parent in PurePosixPath(branch).parents if parent.name]
    found = next((each for each in outer if refs.read(f"{_BRANCH}{each}") is not None), None)
    inner = next(iter(refs.list(f"{_BRANCH}{branch}/")), None) if found is None else None
    return found or (inner.removeprefix(_BRANCH) if inner else None)


def _check_path(place: Place, path: Path) -> None:
    if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
        message = f"{path} is there already and is no worktree of this repository"
        raise WorktreePathBusy(message, path=str(path))
    outermost = next(each for each in path.parents if each.exists())
    if not outermost.is_dir() or not os.access(outermost, os.W_OK | os.X_OK):
        message = f"{outermost}, where {path} would be made, is no folder that can be written to"
        raise WorktreePathBusy(message, path=str(path))
    mount = mount_of(place.common)
    if path.is_relative_to(place.common) or (mount is not None and path.is_relative_to(mount)):
        message = f"{path} lies where git or exo keep their records"
        raise WorktreePathBusy(message, path=str(path))
    outer = linked.around(place, path.parent)
    if outer is not None and not _is_ignored(outer.path, path):
        message = f"{path} lies in the worktree {outer.path}, whose git would take its files in"
        raise WorktreePathBusy(message, hint="choose a folder outside of it, or let .gitignore name it", path=str(path))


def _is_ignored(worktree: Path, path: Path) -> bool:
    relative = f"{path.relative_to(worktree)}/"
    return cgit.run(("check-ignore", "--quiet", "--", relative), cwd=worktree).status == 0


def _finished(place: Place, worktree: Worktree) -> Worktree | None:
    """Finish a worktree that a killed call left half-made; None when nothing was in it, and it is gone."""
    path = worktree.path
    if not _begun(path):
        words = ("worktree", "remove", "--force", "--force", str(path))
        _require(cgit.run(words, cwd=place.common, timeout_seconds=GIT_SECONDS), path)
        return None
    lock = worktree.git_dir / "index.lock"
    with contextlib.suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime > _LEFT_LOCK_SECONDS:
            lock.unlink()
    _require(cgit.run(("reset", "--quiet", "--hard"), cwd=path, timeout_seconds=GIT_SECONDS), path)
    _require(cgit.run(("worktree", "unlock", str(path)), cwd=place.common), path)
    return worktree._replace(locked=None)


def _begun(path: Path) -> bool:
    """Whether there is anything in a half-made worktree but the link to its repository."""
    return path.is_dir() and any(each.name != ".git" for each in path.iterdir())


def _require(said: cgit.Finished, path: Path) -> None:
    if said.status != 0:
        message = f"{path} is a worktree that was never finished: {said.complaint}"
        hint = f"try again in a minute; git worktree remove -f -f {path} gives it up"
        raise WorktreePathBusy(message, hint=hint, path=str(path))


def _not_made(wanted: Wanted, reason: str) -> Refused:
    if any(sign in reason for sign in _IN_USE):
        return BranchInUse(f"{wanted.branch} cannot be checked out at {wanted.path}: {reason}")
    return WorktreePathBusy(f"git makes no worktree at {wanted.path}: {reason}", path=str(wanted.path))


@contextlib.contextmanager
def _turn(place: Place) -> Iterator[int]:
    """Wait until nobody else makes or removes worktrees here, and yield the lock's handle; TimedOut."""
    with held(place.common / _LOCK, patience_seconds=GIT_SECONDS) as handle:
        if handle is None:
            message = "another call makes or removes a worktree, and does not end"
            raise TimedOut(message)
        yield handle
