"""Time and randomness as tests hand them in: fixed, seeded, and moved by hand."""

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from exo_sidecar.model.ids import Entropy

START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until it is told to advance."""

    def __init__(self, at: datetime = START) -> None:
        self.now = at

    def __call__(self) -> datetime:
        """Return the time at which the clock stands, with its zone."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock; a negative number is a clock that was set back."""
        self.now += timedelta(seconds=seconds)


def seeded(seed: int = 0) -> Entropy:
    """Return a source of bytes that gives the same sequence for the same `seed`."""
    return random.Random(seed).randbytes
