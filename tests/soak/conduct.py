"""One soak run: hub, clones, workers, faults; then the checker. `scripts/soak leases` and a test come in here."""

import collections
import contextlib
import math
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.soak import history, hub
from tests.soak.checker import Violation, check
from tests.soak.crew import COPY_MOVES, Crew
from tests.soak.history import Era, History
from tests.soak.hub import Backup
from tests.soak.ledger import SoakLedger
from tests.soak.plan import HOLD_SECONDS, Plan, Variant
from tests.soak.schedule import Event, events
from tests.support.leasing import a_daemon
from tests.support.repositories import a_clone, git

END_SECONDS = 20.0
PROGRESS_SECONDS = 10.0
COPIES_MAX = 3


class Terms(NamedTuple):
    """What to run."""

    seed: int
    clones: int = 8
    tickets: int = 4
    claims: int = 200
    """Stop after so many completed claims ..."""
    seconds: float = 60.0
    """... or so many seconds."""
    haste: float = 1.0
    faults: bool = True
    variant: Variant = ""
    daemon: bool = False
    """Over git://; the faults of the hub's own programs are not there then."""


class Report(NamedTuple):
    """What came of it."""

    violations: list[Violation]
    figures: dict[str, float]
    failed: tuple[str, ...]
    """Workers that ended with an error of their own."""


class Run:
    """The state of one run."""

    def __init__(self, folder: Path, terms: Terms, say: Callable[[str], None]) -> None:
        self._folder, self._terms, self._say = folder, terms, say
        for name in ("history", "errors"):
            (folder / name).mkdir(parents=True)
        self._hub = hub.make(folder)
        tickets = tuple(f"TICKET-S{number}" for number in range(terms.tickets))
        first = Plan(worker="", clone="", run="", seed="", tickets=(), variant=terms.variant, faults=terms.faults)
        self._crew = Crew(folder, terms.seed, tickets, first)
        self._ledger = SoakLedger(folder / "ledger")
        self._start = time.monotonic()
        self._eras: list[Era] = []
        self._base: dict[str, str] = {}
        self._era_start = -math.inf
        self._backup: Backup | None = None
        self._copies = 0
        self.faults: collections.Counter[str] = collections.Counter()

    def go(self, url: str = "") -> Report:
        """Run to the end of the terms and judge; `url` is where the hub's folder is served, if it is."""
        try:
            self._enlist(url)
            self._conduct()
        finally:
            lasted = time.monotonic() - self._start
            self._crew.end(END_SECONDS)
        hub.quiet(self._hub)
        hub.unlock(self._hub, 0)
        self._close_era(self._hub, math.inf)
        return self._judged(lasted)

    def _enlist(self, url: str) -> None:
        """Make the clones and put a worker on each."""
        for number in range(self._terms.clones):
            clone = a_clone(self._hub, f"w{number}")
            git(clone, "config", "core.fsync", "none")
            if url:
                git(clone, "remote", "set-url", "origin", f"{url}/{self._hub.name}")
            self._crew.add(clone)

    def _conduct(self) -> None:
        """Let them work and let things go wrong, until the terms are met."""
        pending = events(self._terms.seed, self._terms.seconds, self._terms.clones, self._terms.haste)
        pending = pending if self._terms.faults else []
        self._start = told = time.monotonic()
        while not self._done():
            self._crew.watch()
            while pending and pending[0].at <= time.monotonic() - self._start:
                self._fault(pending.pop(0))
            self.faults["stale server locks"] += hub.unlock(self._hub)
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                self._say(f"{told - self._start:6.0f} s  {self._ledger.count()} claims  {dict(self.faults)}")
            time.sleep(0.03)

    def _done(self) -> bool:
        passed = time.monotonic() - self._start
        if self._crew.failed:
            return True
        return passed > self._terms.seconds or self._ledger.count() >= self._terms.claims

    def _fault(self, event: Event) -> None:
        self.faults[event.kind] += 1
        match event.kind:
            case "kill":
                self._crew.kill(event.clone)
            case "reboot":
                self._crew.kill(event.clone, reboot=True)
            case "stop":
                self._crew.stop(event.clone, event.seconds)
            case "gc":
                hub.tidy(self._hub, "gc", "-q")
            case "pack-refs":
                hub.tidy(self._hub, "pack-refs", "--all")
            case "backup":
                self._backup = hub.backup(self._hub)
            case "restore":
                self._restore()
            case _:
                self._copy(event)

    def _copy(self, event: Event) -> None:
        self._copies += 1
        target = self._folder / f"copy{self._copies}"
        hub.copy(self._crew.clone(event.clone), target)
        self._crew.add(target, copy=event.kind.removeprefix("copy-"), moves_max=COPY_MOVES)

    def _restore(self) -> None:
        if self._backup is None or self._terms.variant:
            return
        with hub.away(self._hub) as aside:
            if not hub.quiet(aside, self._crew.watch):
                self.faults["restores put off"] += 1
                return
            at = time.monotonic()
            self._close_era(aside, at)
            hub.restore(aside, self._backup)
            self._era_start = at
            self._base = {ref.rpartition("/")[2]: oid for ref, oid in self._backup.refs.items() if "/leases/" in ref}

    def _close_era(self, place: Path, at: float) -> None:
        self._eras.append(Era(self._era_start, at, hub.chains(place), hub.branches(place), self._base))

    def _judged(self, lasted: float) -> Report:
        ops = history.joined(history.read(self._folder / "history"))
        violations = check(History(ops, tuple(self._eras), HOLD_SECONDS))
        results = collections.Counter(f"{op.name} {op.result}" for op in ops.values())
        owners = [
            (before, after) for era in self._eras for chain in era.chains.values() for before, after in pairwise(chain)
        ]
        figures: dict[str, float] = {
            "seconds": round(lasted),
            "claims": self._ledger.count(),
            "operations": len(ops),
            "values on chains": sum(len(chain) for era in self._eras for chain in era.chains.values()),
            "taken over": sum(a.state == "held" and a.session != b.session for a, b in owners),
            "guarded writes on branches": sum(len(one) for era in self._eras for one in era.branches.values()),
            "eras": len(self._eras),
            "workers killed": self._crew.deaths,
            "workers stopped": self._crew.stops,
        }
        return Report(
            violations,
            figures | dict(sorted(results.items())) | self.faults | hub.faults(self._hub),
            tuple(self._crew.failed),
        )


def run(folder: Path, terms: Terms, say: Callable[[str], None] = lambda _: None) -> Report:
    """Run in the empty `folder` and return the verdict with its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    with a_daemon(folder) if terms.daemon else contextlib.nullcontext("") as url:
        return Run(folder, terms, say).go(url)
