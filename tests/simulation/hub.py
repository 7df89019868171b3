"""The git server: slots that serve in order, a branch and leases that change by compare-and-swap, a limit of pushes.

Invariants, checked as it runs: a ticket has one holder at most, who changes only by a move that the real rules allow;
every push that was asked for landed, was refused, or is on its way.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

from tests.simulation import costs
from tests.simulation.costs import Transport
from tests.simulation.loop import Loop, Steps

Result: TypeAlias = Literal["landed", "lost", "behind", "throttled"]
THROTTLE_WAIT: Final = 30.0
"""A push that would wait longer than this for its turn is refused by the host."""
TOMBSTONES_MAX: Final = 500
"""More of them are swept away."""


class Shown(NamedTuple):
    """What a connection showed."""

    events: int
    first_free: int
    """The best ticket that nobody holds; those after it are free too."""


class DoubleHold(AssertionError):
    """Two clones hold one ticket."""


class Hub:
    """One server and what it has counted."""

    def __init__(self, loop: Loop, transport: Transport, *, slots: int, round_trip: float, per_minute: int) -> None:
        self.events = 0
        """Events on the governance branch; it moves with each push that carries some."""
        self.holders: dict[int, int] = {}
        self.finished: set[int] = set()
        self.first_free = 0
        self.asked: Counter[str] = Counter()
        self.results: Counter[Result] = Counter()
        self.busy = 0.0
        self._loop = loop
        self._transport = transport
        self._free = [0.0] * slots
        self._round_trip = round_trip
        self._spacing = 60.0 / per_minute if per_minute else 0.0
        self._next_push = 0.0

    def listed(self) -> Steps[Shown]:
        """Read refs, or fetch: one connection; what is shown may be out of date when it arrives."""
        yield from self._connect()
        yield from self._serve(self._transport.listing)
        shown = Shown(self.events, self.first_free)
        yield self._round_trip
        return shown

    def push(self, kind: str, decide: Callable[[], Callable[[], Result] | Result], *, branch: bool) -> Steps[Result]:
        """One connection: `decide` sees what is shown; what it returns compares and swaps when that arrives.

        `kind` is the name under which it is counted.
        """
        self.asked[kind] += 1
        wait = self._turn()
        if wait is None:
            yield from self._connect()
            self.results["throttled"] += 1
            return "throttled"
        yield wait
        yield from self._connect()
        shown = self._transport.push / 2 + self._refs() * self._transport.each_ref
        yield from self._serve(shown)
        swap = decide()
        yield self._round_trip
        if callable(swap):
            yield from self._serve(self._transport.push / 2 + (costs.BRANCH_MORE if branch else 0.0))
            swap = swap()
        self.results[swap] += 1
        return swap

    def hold(self, ticket: int, clone: int) -> None:
        """Let `clone` hold a free ticket."""
        if ticket in self.holders or ticket in self.finished:
            raise DoubleHold(ticket, clone)
        self.holders[ticket] = clone
        while self.first_free in self.holders or self.first_free in self.finished:
            self.first_free += 1

    def finish(self, ticket: int, clone: int) -> None:
        """Close a ticket that `clone` holds."""
        if self.holders.pop(ticket, None) != clone:
            raise DoubleHold(ticket, clone)
        self.finished.add(ticket)

    def _refs(self) -> int:
        return len(self.holders) + min(len(self.finished), TOMBSTONES_MAX)

    def _turn(self) -> float | None:
        """Return how long the host lets a push wait, None when it refuses."""
        if not self._spacing:
            return 0.0
        turn = max(self._next_push, self._loop.now)
        if turn - self._loop.now > THROTTLE_WAIT:
            return None
        self._next_push = turn + self._spacing
        return turn - self._loop.now

    def _connect(self) -> Steps[None]:
        yield self._transport.handshake + self._transport.trips * self._round_trip

    def _serve(self, seconds: float) -> Steps[None]:
        """Wait for a slot, first come first served, and be served."""
        begin = max(self._loop.now, self._free[0])
        heapq.heapreplace(self._free, begin + seconds)
        self.busy += seconds
        yield begin + seconds - self._loop.now
