"""Mounting: where the branch's folder may be, and the branch attached to it so that a kill leaves it repeatable.

A new branch, and one that is merged from a remote, get their files by the journal of their first commit. A branch that
was here before has none: a mark says that its files are still to be written, and every writer heeds it (healing.py).
"""

import os
import stat
import unicodedata
from pathlib import Path
from typing import Final

from exo_sidecar.base import files
from exo_sidecar.git import checkout, lockfile, mount, refnames, tree
from exo_sidecar.git.checkout import TreeRefused
from exo_sidecar.git.locate import Place, default_mount, main_worktree
from exo_sidecar.git.lockfile import LockBusy
from exo_sidecar.git.mount import MountState
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import Environment, FormatTooNew, Usage, ValueInvalid
from exo_sidecar.store import layout, lock
from exo_sidecar.store.governed import Governed, record_branch

DEFAULT_PATH: Final = ".exo"
PATH_BYTES_MAX: Final = 200
"""Of the mount's path inside the repository: what is below it needs room, too."""
MARK: Final = "mounting"
"""In `<common>/exo/`: the mount's files are still to be written."""


class SidecarPathInvalid(Usage):
    """The mount cannot be at this place."""

    code = "SIDECAR_PATH_INVALID"
    advice = "name a folder inside the repository's main folder, like .exo"


class SidecarBranchMismatch(Environment):
    """Another branch is mounted than the one that was asked for."""

    code = "SIDECAR_BRANCH_MISMATCH"
    advice = "leave --branch away to use the branch that is mounted"


def place_of_mount(place: Place, wanted: str) -> Path:
    """Return where the mount goes: inside the main folder (beside a bare repository), with no link on the way.

    Raises:
        SidecarPathInvalid: it lies elsewhere, is the folder itself, or is part of git's own.
    """
    top = main_worktree(place) or place.common.parent
    if wanted == DEFAULT_PATH:
        return default_mount(place)
    given = Path(wanted)
    relative = Path(os.path.relpath(given, top)) if given.is_absolute() and "\0" not in wanted else given
    _check_name(relative.as_posix() if given.is_absolute() else wanted)
    parts = relative.parts
    if not parts or ".." in parts or ".git" in {part.lower() for part in parts}:
        message = f"{wanted!r} is no folder inside {top}"
        raise SidecarPathInvalid(message, path=wanted)
    current = top
    for part in parts:
        current /= part
        if current.is_symlink():
            message = f"{current} is a link"
            raise SidecarPathInvalid(message, path=wanted)
    if current.is_relative_to(place.common):
        message = f"{current} lies in git's own folder"
        raise SidecarPathInvalid(message, path=wanted)
    return current


def _check_name(wanted: str) -> None:
    """Refuse what git's own files cannot hold in a line, or no file system in a name; SidecarPathInvalid."""
    is_plain = wanted == wanted.strip() and not any(unicodedata.category(char)[0] == "C" for char in wanted)
    if not is_plain or len(wanted.encode(errors="replace")) > PATH_BYTES_MAX:
        message = f"{wanted[:60]!r} is no name for a folder of ours"
        raise SidecarPathInvalid(message)


def check_branch(branch: str) -> None:
    """Refuse what is no name of a branch; ValueInvalid."""
    if not refnames.is_valid(f"refs/heads/{branch}") or branch.startswith("-"):
        message = f"{branch[:60]!r} is no name of a branch"
        raise ValueInvalid(message, parameter="branch")


def current(repository: Repository, branch: str, path: Path) -> MountState | None:
    """Return the mount that is recorded, None when there is none yet.

    Raises:
        SidecarBranchMismatch: another branch is mounted, or none.
        SidecarPathInvalid: it is mounted at another place than the one asked for.
    """
    state = mount.state(repository.place.common)
    if state is None:
        return None
    if state.branch != branch:
        message = f"{state.path} has {state.branch or 'no branch'} checked out, not {branch}"
        hint = "" if state.branch else f"git -C {state.path} switch {branch}"
        raise SidecarBranchMismatch(message, hint=hint, branch=state.branch or None)
    if path not in {state.path, default_mount(repository.place)}:
        message = f"{branch} is mounted at {state.path} already"
        raise SidecarPathInvalid(message, hint="leave --sidecar away to use that one", path=str(path))
    return state


def attach(repository: Repository, branch: str, path: Path) -> Governed:
    """Mount `branch`, which may be unborn, at `path`; safe to repeat. The files follow with the next write.

    Raises:
        SidecarPathBusy, SidecarBranchBusy: nothing was changed.
        FormatTooNew: a newer program has written the branch.
        CloneLockTimeout.
    """
    governed = Governed(repository, branch, path, repository.place.common / "exo")
    with lock.held(governed.folder):
        check_format(repository, governed.tip())
        if governed.tip() is not None:
            (governed.folder / MARK).touch()
        record_branch(governed.folder, branch)
        mount.create(repository.place, branch, path)
    return governed


def check_format(repository: Repository, tip: Oid | None) -> None:
    """Refuse a branch that a newer program has written; FormatTooNew."""
    if tip is None:
        return
    governed = Governed(repository, "", repository.place.common, repository.place.common)
    entry = tree.entry_at(repository.objects, governed.tree_of(tip), layout.FORMAT)
    if entry is None or entry.mode != tree.FILE_MODE:
        return
    numbers = layout.parse_format(repository.objects.read(entry.oid).data)
    if numbers is not None and numbers.format > layout.FORMAT_NUMBER:
        message = f"the governance branch has format {numbers.format}; this program writes {layout.FORMAT_NUMBER}"
        raise FormatTooNew(message)


def fill(governed: Governed) -> int:
    """Write the files of the branch that the mount lacks, none that is there; return how many.

    What must not reach the disk (a link, a strange name) is left out: the next commit leaves it out of the tree, too.
    """
    objects = governed.repository.objects
    root = governed.tree_of(governed.tip())
    if root is None:
        return 0
    written = 0
    for path, entry in tree.walk(objects, root):
        if _may_write(governed, path, entry):
            files.write_beneath(governed.mount, path, objects.read(entry.oid).data, durable=False)
            written += 1
    return written


def rebuild_git_index(governed: Governed) -> bool:
    """Build git's index of the mount anew; False when the branch is unborn or somebody holds the index's lock."""
    root = governed.tree_of(governed.tip())
    git_dir = governed.repository.mount_git_dir
    if root is None:
        return False
    temporary = git_dir / f"exo-index-{os.urandom(8).hex()}.tmp"
    try:
        checkout.rebuild_index(governed.repository.objects, root, governed.mount, temporary)
    except LockBusy:
        return False
    return True


def configure(repository: Repository, branch: str, remote: str | None) -> str | None:
    """Set the branch's upstream and what plain git needs, each only where nothing is set; return the upstream."""
    settings, section = repository.settings, ("branch", branch)
    wanted: list[tuple[tuple[str, ...], str, str]]
    wanted = [(section, "rebase", "false"), (("transfer",), "fsckObjects", "true")]
    if remote is not None:
        wanted += [(section, "remote", remote), (section, "merge", f"refs/heads/{branch}")]
    missing = [each for each in wanted if settings.get(each[0], each[1]) is None]
    with lock.held(repository.place.common / "exo"):
        clear_dead_config_lock(repository)
        if missing:
            _set_all(repository, missing)
    name, merge = settings.get(section, "remote"), settings.get(section, "merge")
    return f"{name}/{merge.removeprefix('refs/heads/')}" if name and merge else None


def clear_dead_config_lock(repository: Repository) -> None:
    """Remove the lock on git's configuration that a killed `configure` left; the clone's lock must be held."""
    note = _config_note(repository)
    try:
        name = note.read_text().strip()
    except FileNotFoundError:
        return
    lockfile.clear_dead_lock(repository.settings.path, repository.settings.path.with_name(name))
    note.unlink(missing_ok=True)


def is_plain_folder(path: Path) -> bool:
    """Whether a folder of a user's, with something in it, is where the mount goes."""
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False
    return is_folder and not os.path.lexists(path / ".git") and any(path.iterdir())


def _set_all(repository: Repository, wanted: list[tuple[tuple[str, ...], str, str]]) -> None:
    """Set them one by one; the lock's proof is written down first, so that it can be cleared after a kill."""
    name = f"exo-config-{os.urandom(8).hex()}.tmp"
    note = _config_note(repository)
    files.write_atomic(note, f"{name}\n".encode())
    for where, key, value in wanted:
        repository.settings.set(where, key, value, temporary=repository.settings.path.with_name(name))
    note.unlink(missing_ok=True)


def _config_note(repository: Repository) -> Path:
    return repository.place.common / "exo" / "configuring"


def _may_write(governed: Governed, path: str, entry: tree.Entry) -> bool:
    if os.path.lexists(governed.mount / path):
        return False
    try:
        checkout.check_names({path: entry})
    except TreeRefused:
        return False
    return True
