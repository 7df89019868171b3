"""The governed checkout: what is checked out, what changed, and which commits came since. Read only.

Asked through C git, because attributes, filters and ignore rules decide what counts as changed. Nothing here moves
HEAD, a branch or the index: git is told not to refresh the index even where it could.
"""

from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import digest, files
from exo_sidecar.git import cgit
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


def head(place: Place) -> Head:
    """Return the commit and branch that the worktree of `place` is on; no process is started."""
    text = _head_text(place.git_dir)
    if not text.startswith("ref: "):
        return Head(text if is_oid(text) else None, None)
    name = text.removeprefix("ref: ").strip()
    branch = name.removeprefix(_BRANCH) if name.startswith(_BRANCH) else None
    shown = branch and branch.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return Head(Refs(place.common).read(name), shown)


def uncommitted(worktree: Path) -> tuple[str, ...]:
    """Return the paths that differ from HEAD: staged, unstaged, untracked and not ignored; sorted."""
    said = _git(worktree, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=dirty")
    found: set[str] = set()
    fields = iter(said.split("\0"))
    for field in fields:
        if field:
            found.add(field[3:])
            if field[0] in _RENAMED:
                # A rename is told as two fields: the new name, then the old one.
                found.add(next(fields, ""))
    return tuple(sorted(found - {""}))


def changed_since(worktree: Path, base: str) -> tuple[str, ...]:
    """Return the tracked paths whose content in the worktree differs from commit `base`, and untracked ones; sorted."""
    if not is_oid(base):
        message = f"{base[:60]!r} is not a commit id"
        raise CheckoutUnreadable(message)
    said = _git(worktree, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", base, "--")
    tracked = {path for path in said.split("\0") if path}
    return tuple(sorted(tracked | set(_untracked(worktree))))


def commits_since(worktree: Path, base: str | None, limit: int = COMMITS_MAX) -> tuple[str, ...]:
    """Return the commits that HEAD has and `base` (None: nothing) has not, the youngest first, at most `limit`."""
    if base is not None and not is_oid(base):
        message = f"{base[:60]!r} is not a commit id"
        raise CheckoutUnreadable(message)
    wanted = ["HEAD"] if base is None else ["HEAD", f"^{base}"]
    return tuple(_git(worktree, "rev-list", f"--max-count={limit}", *wanted, "--").split())


def paths_of_new_commits(worktree: Path, commit: str, remote: str, limit: int = COMMITS_MAX) -> tuple[str, ...]:
    """Return the paths that commits leading to `commit` change and that `remote`, as last fetched, lacks; sorted.

    Merges are left out: what they bring was somebody's commit before.
    """
    if not is_oid(commit):
        message = f"{commit[:60]!r} is not a commit id"
        raise CheckoutUnreadable(message)
    words = ("log", "--format=", "--name-only", "-z", "--no-renames", "--no-merges", f"--max-count={limit}")
    said = _git(worktree, *words, commit, "--not", f"--remotes={remote}")
    return tuple(sorted({path for path in said.split("\0") if path}))


def contents(worktree: Path, paths: tuple[str, ...]) -> dict[str, str]:
    """Return the SHA-256 of each file's content; empty for one that is gone, is no plain file, or is very large."""
    return {path: _content(worktree, path) for path in paths}


def _content(worktree: Path, path: str) -> str:
    try:
        data = files.read_beneath(worktree, path, limit_bytes=_CONTENT_MAX_BYTES)
    except OSError:
        return ""
    return "" if data is None else digest.sha256_hex(data)


def _untracked(worktree: Path) -> tuple[str, ...]:
    said = _git(worktree, "ls-files", "--others", "--exclude-standard", "-z")
    return tuple(path for path in said.split("\0") if path)


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


def _git(worktree: Path, *arguments: str) -> str:
    """Run a reading git command in the worktree and return what it said; CheckoutUnreadable, TimedOut."""
    environ = cgit.environment({"GIT_OPTIONAL_LOCKS": "0"})
    try:
        ran = process.run(["git", "-c", "core.quotePath=false", *arguments], cwd=worktree, environ=environ)
    except process.ProgramMissing as error:
        message = "git is not installed, and only git says what changed in a checkout"
        raise GitRequired(message) from error
    if ran.status != 0:
        message = f"git {arguments[0]} failed in {worktree}: {ran.complaint}"
        raise CheckoutUnreadable(message)
    # A path that is no UTF-8 is shown, compared and counted by its bytes in words; nothing opens it.
    return ran.stdout.decode(errors="backslashreplace")
