"""Pages as plain lines, with a little ANSI on request: what pipes, agents and hot paths get. Imports nothing heavy."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from exo_sidecar.cli.page import MARKS, TONES, Block, Cell, Facts, Headline, Listing, Page, Piece, Prose, Table, cell

_GAP: Final = 2
_NARROWEST: Final = 16
_LATIN_MAX: Final = 0xFF
_UNFIT: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that can move the cursor, turn the direction or hide."""
_HARMLESS: Final = frozenset("\u200d\ufe0f")
"""Joiners inside of emoji."""


def clean(text: str) -> str:
    """Return `text` as one line that cannot steer a terminal: control and direction characters become escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text.replace("\r\n", "\n"))


def clean_lines(text: str) -> str:
    """Return `text` with its line breaks and tabs kept, everything else as `clean` does it."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(clean(line.replace("\t", "    ")) for line in lines)


def write(page: Page, *, color: bool, width: int) -> str:
    """Return the page's blocks as text that ends with a newline; blocks are set apart by an empty line."""
    parts = ["\n".join(_lines(block, color=color, width=width)) for block in page.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def paint(piece: Piece, *, color: bool) -> str:
    """Return a piece neutralised and, on request, in its colour."""
    found = cell(piece)
    text = clean(found.text)
    code = TONES.get(found.tone)
    return f"\x1b[{code}m{text}\x1b[0m" if color and code and text else text


def measure(text: str) -> int:
    """Return the columns that `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _lines(block: Block, *, color: bool, width: int) -> Iterator[str]:
    match block:
        case Headline():
            mark = paint(Cell(MARKS[block.mark], block.mark if block.mark != "none" else ""), color=color)
            text = "".join(paint(piece, color=color) for piece in block.pieces)
            yield f"{mark} {text}" if mark else text
        case Facts():
            yield from _title(block.title, color=color)
            yield from _facts(block, color=color)
        case Table():
            yield from _title(block.title, color=color)
            yield from _table(block, color=color, width=width)
        case Listing():
            yield from _title(block.title, color=color)
            levels = block.levels or (0,) * len(block.items)
            pairs = zip(block.items, levels, strict=True)
            yield from (f"{'  ' * (level + 1)}{paint(item, color=color)}" for item, level in pairs)
        case Prose():
            yield from _title(block.title, color=color)
            yield clean_lines(block.body).rstrip("\n")
        case _:
            assert_never(block)


def _title(title: str, *, color: bool) -> Iterator[str]:
    if title:
        yield paint(Cell(title, "strong"), color=color)


def _facts(block: Facts, *, color: bool) -> Iterator[str]:
    room = max((measure(label) for label, _ in block.rows), default=0)
    margin = "  " if block.title else ""
    for label, value in block.rows:
        yield f"{margin}{paint(Cell(label.ljust(room), 'dim'), color=color)}  {paint(value, color=color)}".rstrip()


def _table(block: Table, *, color: bool, width: int) -> Iterator[str]:
    texts = [tuple(clean(cell(piece).text) for piece in row) for row in block.rows]
    widths = [max(map(measure, column)) for column in zip(block.columns, *texts, strict=True)]
    over = sum(widths) + _GAP * (len(widths) - 1) - width
    if over > 0:
        widths[block.grows] = max(_NARROWEST, widths[block.grows] - over)
    yield _row((Cell(title, "dim") for title in block.columns), widths, color=color)
    for row in block.rows:
        yield _row(row, widths, color=color)


def _row(pieces: Iterable[Piece], widths: list[int], *, color: bool) -> str:
    cells = []
    for piece, room in zip(pieces, widths, strict=True):
        text = _shortened(clean(cell(piece).text), room)
        painted = paint(Cell(text, cell(piece).tone), color=color)
        cells.append(painted + " " * (room - measure(text)))
    return (" " * _GAP).join(cells).rstrip()


def _shortened(text: str, room: int) -> str:
    if measure(text) <= room:
        return text
    kept = ""
    taken = 0
    for character in text:
        taken += _columns(character)
        if taken > room - 1:
            break
        kept += character
    return kept + "…"


def _visible(character: str) -> str:
    if character.isprintable() or character in _HARMLESS:
        return character
    if character in "\n\t":
        return " "
    if unicodedata.category(character) not in _UNFIT:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code <= _LATIN_MAX else f"\\u{code:04x}"


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in _HARMLESS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
