"""Pages of one learning: recorded, or dismissed."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Page, Piece
from exo_sidecar.cli.render.tones import counted, identifier
from exo_sidecar.model.reflection import ReflectionRecord
from exo_sidecar.operations.reflect import Dismissed, Reflected


def run(result: Reflected) -> Page:
    """Say what is remembered now."""
    word = " counted once more: " if result.merged else " recorded: "
    hint = f"exo reflections lists them; exo reflect-dismiss {result.reflection.id} when it holds no longer"
    return Page((_headline(result.reflection, word), Facts(tuple(_facts(result.reflection)))), (hint,))


def dismiss(result: Dismissed) -> Page:
    """Say what is told no more."""
    return Page((_headline(result.reflection, " dismissed: "),))


def _headline(record: ReflectionRecord, word: str) -> Headline:
    return Headline((identifier(record.id), word, Cell(record.pattern, "strong")), "good")


def _facts(record: ReflectionRecord) -> Iterator[tuple[str, Piece]]:
    yield "insight", record.insight
    yield "severity", record.severity
    yield "scope", record.scope
    yield "kind", record.kind
    yield "recorded", counted(record.count, "time")
    if record.tags:
        yield "tags", ", ".join(record.tags)
