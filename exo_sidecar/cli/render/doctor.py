"""The page of `doctor`: a line per section, then what was found, a tree by section."""

from collections.abc import Iterator
from typing import Final, Literal

from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table, Tone
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.model.finding import Finding
from exo_sidecar.operations.doctor import Examined
from exo_sidecar.operations.doctor_exam import Section

_MARKS: Final[dict[str, tuple[str, Tone]]] = {
    "pass": ("✓ pass", "good"),
    "warn": ("! warn", "warn"),
    "fail": ("✗ fail", "bad"),
    "unknown": ("? unknown", "dim"),
}
_TONES: Final[dict[str, Tone]] = {"error": "bad", "warning": "warn", "info": "dim"}
_HEADS: Final[dict[str, Literal["good", "warn", "bad"]]] = {"pass": "good", "warn": "warn", "fail": "bad"}
_WORDS: Final = {"pass": "this clone is in good health", "warn": "this clone works", "fail": "this clone needs help"}


def run(result: Examined) -> Page:
    """Show the verdicts, and what was found."""
    hints: tuple[str, ...] = ()
    if any(each.hint for section in result.sections for each in section.findings) and not result.fix_hints:
        hints = ("exo doctor --fix-hints says what mends each finding",)
    return Page(tuple(_blocks(result)), hints)


def _blocks(result: Examined) -> Iterator[Block]:
    rows = tuple(_row(section) for section in result.sections)
    if rows:
        yield Table(("SECTION", "VERDICT", "WHAT WAS LOOKED AT"), rows)
    items: list[Piece] = []
    levels: list[int] = []
    for section in result.sections:
        for level, item in _findings(section, hints=result.fix_hints):
            items.append(item)
            levels.append(level)
    if items:
        yield Listing("Findings", tuple(items), tuple(levels))
    parts = [f"{number} {verdict}" for verdict, number in result.counts.items() if number]
    said = f"{_WORDS[result.verdict]}: {', '.join(parts)} of {counted(len(result.sections), 'section')}"
    yield Headline((said,), _HEADS[result.verdict])


def _row(section: Section) -> tuple[Piece, ...]:
    text, tone = _MARKS[section.verdict]
    count = counted(len(section.findings), "finding") if section.findings else ""
    what = "; ".join(part for part in (section.note, count) if part)
    return (section.name, Cell(text, tone), Cell(what, "dim" if section.verdict == "unknown" else ""))


def _findings(section: Section, *, hints: bool) -> Iterator[tuple[int, Piece]]:
    """Yield the section's name and below it its findings, each with its hint below it."""
    if section.findings:
        yield 0, Cell(section.name, "strong")
    for each in section.findings:
        yield 1, Cell(f"{each.code}: {each.message}{_place(each)}", _TONES[each.severity])
        if hints and each.hint:
            yield 2, Cell(each.hint, "dim")


def _place(each: Finding) -> str:
    """Return where to look, as far as the message does not say it."""
    line = "" if each.line is None or f"line {each.line}" in each.message else str(each.line)
    if each.file is None or each.file in each.message:
        return f" (line {line})" if line else ""
    return f" ({each.file}{f':{line}' if line else ''})"
