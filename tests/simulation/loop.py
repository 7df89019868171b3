"""A clock and an agenda: generators that yield how many seconds they wait, resumed in order of time.

Two that wake at one instant go in the order in which they went to sleep, so a run depends on nothing but its input.
"""

import heapq
from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Steps: TypeAlias = Generator[float, None, T]
"""Something that takes time and then has an answer."""


class Loop:
    """The agenda; `now` is in seconds from the start."""

    def __init__(self) -> None:
        self.now = 0.0
        self._agenda: list[tuple[float, int, Steps[None]]] = []
        self._count = 0

    def start(self, steps: Steps[None]) -> None:
        """Put `steps` on the agenda, for now."""
        self._later(0.0, steps)

    def run(self, until: float) -> None:
        """Resume who is due, until the clock shows `until` or nobody is left."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, steps = heapq.heappop(self._agenda)
            try:
                delay = next(steps)
            except StopIteration:
                continue
            self._later(delay, steps)
        self.now = until

    def _later(self, delay: float, steps: Steps[None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (self.now + delay, self._count, steps))
