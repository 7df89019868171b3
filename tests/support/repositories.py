"""Real git repositories in temporary folders, made and asked by C git."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TIMEOUT_SECONDS: Final = 60
DEFAULT_FILES: Final[Mapping[str, str]] = {"README.md": "# Example\n", "src/app.py": "print('hello')\n"}


class GitFailedError(AssertionError):
    """git refused; the text is its command and its stderr."""


def git(cwd: Path, *args: str, stdin: str = "") -> str:
    """Run C git in `cwd` and return its stdout without the last newline; GitFailedError when it does not exit 0."""
    done = subprocess.run(
        ["git", *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",  # a path may be no UTF-8
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        message = f"git {' '.join(args)} exited {done.returncode}: {done.stderr or done.stdout}"
        raise GitFailedError(message)
    return done.stdout.removesuffix("\n")


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write each file of `files` below `root`, making folders."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit_files(repository: Path, files: Mapping[str, str], message: str = "change") -> str:
    """Write `files`, commit them on the current branch, return the commit's id."""
    write_files(repository, files)
    git(repository, "add", "--", *files)
    git(repository, "commit", "-q", "-m", message)
    return git(repository, "rev-parse", "HEAD")


def a_repository(folder: Path, name: str = "repo", files: Mapping[str, str] = DEFAULT_FILES) -> Path:
    """Make `folder/name` a repository with one commit of `files` on `main`; without files HEAD is unborn."""
    repository = folder / name
    repository.mkdir(parents=True)
    git(repository, "init", "-q", "-b", "main")
    if files:
        commit_files(repository, files, "first")
    return repository


def a_hub(folder: Path, name: str = "hub.git", files: Mapping[str, str] = DEFAULT_FILES) -> Path:
    """Make `folder/name` a bare repository whose `main` holds one commit of `files`."""
    hub = folder / name
    if not files:
        hub.mkdir(parents=True)
        git(hub, "init", "-q", "--bare", "-b", "main")
        return hub
    source = a_repository(folder, f"{name}.source", files)
    git(folder, "clone", "-q", "--bare", str(source), str(hub))
    git(hub, "remote", "remove", "origin")
    return hub


def a_clone(hub: Path, name: str = "clone") -> Path:
    """Clone `hub` into a folder of that name beside it, with `origin` pointing to it."""
    clone = hub.parent / name
    git(hub.parent, "clone", "-q", str(hub), str(clone))
    return clone
