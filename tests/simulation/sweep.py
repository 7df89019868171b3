"""Which worlds are run: one question a table; the rest stays as `World` has it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.simulation.costs import HTTP, SSH, TRANSPORTS
from tests.simulation.world import HOUR, MINUTE, World

CLONES: Final = (10, 100, 1000, 10_000)
TTLS: Final = (15 * MINUTE, HOUR, 4 * HOUR)
TASKS: Final = (10 * MINUTE, 30 * MINUTE, 2 * HOUR)
LIMITS: Final = (6, 60, 600)


class Question(NamedTuple):
    """A table to be."""

    name: str
    title: str
    worlds: Sequence[World]


def questions(seed: int) -> tuple[Question, ...]:
    """Return every question, in the order in which they are answered."""
    return (
        Question("clones", "How many clones, by which transport", _by_size(seed)),
        Question("terms", "A thousand clones: which ttl, how long a task", _by_terms(seed)),
        Question("limit", "A host that limits pushes", _by_limit(seed)),
        Question("design", "One ref for each ticket, or claims on the governance branch", _by_design(seed)),
    )


def _by_size(seed: int) -> list[World]:
    return [World(clones, transport=transport, seed=seed) for transport in TRANSPORTS.values() for clones in CLONES]


def _by_terms(seed: int) -> list[World]:
    return [World(1000, ttl=ttl, task=task, seed=seed) for task in TASKS for ttl in TTLS]


def _by_limit(seed: int) -> list[World]:
    return [World(clones, per_minute=limit, seed=seed) for limit in LIMITS for clones in CLONES[:3]]


def _by_design(seed: int) -> list[World]:
    """Return pairs that differ in nothing but the design; from few heartbeats to many, from quick to slow."""
    cases = ((HTTP, 4 * HOUR, 30 * MINUTE), (HTTP, 15 * MINUTE, 2 * HOUR), (SSH, 15 * MINUTE, 2 * HOUR))
    return [
        World(clones, design, transport, ttl, task, seed=seed)
        for transport, ttl, task in cases
        for clones in (10, 100, 300, 1000)
        for design in ("refs", "branch")
    ]
