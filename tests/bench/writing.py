"""Writing: whole processes and the commit alone, by number of tickets; and the same commit by C git."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.model.event import Draft, TicketNoted
from exo_sidecar.model.outcome import Outcome
from tests.bench import timing
from tests.bench.grounds import INTENT, context, ticket
from tests.bench.timing import EXO, Budget, Group, Row, Sample
from tests.support.repositories import git

RUNS: Final = 9
COMMITS: Final = 21
_WHOLE_MS: Final = 250.0
_COMMIT_MS: Final = 15.0
_GROWTH: Final = 1.3
_JUDGED_AT: Final = 10_000


def measure(clones: Mapping[int, Path]) -> Group:
    """Measure writing in each clone; the smallest comes first and is what the others are compared with."""
    first: dict[str, Sample] = {}
    rows: list[Row] = []
    for size, clone in clones.items():
        for what, found in _samples(clone).items():
            base = first.setdefault(what, found)
            growth = timing.ratio(found, base)
            limit = _COMMIT_MS if what == "its commit, in process" else _WHOLE_MS
            budgets: tuple[Budget, ...] = ()
            if size == _JUDGED_AT:
                budgets = (Budget(f"<= {limit:.0f} ms", found.least, limit),)
            if size == _JUDGED_AT and limit == _WHOLE_MS:
                budgets += (Budget(f"<= {_GROWTH} x of {min(clones)} tickets", growth, _GROWTH),)
            rows.append(Row(f"{what}, {size:,} tickets", found, f"{growth:.2f} x of {min(clones)}", budgets))
    return Group("Writing", (*rows, *_beside_git(clones)))


def _samples(clone: Path) -> dict[str, Sample]:
    create = (*EXO, "ticket-create", "--parent", INTENT, "--scope-allow", "src/**")
    edit = (*EXO, "ticket-edit", ticket(1), "--title")
    return {
        "exo ticket-create": timing.program(RUNS, lambda number: (*create, f"Run {number}"), clone),
        "exo ticket-edit": timing.program(RUNS, lambda number: (*edit, f"Run {number}"), clone),
        "its commit, in process": commits(clone),
    }


def commits(clone: Path, runs: int = COMMITS) -> Sample:
    """Measure the transaction alone: lock, view, one event, objects on disk, ref, file, index."""
    with context(clone) as ctx:
        ctx.begin("bench", {})
        ctx.view()

        def commit(number: int) -> float:
            draft = Draft(subject=ticket(2), data=TicketNoted(text=f"note {number}"))
            stamp = ctx.stamp()
            began = time.perf_counter()
            ctx.store.transact(lambda _: Outcome(events=(draft,)), stamp)
            return (time.perf_counter() - began) * 1000

        commit(-1)
        return timing.sample(runs, commit)


def _beside_git(clones: Mapping[int, Path]) -> tuple[Row, ...]:
    """Commit one changed file by C git on a branch with the same files."""
    size = _JUDGED_AT if _JUDGED_AT in clones else min(clones)
    clone = clones[size]
    plain = clone.parent / "plain"
    git(clone, "worktree", "add", "-q", "-b", "plain", str(plain), "exo-governance")
    file = next(plain.rglob("TICKET-*.yml"))

    def commit(number: int) -> None:
        file.write_text(f"{file.read_text()}# {number}\n")
        timing.started(("git", "add", "--", str(file)), plain)
        timing.started(("git", "commit", "-q", "-m", "change"), plain)

    commit(-1)
    by_git = timing.sample(COMMITS, commit)
    ours = commits(clone)
    git(clone, "worktree", "remove", "--force", str(plain))
    git(clone, "branch", "-q", "-D", "plain")
    compared = f"{timing.ratio(ours, by_git):.2f} x of git add + git commit"
    return (
        Row(f"git add + git commit, the same {size:,} files", by_git),
        Row("exo's commit, measured right after", ours, compared),
    )
