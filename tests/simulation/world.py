"""One run: so many clones on one hub for so long, and what came of it. The same world gives the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from tests.simulation.costs import HTTP, Transport

Design: TypeAlias = Literal["refs", "branch"]
"""Claims as one ref for each ticket, or claims decided by compare-and-swap of the governance branch."""
HOUR: Final = 3600.0
MINUTE: Final = 60.0


class World(NamedTuple):
    """What a run is given; times in seconds."""

    clones: int
    design: Design = "refs"
    transport: Transport = HTTP
    ttl: float = 4 * HOUR
    task: float = 30 * MINUTE
    per_minute: int = 0
    """Pushes that the host lets through in a minute; 0: all."""
    slots: int = 4
    """Connections that the hub serves at once."""
    round_trip: float = 0.03
    seed: int = 1

    @property
    def warm_up(self) -> float:
        """Not counted: until everybody is at work."""
        return self.task

    @property
    def counted(self) -> float:
        """The time over which is counted, after the warm-up."""
        return max(HOUR, 2 * self.task)

    @property
    def ideal(self) -> float:
        """Tickets in an hour if nobody ever waited."""
        return self.clones * HOUR / self.task


@dataclass
class Tally:
    """What the clones have counted themselves, beside the hub's own count."""

    claims: list[float] = field(default_factory=list)
    """How long each took, in seconds; of the time that is counted, as are the three below."""
    releases: list[float] = field(default_factory=list)
    finished: int = 0
    failed: int = 0
    """Commands that gave up and were run again later."""
    pushes: int = 0
    behind: int = 0
    lost: int = 0
    lapsed: int = 0
    """Leases that were not renewed in time: others were allowed to take over."""
    events_pushed: int = 0
    """Over the whole run, as the two below."""
    results: int = 0
    finished_ever: int = 0


class Figures(NamedTuple):
    """A line of the table."""

    world: World
    goodput: float
    """Tickets finished in an hour."""
    share: float
    """Of the ideal."""
    claim: tuple[float, float]
    """Median and 95th percentile, in seconds."""
    release: tuple[float, float]
    pushes_per_minute: float
    behind: float
    """Pushes that were made again because the branch had moved, as a part of all."""
    lost: int
    failed: int
    lapsed: int
    busy: float
    """Part of the hub's time in use."""


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` of `values` lie; not a number when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")
