"""Leases over each transport: how long a claim takes, how many a second, and what C git takes for the same.

C git needs two commands where a claim needs one connection: it reads the ref, then pushes with a lease. Both ways take
turns, so that both meet the same machine. A crowded hub shows what its other refs cost: a push is shown them all.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.ids import TicketId
from tests.bench import timing
from tests.bench.timing import Group, Row, Sample
from tests.support.leasing import Party, Site
from tests.support.repositories import git
from tests.support.servers import hubs, kinds

CROWDS: Final = (0, 1_000, 10_000)
RUNS: Final = 20
CLAIMANTS: Final = 4
RUSH_SECONDS: Final = 2.0
_NAMES: Final = {
    "path": "local path",
    "daemon": "git daemon",
    "nginx": "nginx, http-backend, password",
    "sshd": "sshd, ed25519 key",
}


class _Taken(NamedTuple):
    """How long each run took, in milliseconds."""

    each: list[float]

    @property
    def sample(self) -> Sample:
        return Sample(len(self.each), min(self.each), statistics.median(self.each))

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.each, n=20, method="inclusive")[-1]


def measure(folder: Path) -> Group:
    """Measure every transport that this machine can serve, on an empty hub and on crowded ones."""
    rows = [row for kind in kinds.KINDS for row in _of_kind(kind, folder / kind)]
    return Group("Leases, by transport", tuple(rows))


def _of_kind(kind: str, folder: Path) -> Iterator[Row]:
    lacking = kinds.missing(kind)
    if lacking:
        yield Row(_NAMES[kind], None, f"not measured, not here: {lacking}")
        return
    for crowd in CROWDS:
        own = folder / str(crowd)
        own.mkdir(parents=True)
        with kinds.a_served_site(kind, own) as site:
            hubs.crowd(site.hub, crowd)
            yield from _rows(f"{_NAMES[kind]}, {crowd:,} other refs", site)


def _rows(name: str, site: Site) -> Iterator[Row]:
    parties = [site.party(f"SES-B{number}") for number in range(CLAIMANTS)]
    numbers = itertools.count()
    clone = parties[0].repository.place.common.parent
    tip = git(clone, "rev-parse", "HEAD")

    def by_git() -> None:
        ref = f"refs/bench/{next(numbers)}"
        timing.started(("git", "ls-remote", "origin", ref), clone)
        timing.started(("git", "push", "-q", f"--force-with-lease={ref}:", "origin", f"{tip}:{ref}"), clone)

    def ours() -> None:
        _claim(parties[0], next(numbers))

    by_git()
    ours()
    pairs = [(_timed(by_git), _timed(ours)) for _ in range(RUNS)]
    theirs, mine = _Taken([pair[0] for pair in pairs]), _Taken([pair[1] for pair in pairs])
    rate = _rate(parties, numbers)
    share = mine.sample.median / theirs.sample.median
    yield Row(f"git ls-remote + push, {name}", theirs.sample, f"p95 {theirs.p95:.0f} ms")
    told = f"p95 {mine.p95:.0f} ms; {share:.2f} x git by median; {rate:.0f} claims/s by {CLAIMANTS} clones at once"
    yield Row(f"claim, {name}", mine.sample, told)
    assert git(site.hub, "for-each-ref", "--count=1", "refs/exo/leases/")


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _claim(party: Party, number: int) -> None:
    ticket = TicketId(f"TICKET-C{number}")
    party.leases.swap(ticket, party.claiming(ticket))


def _rate(parties: list[Party], numbers: "itertools.count[int]") -> float:
    """Return how many claims a second several clones make together, each of tickets of its own."""
    done: list[float] = []
    began = time.monotonic()

    def work(party: Party) -> None:
        while time.monotonic() - began < RUSH_SECONDS:
            _claim(party, next(numbers))
            done.append(time.monotonic())

    threads = [threading.Thread(target=work, args=(party,)) for party in parties]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done) / (max(done) - began)
