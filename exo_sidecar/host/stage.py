"""A stage: a throw-away hub and clones of it, for showing exo at work. Nothing outside of its folder is written.

The children see an environment made from an allow-list, so that neither the settings nor the agents of the person who
looks on have a part in it. The repository that is copied is only read.
"""

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import exo_sidecar
from exo_sidecar.base import files
from exo_sidecar.host import process
from exo_sidecar.host.process import Command, Ran
from exo_sidecar.model.errors import Environment, ValueInvalid

TIMEOUT_SECONDS: Final = 120.0
"""For one child on a busy machine; a healthy one takes a second."""
FILE_MAX_BYTES: Final = 8 * 1024 * 1024
BRANCH: Final = "main"
PEOPLE: Final = (("ada", "human:ada"), ("claude", "agent:claude"), ("codex", "agent:codex"))
"""Folder and actor of each clone."""

_KEPT: Final = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV")
_GIT_SETTINGS: Final = """\
[init]
    defaultBranch = main
[core]
    fsync = none
[gc]
    auto = 0
[maintenance]
    auto = false
[protocol "file"]
    allow = always
[safe]
    directory = *
"""
_SMALL: Final[Mapping[str, str]] = {
    "README.md": "# Tides\n\nWhen the water comes, and how high.\n",
    "docs/guide.md": "# Guide\n\ntides table HARBOUR\n",
    "scripts/release.sh": '#!/bin/sh\ngit tag "$1"\n',
    "src/tides/dates/parse.py": '"""Dates with their zones."""\n',
    "src/tides/moon/phase.py": '"""Phases of the moon."""\n',
    "src/tides/report/table.py": '"""The table that people read."""\n',
    "tests/test_parse.py": '"""Dates are read as people write them."""\n',
}


class StageFailed(Environment):
    """The throw-away repositories could not be made."""

    code = "STAGE_FAILED"
    advice = "git in the message says why; a full disk or an unreadable repository are the usual reasons"


class Clone(NamedTuple):
    """A clone of the hub, and who works in it."""

    name: str
    actor: str
    folder: Path


class Call(NamedTuple):
    """A call of exo in one clone."""

    clone: Clone
    words: tuple[str, ...]


class Stage(NamedTuple):
    """A hub and its clones."""

    folder: Path
    hub: Path
    clones: tuple[Clone, ...]
    environ: Mapping[str, str]

    def git(self, where: Path, *words: str) -> Ran:
        """Run C git; how it ended is for the caller to judge."""
        argv = ("git", *words)
        return process.run(argv, cwd=where, environ=self.environ, timeout_seconds=TIMEOUT_SECONDS)

    def said(self, where: Path, *words: str) -> str:
        """Return what C git says; StageFailed when it fails."""
        ran = self.git(where, *words)
        if ran.status != 0:
            message = f"git {words[0]} failed in {where.name}: {ran.complaint}"
            raise StageFailed(message)
        return ran.stdout.decode(errors="replace").rstrip("\n")

    def everywhere(self, *words: str) -> tuple[tuple[str, Ran], ...]:
        """Run C git in the hub and in every clone, side by side; return names with how it ended there."""
        places = (("hub", self.hub), *((clone.name, clone.folder) for clone in self.clones))
        commands = [Command(folder, ("git", *words)) for _, folder in places]
        ran = process.run_together(commands, environ=self.environ, timeout_seconds=TIMEOUT_SECONDS)
        return tuple(zip((name for name, _ in places), ran, strict=True))

    def exo(self, calls: Sequence[Call]) -> tuple[Ran, ...]:
        """Run exo as real processes that start at the same moment; return how each ended, in order."""
        commands = [
            # -P: a clone may hold a package of the same name.
            Command(clone.folder, (sys.executable, "-P", "-m", "exo_sidecar", *words, "--json", "--actor", clone.actor))
            for clone, words in calls
        ]
        return process.run_together(commands, environ=self.environ, timeout_seconds=TIMEOUT_SECONDS)

    def append(self, clone: Clone, path: str, text: str) -> None:
        """Add text to the end of a file of a clone, making it where it is missing."""
        before = files.read_beneath(clone.folder, path, limit_bytes=FILE_MAX_BYTES) or b""
        files.write_beneath(clone.folder, path, before + text.encode())


@contextlib.contextmanager
def raised(source: Path | None, keep: Path | None, environ: Mapping[str, str]) -> Iterator[Stage]:
    """Make a stage, and take it away afterwards unless it is to be kept.

    Args:
        source: a repository; its HEAD is what the hub begins with. None, or one without a commit: a small one.
        keep: a folder that is new or empty, in which the stage is made and stays. None: a temporary one.
        environ: of the caller; a few harmless variables are handed on.

    Raises:
        ValueInvalid: `keep` holds something.
        StageFailed: git could not make it.
    """
    with contextlib.ExitStack() as stack:
        folder = _kept(keep) if keep else Path(stack.enter_context(_temporary()))
        home = folder / "home"
        home.mkdir()
        (home / ".gitconfig").write_text(_GIT_SETTINGS)
        stage = Stage(folder, folder / "hub.git", _clones(folder), _environment(environ, home))
        _make_hub(stage, source)
        for clone in stage.clones:
            stage.said(folder, "clone", "-q", str(stage.hub), str(clone.folder))
            stage.said(clone.folder, "config", "user.name", clone.name)
            stage.said(clone.folder, "config", "user.email", f"{clone.name}@example.invalid")
        yield stage


def _temporary() -> tempfile.TemporaryDirectory[str]:
    # Packing in the background may still write while the folder goes.
    return tempfile.TemporaryDirectory(prefix="exo-demo-", ignore_cleanup_errors=True)


def _kept(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except (OSError, ValueError) as error:  # ValueError: a null byte
        message = f"keep: {folder} cannot be used: {getattr(error, 'strerror', error)}"
        raise ValueInvalid(message, parameter="keep") from error
    if occupied:
        message = f"keep: {folder} is not empty"
        raise ValueInvalid(message, hint="name a folder that is new or empty", parameter="keep")
    return folder.resolve()


def _clones(folder: Path) -> tuple[Clone, ...]:
    return tuple(Clone(name, actor, folder / name) for name, actor in PEOPLE)


def _environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    kept = {name: environ[name] for name in _KEPT if name in environ}
    package = str(Path(exo_sidecar.__file__).resolve().parents[1])
    path = environ.get("PYTHONPATH")
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "PYTHONPATH": f"{package}:{path}" if path else package,
    }


def _make_hub(stage: Stage, source: Path | None) -> None:
    stage.said(stage.folder, "init", "-q", "--bare", "-b", BRANCH, str(stage.hub))
    if source is not None and stage.git(source, "rev-parse", "-q", "--verify", "HEAD^{commit}").status == 0:
        # A shallow source is common in continuous integration, and welcome.
        target = f"HEAD:refs/heads/{BRANCH}"
        stage.said(stage.hub, "fetch", "-q", "--no-tags", "--update-shallow", str(source), target)
        return
    first = stage.folder / "first"
    stage.said(stage.folder, "init", "-q", "-b", BRANCH, str(first))
    for path, text in _SMALL.items():
        files.write_beneath(first, path, text.encode(), durable=False)
    stage.said(first, "add", "-A")
    stage.said(first, "-c", "user.name=tides", "-c", "user.email=tides@example.invalid", "commit", "-qm", "tides")
    stage.said(first, "push", "-q", str(stage.hub), BRANCH)
