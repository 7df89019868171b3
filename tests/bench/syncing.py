"""Sync with nothing to do, counted by a git that keeps a diary; and of one event among a great many tickets."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from exo_sidecar.store.scan import changed_paths
from tests.bench import timing
from tests.bench.grounds import context, ticket
from tests.bench.timing import EXO, Budget, Group, Row, Sample
from tests.support.repositories import a_clone, git

RUNS: Final = 9
_WRITING_MS: Final = 250.0
"""What an operation that writes may take (docs/architecture.md, "Budgets")."""
_DIARY: Final = '#!/bin/sh\nprintf "%s\\n" "$1" >>"{diary}"\nexec "{git}" "$@"\n'


def measure(clone: Path, large: Path, tickets: int) -> Group:
    """Measure `exo sync` in a clone that is even with its hub, and in a large one that is one event apart from it."""
    return Group("Sync", (_idle(clone), *_of_one_event(large, tickets)))


def _idle(clone: Path) -> Row:
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
    return Row("exo sync, nothing to do", found, told, budgets)


def _of_one_event(clone: Path, tickets: int) -> tuple[Row, ...]:
    """Measure a sync that sends one event and one that fetches one; C git's push and fetch stand for the network."""
    hub = clone.parent / "hub.git"
    other = a_clone(hub, "other")
    timing.started((*EXO, "sync"), clone)
    timing.started((*EXO, "init"), other)
    numbers = itertools.count()

    def write() -> None:
        number = next(numbers)
        timing.started((*EXO, "ticket-edit", ticket(number % 50), "--note", f"note {number}"), clone)

    def by_git() -> float:
        git(clone, "commit", "-q", "--allow-empty", "-m", "one more")
        words = ("git", "push", "-q", "origin", "HEAD:refs/heads/bench")
        pushed = timing.sample(1, lambda _: timing.started(words, clone)).least
        fetching = ("git", "fetch", "-q", "origin", "refs/heads/bench")
        return pushed + timing.sample(1, lambda _: timing.started(fetching, other)).least

    sent, fetched, network = [], [], []
    for _ in range(RUNS):
        network.append(by_git())
        write()
        sent.append(timing.used((*EXO, "sync", "--quiet"), clone))
        fetched.append(timing.used((*EXO, "sync", "--quiet"), other))
    scan = _scan(clone)
    limit = _WRITING_MS + min(network) + scan.least
    text = f"<= {_WRITING_MS:.0f} ms + git's push and fetch + the scan"
    rows = {"send": sent, "fetch": fetched}
    return (
        Row("git push and git fetch, one commit", timing.of(network)),
        Row(f"scan for hand edits, in process, {tickets:,} tickets", scan),
        *(
            Row(
                f"exo sync, one event to {what}, {tickets:,} tickets",
                timing.of([each.ms for each in taken]),
                f"{min(each.processor_ms for each in taken):.0f} ms of processor",
                (Budget(text, min(each.ms for each in taken), limit),),
            )
            for what, taken in rows.items()
        ),
    )


def _scan(clone: Path) -> Sample:
    """Measure the look at every file of the mount, which a sync begins with so that no edit by hand is lost."""
    with context(clone) as ctx:

        def look(_: int) -> None:
            changed_paths(ctx.governed)

        return timing.sample(RUNS, look)


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
