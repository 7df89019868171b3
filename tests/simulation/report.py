"""Figures as a table that a person and a page can read."""

from collections.abc import Sequence
from math import isnan
from typing import Final

from tests.simulation.world import HOUR, MINUTE, Figures

COLUMNS: Final = (
    "clones",
    "leases in",
    "by",
    "ttl",
    "task",
    "limit/min",
    "tickets/h",
    "of ideal",
    "claim p50 / p95",
    "release p50 / p95",
    "pushes/min",
    "again",
    "lost races",
    "failed",
    "lapsed",
    "hub busy",
)
LEGEND: Final = (
    "Again: part of the pushes that found the governance branch moved. Lost races: claims that somebody else won.",
    "Failed: commands that gave up and were run again a minute later. Lapsed: leases not renewed in time.",
    "Waits last from the first connection of a command, or of the first of several, to the end of the one that",
    "went well; - means that none ended.",
)


def table(rows: Sequence[Figures]) -> list[str]:
    """Return the lines of a table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---:|" * len(COLUMNS)]
    return lines + ["| " + " | ".join(_cells(row)) + " |" for row in rows]


def _cells(row: Figures) -> tuple[str, ...]:
    world = row.world
    return (
        f"{world.clones:,}",
        "refs" if world.design == "refs" else "the branch",
        world.transport.name,
        span(world.ttl),
        span(world.task),
        f"{world.per_minute}" if world.per_minute else "none",
        f"{row.goodput:,.0f}",
        f"{row.share:.0%}",
        f"{span(row.claim[0])} / {span(row.claim[1])}",
        f"{span(row.release[0])} / {span(row.release[1])}",
        f"{row.pushes_per_minute:,.1f}",
        f"{row.behind:.0%}",
        f"{row.lost:,}",
        f"{row.failed:,}",
        f"{row.lapsed:,}",
        f"{row.busy:.1%}",
    )


def span(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if isnan(seconds):
        return "-"
    if seconds >= HOUR:
        return f"{seconds / HOUR:.3g} h"
    if seconds >= 2 * MINUTE:
        return f"{seconds / MINUTE:.0f} m"
    return f"{seconds:.1f} s"
