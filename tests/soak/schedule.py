"""What goes wrong from outside, and when: a list made of a seed and nothing else."""

import random
from typing import Final, NamedTuple

RATES: Final = {
    "kill": 6.0,
    "stop": 5.0,
    "reboot": 15.0,
    "gc": 45.0,
    "pack-refs": 6.0,
    "copy-noticed": 40.0,
    "copy-unnoticed": 25.0,
    "backup": 20.0,
    "restore": 50.0,
}
"""Mean seconds between two of a kind."""
STOP_SECONDS: Final = (0.3, 4.5)
"""A ttl is over after 1.3 s, a take-over is due after 2."""


class Event(NamedTuple):
    """A fault: seconds from the start, what, to whom, for how long."""

    at: float
    kind: str
    clone: int
    seconds: float


def events(seed: int, seconds: float, clones: int, haste: float = 1.0) -> list[Event]:
    """Return the faults of a run in order; `haste` makes all of them more frequent."""
    chance = random.Random(f"events {seed}")
    found: list[Event] = []
    for kind, mean in RATES.items():
        at = chance.expovariate(haste / mean)
        while at < seconds:
            found.append(Event(at, kind, chance.randrange(clones), chance.uniform(*STOP_SECONDS)))
            at += chance.expovariate(haste / mean)
    return sorted(found)
