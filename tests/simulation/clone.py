"""A clone with one agent: it claims, works, keeps its lease alive, syncs once, releases, and begins again."""

import random
from collections.abc import Callable
from functools import partial
from typing import Final

from tests.simulation import costs
from tests.simulation.hub import Hub, Result, Shown
from tests.simulation.loop import Loop, Steps
from tests.simulation.world import MINUTE, Tally, World

ATTEMPTS_MAX: Final = 16
"""As leases.remote."""
CANDIDATES_MAX: Final = 64
"""As leases.remote."""
ROUNDS_MAX: Final = 8
"""As operations.lease_desk and sync.max_rounds."""
AGAIN_AFTER: Final = MINUTE
"""A command that failed is run again so much later."""
DUE: Final = 2 / 3
"""A heartbeat is due when this part of the ttl has passed."""
LIFECYCLE_EVENTS: Final = 2
"""What a claim or a release writes to the ledger."""


class Clone:
    """One clone; `life` never ends."""

    def __init__(self, loop: Loop, hub: Hub, world: World, number: int, tally: Tally) -> None:
        self._loop = loop
        self._hub = hub
        self._world = world
        self._number = number
        self._tally = tally
        self._random = random.Random(f"{world.seed}/{number}")
        self._known = 0
        """Events of the branch that are here."""
        self._mine = 0
        """Events that were written here and not pushed yet."""
        self._shown = Shown(0, 0)
        self._ticket = -1
        self._beaten = 0.0

    def life(self) -> Steps[None]:
        """Work on one ticket after the other."""
        yield self._random.uniform(0.0, self._world.task)
        while True:
            began = self._loop.now
            yield from self._insisting(self._claim_ref if self._world.design == "refs" else self._claim_branch)
            self._note(self._tally.claims, began)
            yield from self._work()
            self._mine += LIFECYCLE_EVENTS
            began = self._loop.now
            yield from self._insisting(self._release)
            self._note(self._tally.releases, began)
            self._tally.finished_ever += 1
            self._tally.finished += self._is_counted()

    def _work(self) -> Steps[None]:
        duration = self._world.task * self._random.uniform(0.75, 1.25)
        end, sync_at = self._loop.now + duration, self._loop.now + duration / 2
        while True:
            beat_at = self._beaten + DUE * self._world.ttl
            due = min(end, sync_at, beat_at)
            yield max(0.0, due - self._loop.now)
            if due == end:
                return
            if due == sync_at:
                sync_at = float("inf")
                self._mine += 1
                yield from self._synced()
            else:
                yield from self._insisting(self._beat)

    def _insisting(self, command: Callable[[], Steps[bool]]) -> Steps[None]:
        """Run a command until it goes well."""
        while not (yield from command()):
            self._tally.failed += self._is_counted()
            yield AGAIN_AFTER * self._random.uniform(0.75, 1.25)

    def _claim_ref(self) -> Steps[bool]:
        yield from self._pulled()
        self._shown = yield from self._hub.listed()
        candidates = range(self._shown.first_free, self._shown.first_free + CANDIDATES_MAX)
        for attempt in range(ATTEMPTS_MAX):
            yield costs.CLIENT
            result = yield from self._pushed("claim", lambda: self._take_first(candidates), branch=False)
            if result == "landed":
                self._beaten = self._loop.now
                yield from self._synced(LIFECYCLE_EVENTS)
                return True
            if result == "throttled":
                return False
            yield self._random.uniform(0.0, min(1.0, 0.02 * 2**attempt))
            yield from self._hub.listed()
        return False

    def _take_first(self, candidates: range) -> Callable[[], Result] | Result:
        ticket = self._hub.first_free
        return (lambda: self._take(ticket)) if ticket in candidates else "lost"

    def _take(self, ticket: int) -> Result:
        if ticket in self._hub.holders or ticket in self._hub.finished:
            return "lost"
        self._hub.hold(ticket, self._number)
        self._ticket = ticket
        return "landed"

    def _claim_branch(self) -> Steps[bool]:
        for number in range(1, ROUNDS_MAX + 1):
            yield from self._pulled()
            self._mine += LIFECYCLE_EVENTS
            take = partial(self._on_branch, partial(self._take, self._shown.first_free))
            result = yield from self._pushed("claim", take, branch=True)
            if result == "landed":
                self._beaten = self._loop.now
                return True
            self._mine -= LIFECYCLE_EVENTS
            if result == "throttled":
                return False
            yield self._pause(number)
        return False

    def _beat(self) -> Steps[bool]:
        if self._world.design == "refs":
            yield costs.CLIENT
            landed = (yield from self._pushed("heartbeat", lambda: lambda: "landed", branch=False)) == "landed"
        else:
            self._mine += 1
            landed = yield from self._synced(kind="heartbeat")
            self._mine -= not landed
        if landed:
            self._check_lapsed()
            self._beaten = self._loop.now
        return landed

    def _release(self) -> Steps[bool]:
        """Push branch and lease in one atomic push; what moved meanwhile is fetched first."""
        for _ in range(ROUNDS_MAX):
            result = yield from self._pushed("release", lambda: self._on_branch(self._finish), branch=True)
            if result == "landed":
                self._check_lapsed()
                return True
            if result == "throttled":
                return False
            yield from self._pulled()
        return False

    def _finish(self) -> Result:
        self._hub.finish(self._ticket, self._number)
        return "landed"

    def _synced(self, events: int = 0, kind: str = "branch") -> Steps[bool]:
        """Pull, write so many events, push; again when others were faster. What stays here goes with the next push."""
        yield from self._pulled()
        self._mine += events
        for number in range(1, ROUNDS_MAX + 1):
            result = yield from self._pushed(kind, lambda: self._on_branch(lambda: "landed"), branch=True)
            if result in {"landed", "throttled"}:
                return result == "landed"
            yield self._pause(number)
            yield from self._pulled()
        return False

    def _pulled(self) -> Steps[None]:
        self._shown = yield from self._hub.listed()
        came = self._shown.events - self._known
        self._known = self._shown.events
        if came:
            yield costs.MERGE + costs.EACH_EVENT * min(came, costs.EVENTS_MERGED_MAX)

    def _on_branch(self, then: Callable[[], Result]) -> Callable[[], Result] | Result:
        """Return the swap of the branch, and of a lease with it, unless the branch shown is not the one known here."""

        def swap() -> Result:
            if self._hub.events != self._known:
                return "behind"
            if then() != "landed":
                return "lost"
            self._hub.events += self._mine
            self._tally.events_pushed += self._mine
            self._known, self._mine = self._hub.events, 0
            return "landed"

        return swap if self._hub.events == self._known else "behind"

    def _pushed(self, kind: str, decide: Callable[[], Callable[[], Result] | Result], *, branch: bool) -> Steps[Result]:
        result = yield from self._hub.push(kind, decide, branch=branch)
        self._tally.results += 1
        if self._is_counted():
            self._tally.pushes += 1
            self._tally.behind += result == "behind"
            self._tally.lost += result == "lost"
        return result

    def _pause(self, number: int) -> float:
        """As sync.sync."""
        return self._random.uniform(0.0, min(2.0, 0.05 * 2**number))

    def _check_lapsed(self) -> None:
        late = self._loop.now - self._beaten > self._world.ttl * 1.01 + 30
        self._tally.lapsed += late and self._is_counted()

    def _is_counted(self) -> bool:
        return self._loop.now >= self._world.warm_up

    def _note(self, waits: list[float], began: float) -> None:
        if self._is_counted():
            waits.append(self._loop.now - began)
