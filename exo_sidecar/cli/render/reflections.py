"""The page of `reflections`: what was found out."""

from typing import Final

from exo_sidecar.base.quoting import one_line
from exo_sidecar.cli.page import Cell, Headline, Page, Piece, Table, Tone
from exo_sidecar.cli.render.tones import NOTHING, identifier
from exo_sidecar.model import duration
from exo_sidecar.operations.reflections import ReflectionItem, ReflectionsListed

_COLUMNS = ("ID", "SEVERITY", "SCOPE", "TIMES", "PATTERN", "INSIGHT", "ACTOR", "AGE")
_INSIGHT_COLUMN = 5
_REASON_MAX = 100
_SEVERITY: Final[dict[str, Tone]] = {"critical": "bad", "high": "bad", "medium": "warn", "low": "dim"}


def run(result: ReflectionsListed) -> Page:
    """Show learnings as a table, the gravest first."""
    if not result.items:
        hint = 'exo reflect --pattern "when this happens" --insight "know that" records one'
        return Page((Headline((Cell("no learnings", "dim"),)),), (hint,))
    more = (f"there are more: --cursor {result.next_cursor}",) if result.next_cursor else ()
    return Page((Table(_COLUMNS, tuple(map(_row, result.items)), grows=_INSIGHT_COLUMN),), more)


def _row(item: ReflectionItem) -> tuple[Piece, ...]:
    is_told = item.status == "active"
    return (
        identifier(item.id),
        Cell(item.severity, _SEVERITY[item.severity]),
        item.scope,
        str(item.count),
        item.pattern if is_told else Cell(item.pattern, "dim"),
        item.insight if is_told else Cell(f"{item.insight} ({_dismissed(item)})", "dim"),
        item.actor,
        NOTHING if item.age is None else Cell(duration.show(item.age)),
    )


def _dismissed(item: ReflectionItem) -> str:
    why = f": {one_line(item.dismissed_reason, _REASON_MAX)}" if item.dismissed_reason else ""
    return f"dismissed by {item.dismissed_by}{why}"
