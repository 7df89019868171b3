"""The table: on the terminal, and as docs/benchmarks.md."""

import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import Final

from tests.bench.timing import Group, Row
from tests.support.environment import ROOT

PAGE: Final = ROOT / "docs" / "benchmarks.md"
_HEAD: Final = """\
# Benchmarks

Written by `{command}` on this machine: {machine}.

Times are in milliseconds. The minimum of the runs is judged, because other work on a machine only ever adds; ratios
are minimum to minimum within the same run. The budgets are those of
[architecture.md](architecture.md#budgets) and hold for a quiet machine, where the load average is below the number of
cores; above it, processes and the disk are shared with other work. Whole processes include the start of Python.
"""


def missed(groups: Iterable[Group]) -> tuple[str, ...]:
    """Return the budgets that were not kept."""
    return tuple(
        f"{row.what}: {budget.text}, found {budget.value:.2f}"
        for group in groups
        for row in group.rows
        for budget in row.budgets
        if not budget.is_kept
    )


def page(groups: Sequence[Group], command: str) -> str:
    """Return the page."""
    return "".join([_HEAD.format(command=command, machine=_machine()), *map(_section, groups)])


def renewed(text: str, groups: Iterable[Group]) -> str:
    """Return the page `text` with the sections of `groups` replaced, or added at its end; each says its own origin."""
    for group in groups:
        own = _section(group, f"Measured apart from the rest, on this machine: {_machine()}.\n\n")
        before, title, after = text.partition(f"\n## {group.title}\n")
        _, following, rest = after.partition("\n## ")
        text = before + own + (following + rest if title else "")
    return text


def _section(group: Group, origin: str = "") -> str:
    head = "| what | runs | min | median | compared | budget |\n|---|---:|---:|---:|---|---|\n"
    rows = "".join(f"| {' | '.join(_cells(row))} |\n" for row in group.rows)
    return f"\n## {group.title}\n\n{origin}{head}{rows}"


def lines(groups: Iterable[Group]) -> Iterator[str]:
    """Yield the table for a terminal."""
    for group in groups:
        yield ""
        yield group.title
        rows = [("", "runs", "min", "median", "", "budget"), *map(_cells, group.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (
                cell.rjust(width) if number in {1, 2, 3} else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            yield "  " + "  ".join(cells).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    budgets = ", ".join(f"{budget.text}{'' if budget.is_kept else ' MISSED'}" for budget in row.budgets)
    if row.sample is None:
        return (row.what, "", "", "", row.compared, budgets)
    return (
        row.what,
        str(row.sample.runs),
        f"{row.sample.least:.1f}",
        f"{row.sample.median:.1f}",
        row.compared,
        budgets,
    )


def _machine() -> str:
    git = subprocess.check_output(["git", "--version"], text=True).split()[2]
    load = f"load average {os.getloadavg()[1]:.1f}"
    system = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {load}"
    return f"{system}, Python {platform.python_version()}, git {git}, dulwich {version('dulwich')}"
