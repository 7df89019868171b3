"""Sync with nothing to do: how many connections, commits and pushes it makes, counted by a git that keeps a diary."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.bench import timing
from tests.bench.timing import EXO, Budget, Group, Row
from tests.support.repositories import git

RUNS: Final = 9
_DIARY: Final = '#!/bin/sh\nprintf "%s\\n" "$1" >>"{diary}"\nexec "{git}" "$@"\n'


def measure(clone: Path) -> Group:
    """Measure `exo sync` in a clone that is even with its hub."""
    timing.started((*EXO, "sync"), clone)
    before = _tips(clone)
    services = _services(clone)
    commits = sum(a != b for a, b in zip(before, _tips(clone), strict=True))
    found = timing.program(RUNS, lambda _: (*EXO, "sync"), clone)
    connections, pushes = len(services), services.count("receive-pack")
    told = f"{connections} connection, {commits} commits, {pushes} pushes"
    budgets = (
        Budget("1 connection", connections, 1),
        Budget("0 commits", commits, 0),
        Budget("0 pushes", pushes, 0),
    )
    return Group("Sync", (Row("exo sync, nothing to do", found, told, budgets),))


def _services(clone: Path) -> list[str]:
    """Return the servers that one sync starts."""
    folder = clone.parent / "diary"
    folder.mkdir()
    diary = folder / "diary.txt"
    diary.touch()
    wrapper = folder / "git"
    wrapper.write_text(_DIARY.format(diary=diary, git=shutil.which("git")))
    wrapper.chmod(0o755)
    environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run((*EXO, "sync"), cwd=clone, env=environ, capture_output=True, timeout=60, check=True)
    return [word for word in diary.read_text().split() if word in {"upload-pack", "receive-pack"}]


def _tips(clone: Path) -> tuple[str, ...]:
    return tuple(git(where, "rev-parse", "refs/heads/exo-governance") for where in (clone, clone.parent / "hub.git"))
