"""The governed checkout: what is checked out, and what waits to be committed. Read only.

Asked through C git, because attributes, filters and ignore rules decide what counts as changed. Nothing here moves
HEAD, a branch or the index: git is told not to refresh the index even where it could.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import digest, files
from exo_sidecar.git import cgit, refnames
from exo_sidecar.git.locate import Place
from exo_sidecar.git.oid import is_oid
from exo_sidecar.git.refs import Refs
from exo_sidecar.host import process
from exo_sidecar.model.errors import Environment, GitRequired

COMMITS_MAX: Final = 1000
_CONTENT_MAX_BYTES: Final = 8 * 1024 * 1024
_HEAD_MAX_BYTES: Final = 4096
_BRANCH: Final = "refs/heads/"
_RENAMED: Final = frozenset("RC")
_UNTRACKED: Final = "??"
_SHOWN: Final = "backslashreplace"
_SAME: Final = " "
"""In the place of the index: it has what HEAD has."""


class CheckoutUnreadable(Environment):
    """Git could not say what is checked out or changed."""

    code = "CHECKOUT_UNREADABLE"
    advice = "git status in the same folder shows what is wrong"


class Head(NamedTuple):
    """What is checked out."""

    commit: str | None
    """None: nothing is committed yet."""
    branch: str | None
    """The short name; None when HEAD is detached."""


class Waiting(NamedTuple):
    """A path that differs from HEAD."""

    path: str
    """As it is shown, compared and counted: what is no UTF-8 in it stands there in words."""
    opened: str
    """What it is opened by: what is no UTF-8 stands for its bytes."""
    is_staged: bool
    """Whether the index has something else than HEAD."""
    is_untracked: bool


def head(place: Place) -> Head:
    """Return the commit and branch that the worktree of `place` is on; no process is started."""
    text = _head_text(place.git_dir)
    if not text.startswith("ref: "):
        return Head(text if is_oid(text) else None, None)
    name = text.removeprefix("ref: ").strip()
    branch = name.removeprefix(_BRANCH) if name.startswith(_BRANCH) else None
    return Head(Refs(place.common).read(name), branch and _shown(branch))


def commit_of(place: Place, ref: str) -> str | None:
    """Return the commit that a ref leads to, None when there is no such ref; no process is started."""
    return Refs(place.common).read(ref) if refnames.is_valid(ref) else None


def resolve(place: Place, text: str) -> str | None:
    """Return the commit that somebody's words name (a branch, tag or id), None when they name none here."""
    if not text or text.startswith("-") or not text.isprintable():
        return None
    said = cgit.run(("rev-parse", "--verify", "--quiet", f"{text}^{{commit}}"), cwd=place.worktree or place.common)
    found = said.stdout.decode(errors="replace").strip()
    return found if said.status == 0 and is_oid(found) else None


def uncommitted(worktree: Path) -> tuple[str, ...]:
    """Return the paths that differ from HEAD: staged, unstaged, untracked and not ignored; sorted."""
    return tuple(one.path for one in waiting(worktree))


def openable(worktree: Path) -> tuple[str, ...]:
    """Return the same paths as files are opened by: what is no UTF-8 in a name stands for its bytes."""
    return tuple(sorted(one.opened for one in waiting(worktree)))


def waiting(worktree: Path) -> tuple[Waiting, ...]:
    """Return what waits to be committed, in the order of the paths; of a rename both names."""
    words = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=dirty")
    said = ask(worktree, *words, errors="surrogateescape")
    found: dict[str, Waiting] = {}
    fields = iter(said.split("\0"))
    for field in fields:
        if field:
            is_untracked = field.startswith(_UNTRACKED)
            path, is_staged = field[3:], not is_untracked and field[0] != _SAME
            found[path] = Waiting(_shown(path), path, is_staged, is_untracked)
            if field[0] in _RENAMED:
                # A rename is told as two fields: the new name, then the old one.
                old = next(fields, "")
                found[old] = Waiting(_shown(old), old, is_staged=True, is_untracked=False)
    return tuple(sorted(one for path, one in found.items() if path))


def _shown(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors=_SHOWN)


def paths_of_new_commits(worktree: Path, commit: str, remote: str, limit: int = COMMITS_MAX) -> tuple[str, ...]:
    """Return the paths that commits leading to `commit` change and that `remote`, as last fetched, lacks; sorted.

    Merges are left out: what they bring was somebody's commit before.
    """
    if not is_oid(commit):
        message = f"{commit[:60]!r} is not a commit id"
        raise CheckoutUnreadable(message)
    words = ("log", "--format=", "--name-only", "-z", "--no-renames", "--no-merges", f"--max-count={limit}")
    said = ask(worktree, *words, commit, "--not", f"--remotes={remote}")
    return tuple(sorted({path for path in said.split("\0") if path}))


def contents(worktree: Path, paths: tuple[str, ...]) -> dict[str, str]:
    """Return of each file what changes when its content does; empty for one that is gone, or is no file at all.

    That is the SHA-256 of what is in it or of where it leads to; of a very large one its size and time.
    """
    return {path: _content(worktree, path) for path in paths}


def contents_of(worktree: Path, changed: Iterable[Waiting]) -> dict[str, str]:
    """Return the same of files that wait to be committed, by their names as they are shown."""
    return {one.path: _content(worktree, one.opened) for one in changed}


def _content(worktree: Path, path: str) -> str:
    try:
        data = files.read_beneath(worktree, path, limit_bytes=_CONTENT_MAX_BYTES)
    except files.TooLargeError:
        return _size_and_time(worktree / path)
    except OSError:
        data = _target(worktree / path)
    return "" if data is None else digest.sha256_hex(data)


def _target(path: Path) -> bytes | None:
    """Return where a link leads to, None for what is none; what lies behind it is not looked at."""
    try:
        return b"link to " + os.fsencode(path.readlink())
    except OSError:
        return None


def _size_and_time(path: Path) -> str:
    try:
        found = path.lstat()
    except OSError:
        return ""
    return f"{found.st_size} bytes at {found.st_mtime_ns}"


def _head_text(git_dir: Path) -> str:
    try:
        data = files.read_beneath(git_dir, "HEAD", limit_bytes=_HEAD_MAX_BYTES)
    except OSError:
        # Very old repositories have HEAD as a symbolic link.
        target = (git_dir / "HEAD").readlink()
        return f"ref: {target}"
    if data is None:
        message = f"{git_dir / 'HEAD'} is missing"
        raise CheckoutUnreadable(message)
    return data.decode(errors="surrogateescape").strip()


def ask(worktree: Path, *arguments: str, timeout_seconds: float = process.TIMEOUT_SECONDS, errors: str = _SHOWN) -> str:
    """Run a reading git command in the worktree and return what it said; CheckoutUnreadable, TimedOut, GitRequired.

    A path that is no UTF-8 is shown, compared and counted by its bytes in words, unless `errors` says otherwise.
    """
    environ = cgit.environment({"GIT_OPTIONAL_LOCKS": "0"})
    try:
        ran = process.run(
            ["git", "-c", "core.quotePath=false", *cgit.PLAIN, *arguments],
            cwd=worktree,
            environ=environ,
            timeout_seconds=timeout_seconds,
        )
    except process.ProgramMissing as error:
        message = "git is not installed, and only git says what changed in a checkout"
        raise GitRequired(message) from error
    if ran.status != 0:
        message = f"git {arguments[0]} failed in {worktree}: {ran.complaint}"
        raise CheckoutUnreadable(message)
    return ran.stdout.decode(errors=errors)
