"""The command line of the simulation."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.simulation import costs, measure, sweep
from tests.simulation.report import LEGEND, table
from tests.simulation.running import run
from tests.simulation.world import MINUTE, World
from tests.support.environment import furnish, pinned


def main(args: Sequence[str]) -> int:
    """Answer what was asked on stdout; 0."""
    asked = _parser().parse_args(args)
    if asked.measure:
        _measure()
    elif asked.clones:
        _say([*table([run(_world(asked)).figures]), ""])
    else:
        for question in sweep.questions(asked.seed):
            if not asked.only or question.name in asked.only:
                _say([f"## {question.title}", "", *table([run(world).figures for world in question.worlds]), ""])
    if not asked.measure:
        _say([*LEGEND, "", "Inputs:", *(f"  {line}" for line in costs.SOURCES)])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/simulate_leases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=("clones", "terms", "limit", "design"))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--clones", type=int)
    parser.add_argument("--design", choices=("refs", "branch"), default="refs")
    parser.add_argument("--transport", choices=tuple(costs.TRANSPORTS), default="http")
    parser.add_argument("--ttl-minutes", type=float, default=240)
    parser.add_argument("--task-minutes", type=float, default=30)
    parser.add_argument("--pushes-per-minute", type=int, default=0)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--round-trip-ms", type=float, default=30)
    return parser


def _world(asked: argparse.Namespace) -> World:
    return World(
        clones=asked.clones,
        design=asked.design,
        transport=costs.TRANSPORTS[asked.transport],
        ttl=asked.ttl_minutes * MINUTE,
        task=asked.task_minutes * MINUTE,
        per_minute=asked.pushes_per_minute,
        slots=asked.slots,
        round_trip=asked.round_trip_ms / 1000,
        seed=asked.seed,
    )


def _measure() -> None:
    """Measure in an environment of nobody, as tests run."""
    with tempfile.TemporaryDirectory() as home:
        wanted = pinned(os.environ, furnish(Path(home)))
        os.environ.clear()
        os.environ.update(wanted)
        _say(measure.lines())


def _say(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
