"""Repair: the mount brought back to the branch, whatever happened to it; what a person wrote is kept first."""

import os
from pathlib import Path
from typing import Final, Literal, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.git import cgit, mount, tree
from exo_sidecar.git.repository import Repository
from exo_sidecar.store import edited_files, healing, journal, layout, publish
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.healing import SidecarBusy
from exo_sidecar.store.journal import JournalDamaged
from exo_sidecar.store.scan import changed_paths

JournalState = Literal["none", "pending", "damaged"]

_WAYS_OUT: Final = {
    "merge": (("merge", "--abort"),),
    "rebase": (("rebase", "--abort"), ("am", "--abort")),
    "cherry-pick": (("cherry-pick", "--abort"),),
    "revert": (("revert", "--abort"),),
    "cherry-pick or revert": (("cherry-pick", "--abort"), ("revert", "--abort")),
    "bisect": (("bisect", "reset"),),
}
"""How plain git gives up what it is in the middle of."""


class GivenUp(NamedTuple):
    """What plain git was in the middle of, and where the files are that it had changed."""

    what: str
    aside: tuple[str, ...]


class Rendered(NamedTuple):
    """Files written anew, and where what stood there before is kept."""

    paths: tuple[str, ...]
    aside: tuple[str, ...]


def give_up(repository: Repository, usual_branch: str) -> GivenUp | None:
    """End a merge, rebase or the like in the mount as if it had not begun; None when there is none.

    The clone's lock must be held.

    Raises:
        SidecarBusy: git does not end it either.
        GitRequired: there is no git to do it.
    """
    common = repository.place.common
    what, state = mount.is_busy(common), mount.state(common)
    if what is None or state is None:
        return None
    path = state.path
    governed = Governed(repository, state.branch or usual_branch, path, common / "exo")
    edits = edited_files.differing(governed, governed.tree_of(governed.tip()), changed_paths(governed))
    aside = tuple(edited_files.keep_aside(governed, edit) for edit in edits)
    if not _ended(common, path, what):
        cgit.run(["-C", str(path), "reset", "-q", "--hard"])
        if not _ended(common, path, what):
            message = f"the {what} in {path} cannot be given up"
            raise SidecarBusy(message, hint=f"end it with git -C {path} {' '.join(_WAYS_OUT[what][0])}")
    return GivenUp(what, aside)


def journal_state(folder: Path) -> JournalState:
    """Return whether a transaction is under way that nobody finished."""
    try:
        return "none" if journal.read(folder) is None else "pending"
    except JournalDamaged:
        return "damaged"


def drop_damaged_journal(folder: Path) -> None:
    """Remove a journal that cannot be read: the branch says what happened, and everything is rendered anew from it."""
    if journal_state(folder) == "damaged":
        journal.remove(folder)


def forget_tip(governed: Governed) -> None:
    """Have the next transaction compute every file of the branch anew from its ledger."""
    (governed.folder / publish.TIP).unlink(missing_ok=True)


def differing(governed: Governed) -> tuple[str, ...]:
    """Return the files of the branch that are missing in the mount or are not as the branch has them."""
    objects, root = governed.repository.objects, governed.tree_of(governed.tip())
    suspected = changed_paths(governed)
    edited = {edit.path for edit in edited_files.differing(governed, root, suspected)}
    wanted = (path for path, _ in tree.walk(objects, root) if path in suspected)
    return tuple(path for path in wanted if path in edited or _is_in_the_way(governed.mount, path))


def render(governed: Governed) -> Rendered:
    """Write every file that differs from the branch, keeping aside what stood there; the clone's lock must be held."""
    objects, root = governed.repository.objects, governed.tree_of(governed.tip())
    paths = differing(governed)
    aside = [edited_files.keep_aside(governed, edit) for edit in edited_files.differing(governed, root, paths)]
    for path in paths:
        entry = tree.entry_at(objects, root, path)
        aside += _moved_aside(governed.mount, path)
        if entry is not None:
            files.write_beneath(governed.mount, path, objects.read(entry.oid).data)
    (governed.folder / publish.STALE).touch()
    healing.rebuild_git_index(governed)
    return Rendered(paths, tuple(aside))


def _ended(common: Path, path: Path, what: str) -> bool:
    for words in _WAYS_OUT[what]:
        cgit.run(["-C", str(path), *words])
        if mount.is_busy(common) is None:
            return True
    return False


def _is_in_the_way(mount_path: Path, path: str) -> bool:
    """Whether the file is missing, or a link or folder stands in its place or on the way to it."""
    current = mount_path
    for part in path.split("/")[:-1]:
        current /= part
        if current.is_symlink() or not current.is_dir():
            return True
    current = mount_path / path
    return current.is_symlink() or not current.is_file()


def _moved_aside(mount_path: Path, path: str) -> list[str]:
    """Move what is no plain file or folder where one belongs to `cache/rejected/`."""
    steps = [mount_path.joinpath(*path.split("/")[:depth]) for depth in range(1, path.count("/") + 2)]
    for step in steps:
        is_fitting = not step.is_symlink() and (step.is_file() if step == steps[-1] else step.is_dir())
        if os.path.lexists(step) and not is_fitting:
            name = step.relative_to(mount_path).as_posix().replace("/", "__")
            kept = f"{layout.REJECTED}/{name}.{os.urandom(4).hex()}"
            (mount_path / kept).parent.mkdir(parents=True, exist_ok=True)
            step.rename(mount_path / kept)
            return [kept]
    return []
