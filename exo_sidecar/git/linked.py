"""Linked worktrees of a repository, read from `<common>/worktrees` as git keeps them there; no process is started.

The main worktree is listed with them. The mount of the governance branch is none of them.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git.locate import MOUNT_ID, MOUNT_MARK, Place, link_target, main_worktree

WORKTREES_MAX: Final = 2000
_HEAD_PREFIX: Final = "ref: refs/heads/"
_READ_BYTES: Final = 8192
_IN_THE_MAKING: Final = "initializing"
"""What `git worktree add` writes into `locked` while it works."""


class Worktree(NamedTuple):
    """A checkout of the repository."""

    path: Path
    git_dir: Path
    branch: str | None
    """Short name; None when HEAD is detached, or not written yet."""
    is_main: bool
    is_present: bool
    """Whether its folder is there and leads back here."""
    locked: str | None
    """Why it is locked; None: it is not."""

    @property
    def is_in_the_making(self) -> bool:
        """Whether `git worktree add` has not finished with it, or was killed."""
        return self.locked == _IN_THE_MAKING


def listed(place: Place) -> tuple[Worktree, ...]:
    """Return the worktrees: the main one first, if there is one, then the linked ones by path."""
    main = main_worktree(place)
    found = [_linked(entry) for entry in _entries(place.common)]
    linked = sorted((each for each in found if each is not None), key=lambda each: str(each.path))
    if main is None:
        return tuple(linked)
    own = Worktree(main, place.common, _branch(place.common), is_main=True, is_present=main.is_dir(), locked=None)
    return own, *linked


def at(place: Place, path: Path) -> Worktree | None:
    """Return the worktree whose top folder is `path`, None when it is that of none."""
    real = Path(os.path.realpath(path))
    return next((each for each in listed(place) if each.path in {real, path}), None)


def on_branch(place: Place, branch: str) -> Worktree | None:
    """Return the worktree that has the branch checked out, None when none has."""
    return next((each for each in listed(place) if each.branch == branch), None)


def around(place: Place, path: Path) -> Worktree | None:
    """Return the innermost worktree that `path` lies in, or is; None when it lies in none."""
    real = Path(os.path.realpath(path))
    fitting = [each for each in listed(place) if real.is_relative_to(each.path)]
    return max(fitting, key=lambda each: len(each.path.parts), default=None)


def _entries(common: Path) -> list[Path]:
    try:
        found = sorted(common.joinpath("worktrees").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [each for each in found if not _is_mount(each)][:WORKTREES_MAX]


def _is_mount(entry: Path) -> bool:
    return entry.name == MOUNT_ID and (entry / MOUNT_MARK).exists()


def _linked(entry: Path) -> Worktree | None:
    back_link = _text(entry / "gitdir")
    if back_link is None or not back_link:
        return None
    path = Path(os.path.normpath(entry / back_link)).parent
    present = link_target(path) == Path(os.path.realpath(entry))
    locked = _text(entry / "locked")
    return Worktree(path, entry, _branch(entry), is_main=False, is_present=present, locked=locked)


def _branch(git_dir: Path) -> str | None:
    head = _text(git_dir / "HEAD") or ""
    return head.removeprefix(_HEAD_PREFIX) if head.startswith(_HEAD_PREFIX) else None


def _text(path: Path) -> str | None:
    """Return what stands in a small file, None when there is none."""
    try:
        with path.open("rb") as file:
            return os.fsdecode(file.read(_READ_BYTES)).strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
