"""Leases: one claim on a hub on this machine, beside C git's guarded push of one ref."""

import itertools
from pathlib import Path
from typing import Final

from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases.refs import RemoteLeases
from exo_sidecar.model.ids import TicketId
from tests.bench import timing
from tests.bench.timing import EXO, Budget, Group, Row
from tests.support.leasing import Counter, ManualBoot, Party
from tests.support.repositories import git

RUNS: Final = 15
WHOLE_RUNS: Final = 7


def measure(clone: Path, hub: Path) -> Group:
    """Measure a claim in process and by process; both ways take turns, so that both meet the same machine."""
    boot = ManualBoot()
    repository = Repository(locate(clone))
    party = Party(
        repository, RemoteLeases(repository, Remote("origin", str(hub)), clock=boot), "SES-B", boot, Counter()
    )
    blob = git(clone, "rev-parse", "HEAD")
    claimed, pushed = itertools.count(), itertools.count()

    def claim(_: int) -> None:
        name = TicketId(f"TICKET-C{next(claimed)}")
        party.leases.swap(name, party.claiming(name))

    def push(_: int) -> None:
        ref = f"refs/bench/{next(pushed)}"
        timing.started(("git", "push", "-q", f"--force-with-lease={ref}:", "origin", f"{blob}:{ref}"), clone)

    claim(0)
    push(0)
    by_git, ours = timing.in_turn(RUNS, push, claim)
    share = timing.ratio(ours, by_git)
    rows = [
        Row("git push --force-with-lease", by_git),
        Row("claim, in process", ours, f"{share:.2f} x git push", (Budget("<= 1.0 x git push", share, 1.0),)),
        _whole(clone),
    ]
    return Group("Leases, on a hub on this machine", tuple(rows))


def _whole(clone: Path) -> Row:
    def reserve(_: int) -> None:
        timing.started((*EXO, "next"), clone)

    taken = []
    for number in range(WHOLE_RUNS):
        one = timing.sample(1, reserve)
        taken.append(one.least)
        if number + 1 < WHOLE_RUNS:
            _give_back(clone)
    ordered = sorted(taken)
    return Row("exo next, whole process", timing.Sample(WHOLE_RUNS, ordered[0], ordered[WHOLE_RUNS // 2]))


def _give_back(clone: Path) -> None:
    timing.started((*EXO, "lease-release"), clone)
