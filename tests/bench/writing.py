"""Writing: whole processes and the commit alone, by number of tickets; and the same commit by C git."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.event import Draft, TicketNoted
from exo_sidecar.model.outcome import Outcome
from tests.bench import timing
from tests.bench.grounds import INTENT, context, ticket
from tests.bench.timing import EXO, Budget, Group, Row, Sample
from tests.support.repositories import git

RUNS: Final = 9
COMMITS: Final = 21
_COMMIT: Final = "its commit, in process"
_WHOLE_MS: Final = 250.0
_COMMIT_MS: Final = 15.0
_GROWTH: Final = 1.3
_JUDGED_AT: Final = 10_000
_SPREAD: Final = 100
"""Tickets that are written in turn."""


class Commits(NamedTuple):
    """Transactions in process, and the least time that one of them kept the processor busy."""

    sample: Sample
    processor_ms: float

    @property
    def share(self) -> str:
        """What of it is not waiting for the disk."""
        return f"{self.processor_ms:.1f} ms of it processor"


def measure(clones: Mapping[int, Path]) -> Group:
    """Measure writing in each clone; the smallest comes first and is what the others are compared with."""
    first: dict[str, Sample] = {}
    rows: list[Row] = []
    for size, clone in clones.items():
        alone = commits(clone)
        found = {**_programs(clone), _COMMIT: alone.sample}
        for what, taken in found.items():
            growth = timing.ratio(taken, first.setdefault(what, taken))
            compared = f"{growth:.2f} x of {min(clones)}{f', {alone.share}' if what == _COMMIT else ''}"
            budgets = _budgets(what, taken, growth) if size == _JUDGED_AT else ()
            rows.append(Row(f"{what}, {size:,} tickets", taken, compared, budgets))
    return Group("Writing", (*rows, *_beside_git(clones)))


def _budgets(what: str, taken: Sample, growth: float) -> tuple[Budget, ...]:
    if what == _COMMIT:
        return (Budget(f"<= {_COMMIT_MS:.0f} ms", taken.least, _COMMIT_MS),)
    whole = Budget(f"<= {_WHOLE_MS:.0f} ms", taken.least, _WHOLE_MS)
    return (whole, Budget(f"<= {_GROWTH} x of the fewest", growth, _GROWTH))


def _programs(clone: Path) -> dict[str, Sample]:
    create = (*EXO, "ticket-create", "--parent", INTENT, "--scope-allow", "src/**")
    edit = (*EXO, "ticket-edit", "--title")
    return {
        "exo ticket-create": timing.program(RUNS, lambda number: (*create, f"Run {number}"), clone),
        "exo ticket-edit": timing.program(
            RUNS, lambda number: (*edit, f"Run {number}", ticket(number % _SPREAD)), clone
        ),
    }


def commits(clone: Path, runs: int = COMMITS) -> Commits:
    """Measure the transaction alone: lock, view, one event, objects on disk, ref, file, index."""
    with context(clone) as ctx:
        ctx.begin("bench", {})
        ctx.view()
        processor: list[float] = []

        def commit(number: int) -> float:
            draft = Draft(subject=ticket(number % _SPREAD), data=TicketNoted(text=f"note {number}"))
            stamp = ctx.stamp()
            began, busy = time.perf_counter(), time.process_time()
            ctx.store.transact(lambda _: Outcome(events=(draft,)), stamp)
            processor.append((time.process_time() - busy) * 1000)
            return (time.perf_counter() - began) * 1000

        commit(-1)
        return Commits(timing.sample(runs, commit), min(processor))


def _beside_git(clones: Mapping[int, Path]) -> tuple[Row, ...]:
    """Commit one changed file by C git on a branch with the same files."""
    size = _JUDGED_AT if _JUDGED_AT in clones else min(clones)
    clone = clones[size]
    plain = clone.parent / "plain"
    git(clone, "worktree", "add", "-q", "-b", "plain", str(plain), "exo-governance")
    file = next(plain.rglob("TICKET-*.yaml"))

    def commit(number: int) -> None:
        file.write_text(f"{file.read_text()}# {number}\n")
        timing.started(("git", "add", "--", str(file)), plain)
        timing.started(("git", "commit", "-q", "-m", "change"), plain)

    commit(-1)
    by_git = timing.sample(COMMITS, commit)
    ours = commits(clone)
    git(clone, "worktree", "remove", "--force", str(plain))
    git(clone, "branch", "-q", "-D", "plain")
    compared = f"{timing.ratio(ours.sample, by_git):.2f} x of git add + git commit"
    return (
        Row(f"git add + git commit, the same {size:,} files", by_git),
        Row("exo's commit, measured right after", ours.sample, compared),
    )
