"""Reading: `exo status` and `exo next --dry-run` as whole processes, by number of tickets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bench import timing
from tests.bench.timing import EXO, Budget, Group, Row

RUNS: Final = 11
_LIMITS: Final[Mapping[int, float]] = {10_000: 150.0, 100_000: 300.0}
"""Milliseconds."""


def measure(clones: Mapping[int, Path]) -> Group:
    """Measure reading in each clone; the bare interpreter is measured beside it."""
    rows: list[Row] = []
    floor = timing.floor(RUNS, next(iter(clones.values())))
    rows.append(Row("python -c pass", floor))
    for size, clone in clones.items():
        for words in (("status",), ("next", "--dry-run")):
            found = timing.program(RUNS, lambda _, words=words: (*EXO, *words), clone)  # type: ignore[misc]
            limit = _LIMITS.get(size)
            budgets = (Budget(f"<= {limit:.0f} ms", found.least, limit),) if limit else ()
            compared = f"{timing.ratio(found, floor):.1f} x python"
            rows.append(Row(f"exo {' '.join(words)}, {size:,} tickets", found, compared, budgets))
    return Group("Reading, whole processes", tuple(rows))
