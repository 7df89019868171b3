"""The mount: the governance branch as a linked worktree, made file by file.

`git worktree add` needs a commit to start from, and writes the application's files first; neither is wanted for an
orphan branch, so the handful of files is written here (docs/decisions/). The folder points to its git directory by a
relative path, which is what keeps a moved or copied repository from writing into another one. Only git's back link is
absolute (git before 2.48 asks for that): it is renewed after a move.
"""

import os
import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.git import refnames
from exo_sidecar.git.locate import MOUNT_ID, MOUNT_MARK, Place, link_target, main_worktree, mount_of
from exo_sidecar.model.errors import Environment

_HEAD_PREFIX: Final = "ref: refs/heads/"
_LOCK_REASON: Final = "exo governance state\n"
"""Stops `git worktree prune` and `git worktree remove` from taking the state's folder for a forgotten one."""

_BUSY_SIGNS: Final = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
    ("sequencer", "cherry-pick or revert"),
)
_LEFT_BRANCH: Final = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
_GLOB_SPECIAL: Final = re.compile(r"([\\*?\[\]!# ])")


class SidecarPathBusy(Environment):
    """The place for the mount is taken by something that is not ours."""

    code = "SIDECAR_PATH_BUSY"
    advice = "move what is there away, then run exo init again"


class SidecarBranchBusy(Environment):
    """The governance branch is checked out in another worktree; committing to it would pull its files apart."""

    code = "SIDECAR_BRANCH_BUSY"
    advice = "check out another branch there; the governance branch belongs to .exo"


class MountState(NamedTuple):
    """What is recorded of the mount, and how much of it is there."""

    path: Path
    branch: str
    """Short name of the branch that is checked out, or that a rebase or bisect left; empty when HEAD is detached."""
    folder_present: bool
    link_current: bool
    """Git's back link names `path`; False right after the repository was moved or copied."""


def create(place: Place, branch: str, path: Path) -> None:
    """Mount `branch`, which may be unborn, at `path`; safe to repeat, and mends a mount that lost files.

    Afterwards git takes `path` for a linked worktree with no file in it: the caller checks out.

    Raises:
        SidecarPathBusy: `path` is no empty folder, or a mount or a worktree named `exo` is elsewhere.
        SidecarBranchBusy: another worktree has the branch checked out.
    """
    refnames.check(f"refs/heads/{branch}")
    entry = place.common / "worktrees" / MOUNT_ID
    real = Path(os.path.realpath(path.parent)) / path.name
    _check_entry(place.common, entry, real)
    _check_folder(entry, real)
    _check_branch(place.common, entry, branch)
    entry.mkdir(parents=True, exist_ok=True)
    for name, text in _entry_files(place.common, real, branch):
        _write_changed(entry / name, text)
    real.mkdir(parents=True, exist_ok=True)
    _write_changed(real / ".git", f"gitdir: {os.path.relpath(entry, real)}\n")
    for left in real.glob("..git.*.tmp"):  # of a `create` that was killed; two at once are the caller's to prevent
        left.unlink(missing_ok=True)
    exclude(place, real)


def state(common: Path) -> MountState | None:
    """Return the mount's state, None when the branch was never wholly mounted in this clone."""
    path = mount_of(common)
    if path is None:
        return None
    entry = common / "worktrees" / MOUNT_ID
    head = _text(entry / "HEAD").strip()
    if not head:  # the last file that `create` writes into the entry: it was killed before
        return None
    return MountState(
        path=path,
        branch=head.removeprefix(_HEAD_PREFIX) if head.startswith(_HEAD_PREFIX) else _left_branch(entry),
        folder_present=link_target(path) == entry,
        link_current=_text(entry / "gitdir").strip() == str(path / ".git"),
    )


def relink(common: Path, path: Path) -> None:
    """Make both ends of the link name one another, after the repository was moved or copied, or the folder was.

    Raises:
        SidecarPathBusy: `path` is a worktree of another repository.
    """
    entry = common / "worktrees" / MOUNT_ID
    _check_folder(entry, path)
    _write_changed(path / ".git", f"gitdir: {os.path.relpath(entry, path)}\n")
    _write_changed(entry / "gitdir", f"{path / '.git'}\n")
    _write_changed(entry / MOUNT_MARK, f"{os.path.relpath(path, common)}\n")


def aim(common: Path, path: Path) -> None:
    """Record that the mount is about to be moved to `path`; until it is there it is found where it was."""
    _write_changed(common / "worktrees" / MOUNT_ID / MOUNT_MARK, f"{os.path.relpath(path, common)}\n")


def is_busy(common: Path) -> str | None:
    """Return what somebody is in the middle of in the mount ("merge", "rebase" ...), None when nothing."""
    entry = common / "worktrees" / MOUNT_ID
    return next((what for name, what in _BUSY_SIGNS if (entry / name).exists()), None)


def exclude(place: Place, path: Path) -> bool:
    """Keep `git add -A` in the application's worktrees from taking `path` in; return whether a line was added."""
    line = _exclusion(place, path)
    file = place.common / "info" / "exclude"
    before = _text(file)
    if line is None or line in before.splitlines():
        return False
    file.parent.mkdir(exist_ok=True)
    separator = "\n" if before and not before.endswith("\n") else ""
    files.write_atomic(file, os.fsencode(f"{before}{separator}{line}\n"))
    return True


def is_excluded(place: Place, path: Path) -> bool:
    """Whether `exclude` has nothing to do for `path`: its line is there, or none is needed."""
    line = _exclusion(place, path)
    return line is None or line in _text(place.common / "info" / "exclude").splitlines()


def include(place: Place, path: Path) -> None:
    """Take back what `exclude` did for `path`."""
    line = _exclusion(place, path)
    file = place.common / "info" / "exclude"
    lines = _text(file).splitlines(keepends=True)
    kept = [each for each in lines if each.rstrip("\n") != line]
    if kept != lines:
        files.write_atomic(file, os.fsencode("".join(kept)))


def _left_branch(entry: Path) -> str:
    """Return the branch to which git goes back when it has finished what it detached HEAD for."""
    for name in _LEFT_BRANCH:
        text = _text(entry / name).strip()
        if text and text != "detached HEAD":
            return text.removeprefix("refs/heads/")
    return ""


def _entry_files(common: Path, path: Path, branch: str) -> tuple[tuple[str, str], ...]:
    """Return what goes into the worktree's folder; the lock first, so that no gc prunes a half-made mount."""
    return (
        ("locked", _LOCK_REASON),
        (MOUNT_MARK, f"{os.path.relpath(path, common)}\n"),
        ("commondir", "../..\n"),
        ("gitdir", f"{path / '.git'}\n"),
        ("HEAD", f"{_HEAD_PREFIX}{branch}\n"),
    )


def _check_entry(common: Path, entry: Path, path: Path) -> None:
    if not entry.exists():
        return
    current = mount_of(common)
    if current is None and (entry / "HEAD").exists():
        message = f"git already has a worktree named {MOUNT_ID}, at {_text(entry / 'gitdir').strip()}"
        raise SidecarPathBusy(message, hint=f"remove or move it: git worktree remove {MOUNT_ID}")
    if current is not None and current != path and link_target(current) == entry:
        message = f"the governance branch is already mounted at {current}"
        raise SidecarPathBusy(message, path=str(current))


def _check_folder(entry: Path, path: Path) -> None:
    """Refuse a path that holds anything but our mount: no file of a user's is ever written over."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        message = f"{path} is not a folder"
        raise SidecarPathBusy(message, path=str(path))
    target = link_target(path)
    is_ours = target == entry
    is_foreign = target is not None and not is_ours and (target / "HEAD").exists()
    if is_foreign or (not is_ours and path.is_dir() and not _is_blank(path)):
        message = f"{path} is not empty and is not the mount of this repository"
        raise SidecarPathBusy(message, hint=_way_out(entry, path, target), path=str(path))


def _way_out(entry: Path, path: Path, target: Path | None) -> str:
    """Return what to do about a folder that is a mount, though not of this repository as it lies now."""
    if target is None or (target.parent.name, target.name) != ("worktrees", MOUNT_ID):
        return ""
    if (target / "HEAD").exists():
        return "it is another repository's; give this one a mount of its own: exo sidecar-init --sidecar .exo-<name>"
    common, spot = shlex.quote(str(entry.parent.parent)), shlex.quote(str(path))
    return f"was this repository moved? git -C {common} worktree repair {spot}; if it is not its mount, move it away"


def _is_blank(path: Path) -> bool:
    """Whether the folder holds nothing but a link to a git directory, or a temporary of one that we died over."""
    return all(item.name == ".git" or item.name.startswith("..git.") for item in path.iterdir())


def _check_branch(common: Path, entry: Path, branch: str) -> None:
    wanted = f"{_HEAD_PREFIX}{branch}"
    heads = [common / "HEAD", *sorted(common.glob("worktrees/*/HEAD"))]
    for head in heads:
        if head.parent != entry and _text(head).strip() == wanted:
            message = f"the branch {branch} is checked out in the worktree of {head.parent}"
            raise SidecarBranchBusy(message)


def _exclusion(place: Place, path: Path) -> str | None:
    top = main_worktree(place)
    if top is None or not path.is_relative_to(top):
        return None
    return "/" + _GLOB_SPECIAL.sub(r"\\\1", path.relative_to(top).as_posix())


def _write_changed(path: Path, text: str) -> None:
    if _text(path) != text:
        files.write_atomic(path, os.fsencode(text))


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""
