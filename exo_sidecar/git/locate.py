"""Where the repository is that a folder belongs to, found as git finds it, without starting git.

Standard library alone: hooks run this before anything else. `GIT_*` variables are ignored on purpose: inside of a hook
they name the repository of the *running* git, which need not be the one the question is about; only those that say
where the user's settings are count. Every path in the answer is real (no links in it).
"""

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import configtext
from exo_sidecar.model.errors import NotARepository, OwnerUntrusted, RepositoryUnsupported

MOUNT_ID: Final = "exo"
"""Folder below `<common>/worktrees`; `.exo` would be no legal part of a ref name, and `git fsck` says so."""

MOUNT_MARK: Final = "exo-mount"
"""File in that folder: this worktree is ours, and its path from the common directory (true in a copy, too)."""

_LEVELS_MAX: Final = 256
_LINK_LIMIT_BYTES: Final = 8192
_EXTENSIONS_KNOWN: Final = frozenset(
    {"noop", "noop-v1", "partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig"},
)
_SYSTEM_CONFIG: Final = Path("/etc/gitconfig")
_TRUE: Final = frozenset({"true", "yes", "on", "1"})


class Place(NamedTuple):
    """A repository as seen from one folder."""

    start: Path
    worktree: Path | None
    """Top of the checkout that `start` is in (also from inside of its git directory); None in a bare repository."""
    git_dir: Path
    common: Path
    """The git common directory: one per clone, shared by all of its linked worktrees."""
    in_mount: bool
    """`start` lies inside of the mount of the governance branch."""


def locate(start: Path) -> Place:
    """Return the repository that `start` (file or folder) is in.

    Raises:
        NotARepository: up to the root, or to the border of the file system, there is none.
        OwnerUntrusted: it belongs to another user and no `safe.directory` names it.
        RepositoryUnsupported: its format is one that exo does not write, or its path is no text.
    """
    try:
        real = Path(os.path.realpath(start))
    except ValueError as error:  # a null byte
        message = f"no file can have the name {str(start)!r}"
        raise NotARepository(message) from error
    worktree, git_dir = _discover(real)
    common = common_of(git_dir)
    settings = configtext.read(common / "config")
    _check_format(common, settings)
    if worktree is not None and not worktree.is_dir():
        message = f"{worktree}, which core.worktree of {git_dir} names, is no folder"
        raise NotARepository(message, hint="git config --unset core.worktree, or name the folder that it is in")
    _check_owner([path for path in (worktree, git_dir) if path], worktree or git_dir)
    _check_text(worktree or git_dir, common)
    in_mount = git_dir == common / "worktrees" / MOUNT_ID and (git_dir / MOUNT_MARK).exists()
    return Place(real, worktree, git_dir, common, in_mount)


def mount_of(common: Path) -> Path | None:
    """Return the folder in which the governance branch is mounted, whether or not it still exists; None: never mounted.

    The recorded relative path is asked first: the absolute one in `gitdir` is old after a move, and in a copy of
    the repository it names the original's folder.
    """
    entry = common / "worktrees" / MOUNT_ID
    mark = _first_line(entry / MOUNT_MARK)
    if mark is None:
        return None
    recorded = Path(os.path.normpath(common / mark))
    if link_target(recorded) == entry:
        return recorded
    back_link = _first_line(entry / "gitdir")
    linked = Path(os.path.normpath(entry / back_link)).parent if back_link else recorded
    if link_target(linked) == entry:
        return linked
    top = _worktree_of(common, common.parent if common.name == ".git" else None)
    # `git mv` of a submodule moves the checkout and leaves the git directory where it is.
    return recorded if top is None or recorded.is_relative_to(top) else top / recorded.name


def default_mount(place: Place, name: str = ".exo") -> Path:
    """Return where the mount goes: in the top folder of the main worktree, wherever `place` was found from.

    A bare repository has no main worktree: there the mount goes beside it, into the folder that holds it (which
    is the project's folder in the usual layouts with linked worktrees around `.git` or `.bare`).
    """
    return (main_worktree(place) or place.common.parent) / name


def main_worktree(place: Place) -> Path | None:
    """Return the top of the repository's main worktree, None when it is bare or cannot be known from here."""
    if place.worktree and place.git_dir == place.common:
        return place.worktree
    common = place.common
    return _worktree_of(common, common.parent if common.name == ".git" else None)


def common_of(git_dir: Path) -> Path:
    """Return the common directory of `git_dir` (a linked worktree's folder or the common directory itself)."""
    line = _first_line(git_dir / "commondir")
    return Path(os.path.realpath(git_dir / line)) if line else git_dir


def link_target(folder: Path) -> Path | None:
    """Return the git directory that `folder/.git`, a file, names; None when there is no such file."""
    line = _first_line(folder / ".git")
    if line is None or not line.startswith("gitdir:"):
        return None
    return Path(os.path.realpath(folder / line.removeprefix("gitdir:").strip()))


def _discover(start: Path) -> tuple[Path | None, Path]:
    """Return the worktree's top and the git directory."""
    device: int | None = None
    for folder in (start, *start.parents)[:_LEVELS_MAX]:
        try:
            found = os.stat(folder)  # noqa: PTH116  os.stat is twice as fast, and hooks pay for this
        except OSError:
            continue
        device = found.st_dev if device is None else device
        if found.st_dev != device:
            break
        dot_git = folder / ".git"
        if _is_git_dir(dot_git):
            return _worktree_of(dot_git, folder), Path(os.path.realpath(dot_git))
        if (target := link_target(folder)) is not None:
            is_linked = (_checked_link(folder, target) / "commondir").exists()
            return folder if is_linked else _worktree_of(target, folder), target
        if _is_git_dir(folder):
            return _worktree_of(folder, folder.parent if folder.name == ".git" else None), folder
    message = f"no git repository at {start} or above it"
    raise NotARepository(message)


def _checked_link(folder: Path, target: Path) -> Path:
    if _is_git_dir(target):
        return target
    message = f"{folder / '.git'} names {target}, which is not a git directory"
    raise NotARepository(message, hint="was the main repository moved? `git worktree repair` there mends the link")


def _is_git_dir(path: Path) -> bool:
    """Whether git would take `path` for a git directory: HEAD, and objects and refs or a common directory."""
    if not os.path.lexists(path / "HEAD"):
        return False
    if (path / "commondir").exists():
        return True
    return (path / "objects").is_dir() and (path / "refs").is_dir()


def _worktree_of(git_dir: Path, default: Path | None) -> Path | None:
    """Return the top of the worktree that `git_dir` is for: its back link, its settings, else `default`."""
    if back_link := _first_line(git_dir / "gitdir"):
        return Path(os.path.normpath(git_dir / back_link)).parent
    core = _core(git_dir)
    if core.get("bare", "").lower() in _TRUE:
        return None
    if configured := core.get("worktree"):
        return Path(os.path.realpath(git_dir / configured))
    return default


def _core(git_dir: Path) -> dict[str, str]:
    """Return the settings of `core` for the main worktree; `extensions.worktreeConfig` keeps some in a second file."""
    shared = configtext.read(git_dir / "config")
    per_worktree = any(
        (item.section, item.key) == ("extensions", "worktreeconfig") and item.value.lower() in _TRUE for item in shared
    )
    own = configtext.read(git_dir / "config.worktree") if per_worktree else ()
    return {item.key: item.value for item in (*shared, *own) if item.section == "core"}


def _first_line(path: Path) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        data = os.read(handle, _LINK_LIMIT_BYTES)
    finally:
        os.close(handle)
    return os.fsdecode(data).rstrip("\r\n") or None


def _check_format(common: Path, settings: tuple[configtext.Setting, ...]) -> None:
    version = "0"
    extensions: dict[str, str] = {}
    for item in settings:
        if item.section == "core" and item.subsection is None and item.key == "repositoryformatversion":
            version = item.value
        if item.section == "extensions" and item.subsection is None:
            extensions[item.key] = item.value.lower()
    unsupported = [] if version in {"0", "1"} else [f"core.repositoryFormatVersion = {version}"]
    expected = {"objectformat": "sha1", "refstorage": "files"}
    for key, value in extensions.items():
        is_known = value == expected[key] if key in expected else key in _EXTENSIONS_KNOWN or version == "0"
        if not is_known:
            unsupported.append(f"extensions.{key} = {value}")
    if unsupported:
        message = f"{common} uses {', '.join(unsupported)}, which exo does not write"
        raise RepositoryUnsupported(message, hint="exo needs SHA-1 object ids and refs kept in files")


def _check_text(*paths: Path) -> None:
    """Refuse a path that is no text: what exo notes down for after a crash, and tells programs, is JSON."""
    for path in paths:
        text = str(path)
        if not text.isascii() and text.encode(errors="replace").decode() != text:
            message = f"the path {text!r} holds bytes that are no UTF-8"
            raise RepositoryUnsupported(message, hint="rename the folder: paths are written down as text")


def _check_owner(paths: list[Path], top: Path) -> None:
    """Refuse the repository of another user, as git does: its settings could make us run programs."""
    if all(_is_own(path) for path in paths) or _is_declared_safe(top):
        return
    message = f"{top} belongs to another user"
    raise OwnerUntrusted(message, hint=f"git config --global --add safe.directory {top}", path=str(top))


def _is_own(path: Path) -> bool:
    user = os.geteuid()
    owner = path.lstat().st_uid
    if user == 0 and owner != 0:
        invoker = os.environ.get("SUDO_UID", "")
        return invoker.isascii() and invoker.isdigit() and int(invoker) == owner
    return owner == user


def _is_declared_safe(top: Path) -> bool:
    """Whether the system's or the user's settings name `top`; the repository's own are what is in doubt."""
    home = os.path.expanduser("~")  # noqa: PTH111  Path.home raises where there is no home
    safe = False
    for file in _files_of_the_user(home):
        for item in configtext.read(file):
            if (item.section, item.subsection, item.key) == ("safe", None, "directory"):
                safe = bool(item.value) and (safe or _names(item.value, top, home))
    return safe


def _files_of_the_user(home: str) -> tuple[Path, ...]:
    """Return the files that git reads besides the repository's own, in its order."""
    environ = os.environ
    xdg = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    without = environ.get("GIT_CONFIG_NOSYSTEM", "").lower() in _TRUE
    system = () if without else (Path(environ.get("GIT_CONFIG_SYSTEM") or _SYSTEM_CONFIG),)
    named = environ.get("GIT_CONFIG_GLOBAL")
    return (*system, *([Path(named)] if named else [Path(xdg, "git", "config"), Path(home, ".gitconfig")]))


def _names(value: str, top: Path, home: str) -> bool:
    """Whether one value of safe.directory covers `top`; an empty one, which forgets those before, is the caller's."""
    if value == "*":
        return True
    if value.startswith("~/"):
        value = home + value[1:]
    if value.endswith("/*"):
        return str(top).startswith(os.path.realpath(value[:-2]) + "/")
    return os.path.realpath(value) == str(top)
