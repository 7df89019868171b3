"""What belongs to the application, to the byte: for showing that exo touched none of it.

Built from everything that is there minus a list of what is exo's, because a list of what is the application's forgets.
Names in the answer say what differs; contents are told apart by digest, files of a worktree by their time, too.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from exo_sidecar.git.locate import link_target
from tests.support.repositories import git

BRANCH: Final = "exo-governance"

OURS: Final = re.compile(
    r"objects/.*"  # git's store takes what anybody writes; nothing in it is ever changed
    r"|exo/.*"
    r"|worktrees/exo/.*"
    r"|refs/.*|packed-refs"  # compared as refs, whatever file they are in
    r"|logs/refs/exo/.*"
    rf"|logs/refs/heads/({BRANCH}|exo-leases/.*)"
    rf"|logs/refs/remotes/[^/]+/({BRANCH}|exo-leases/.*)"
    r"|config"  # compared by key
    r"|info/exclude",  # compared by line
)
"""Files below the common directory that are exo's, or are compared in another form."""

KEYS: Final = (
    "transfer.fsckobjects",
    f"branch.{BRANCH}.rebase",
    f"branch.{BRANCH}.remote",
    f"branch.{BRANCH}.merge",
)
"""The settings that exo may add to a clone's configuration, each only where there is none (docs/shapes.md)."""

EXCLUDED: Final = "/.exo"
"""The line that exo may add to git's exclude file."""

_OUR_REFS: Final = re.compile(
    rf"refs/exo/.*|refs/heads/({BRANCH}|exo-leases/.*)|refs/remotes/[^/]+/({BRANCH}|exo-leases/.*)"
)


def application(repository: Path, *worktrees: Path) -> Mapping[str, str]:
    """Return everything of the application in a repository (or a bare one) and its linked worktrees, by name."""
    common = Path(git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    found = {f"ref {name}": value for name, value in refs(repository).items() if not _OUR_REFS.fullmatch(name)}
    found |= {f"git {name}": value for name, value in _files(common).items() if not OURS.fullmatch(name)}
    found |= {f"config {line}": "" for line in _settings(repository, common)}
    found |= {f"exclude {line}": "" for line in _lines(common / "info" / "exclude") if line != EXCLUDED}
    tops = [repository, *worktrees] if repository != common else list(worktrees)
    for top in tops:
        found |= {f"file {top.name}/{name}": value for name, value in _worktree(top).items()}
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names whose value differs, so that a failure shows them and nothing else."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def refs(repository: Path) -> dict[str, str]:
    """Return every ref and its value, wherever git keeps it."""
    lines = git(repository, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def _settings(repository: Path, common: Path) -> list[str]:
    """Return the settings of the clone's own file in order, without exo's keys."""
    listed = git(repository, "config", "--file", str(common / "config"), "--list")
    return [line for line in listed.splitlines() if line.partition("=")[0] not in KEYS]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _files(folder: Path) -> dict[str, str]:
    """Return mode and content of each file below a git directory; folders do not count."""
    return {
        path.relative_to(folder).as_posix(): f"{path.lstat().st_mode:o} {_digest(path)}"
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def _worktree(top: Path) -> dict[str, str]:
    """Return mode, time and content of each file of a worktree, without git's folder and what is mounted in it."""
    found: dict[str, str] = {}
    waiting = [top]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.name == ".git" and path.is_dir():
                continue
            if path.is_dir() and not path.is_symlink():
                if not _is_mount(path):
                    waiting.append(path)
                continue
            status = path.lstat()
            found[path.relative_to(top).as_posix()] = f"{status.st_mode:o} {status.st_mtime_ns} {_digest(path)}"
    return found


def _is_mount(folder: Path) -> bool:
    target = link_target(folder)
    return target is not None and target.name == "exo" and target.parent.name == "worktrees"


def _digest(path: Path) -> str:
    return sha256(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()).hexdigest()[:16]
