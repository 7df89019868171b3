"""One run of the benchmarks: grounds are laid in a temporary folder, measured group by group, and thrown away."""

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.bench import (
    enduring,
    grounds,
    growth,
    joining,
    leasing,
    protocol,
    reading,
    report,
    starting,
    syncing,
    transports,
    writing,
    year,
)
from tests.bench.timing import Group
from tests.support.environment import GIT_CONFIG, pinned

SIZES: Final = (100, 10_000, 100_000)
GROUPS: Final = (
    "reading",
    "writing",
    "leasing",
    "transports",
    "syncing",
    "joining",
    "protocol",
    "growth",
    "year",
    "sessions",
    "hostile",
)
_LARGE: Final = 10_000
"""Tickets of the repository in which a sync of one event is measured."""


def main(argv: Sequence[str]) -> int:
    """Measure, print, write docs/benchmarks.md (of some groups: their sections alone); 1 when a budget is missed."""
    options = _parse(argv)
    wanted = options.only or GROUPS
    with tempfile.TemporaryDirectory(prefix="exo-bench-", ignore_cleanup_errors=True) as folder:
        _settle(Path(folder))
        measured = tuple(_measured(Path(folder), wanted, options))
    sys.stdout.write("\n".join(report.lines(measured)) + "\n")
    if not options.print:
        whole = set(wanted) == set(GROUPS)
        command = f"scripts/bench{' --quick' if options.quick else ''}"
        text = report.page(measured, command) if whole else report.renewed(report.PAGE.read_text(), measured)
        report.PAGE.write_text(text)
    missed = report.missed(measured)
    sys.stdout.write("".join(f"MISSED {each}\n" for each in missed) or "all budgets kept\n")
    return 1 if missed else 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the budgets of docs/architecture.md.")
    parser.add_argument("--quick", action="store_true", help="100 and 10,000 tickets only")
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group; may be repeated")
    parser.add_argument("--whole-year", action="store_true", help="the year is simulated to its end: about an hour")
    parser.add_argument("--print", action="store_true", help="leave docs/benchmarks.md as it is")
    return parser.parse_args(argv)


def _settle(folder: Path) -> None:
    """Replace the environment by that of the tests; only git's own fsync settings and Python's caches stay as usual."""
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(GIT_CONFIG.replace("    fsync = none\n", ""))
    wanted = pinned(os.environ, home)
    del wanted["PYTHONDONTWRITEBYTECODE"]
    os.environ.clear()
    os.environ.update(wanted)


def _measured(folder: Path, wanted: Sequence[str], options: argparse.Namespace) -> Iterator[Group]:
    """Yield the groups in the order of the table."""
    sizes = SIZES[:-1] if options.quick else SIZES
    year_seconds = math.inf if options.whole_year else year.BOX_SECONDS
    clones: dict[int, Path] = {}
    for size in sizes if {"reading", "writing"} & set(wanted) else sizes[:1]:
        _tell(f"laying {size:,} tickets")
        clones[size] = grounds.governed(folder / f"of-{size}", size)
    small = clones[sizes[0]]
    measures: dict[str, Callable[[], Group]] = {
        "reading": lambda: reading.measure(clones),
        "writing": lambda: writing.measure(clones),
        "leasing": lambda: leasing.measure(small, small.parent / "hub.git"),
        "transports": lambda: transports.measure(small.parent / "transports"),
        "syncing": lambda: syncing.measure(small, clones.get(_LARGE) or _large(folder), _LARGE),
        "joining": lambda: joining.measure(folder / "joining"),
        "protocol": lambda: protocol.measure(small),
        "growth": lambda: growth.measure(small),
        "year": lambda: year.measure(folder / "year", box_seconds=year_seconds),
        "sessions": lambda: starting.measure(folder / "sessions"),
        "hostile": lambda: enduring.measure(folder / "hostile"),
    }
    for name in GROUPS:
        if name in wanted:
            _tell(name)
            yield measures[name]()


def _large(folder: Path) -> Path:
    _tell(f"laying {_LARGE:,} tickets")
    return grounds.governed(folder / f"of-{_LARGE}", _LARGE)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")
    sys.stderr.flush()
