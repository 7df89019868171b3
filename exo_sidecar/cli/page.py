"""A page: what a human reader gets, before it is known what the terminal can show.

Renderers return pages; `plain.py` and `boxes.py` write them. Texts are data: whoever writes them neutralises them.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

Tone = Literal["", "good", "bad", "warn", "dim", "id", "strong"]
"""What a piece of text means; the writers choose the colour."""


class Cell(NamedTuple):
    """A piece of text with a meaning."""

    text: str
    tone: Tone = ""


Piece: TypeAlias = str | Cell


class Headline(NamedTuple):
    """The one line that says how it went."""

    pieces: tuple[Piece, ...]
    mark: Literal["good", "bad", "warn", "none"] = "none"


class Facts(NamedTuple):
    """Labels and values, one per line."""

    rows: tuple[tuple[str, Piece], ...]
    title: str = ""


class Table(NamedTuple):
    """Columns and rows; `grows` is the column that takes the room that is left."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Piece, ...], ...]
    title: str = ""
    grows: int = -1


class Listing(NamedTuple):
    """Items under a title; `level` of an item indents it, so that a tree is a listing too."""

    title: str
    items: tuple[Piece, ...]
    levels: tuple[int, ...] = ()


class Prose(NamedTuple):
    """A text of several lines, shown whole."""

    title: str
    body: str


Block: TypeAlias = Headline | Facts | Table | Listing | Prose
TONES: Final[dict[str, str]] = {
    "good": "32",
    "bad": "31",
    "warn": "33",
    "dim": "2",
    "id": "36",
    "strong": "1",
}
"""ANSI attributes by tone."""
MARKS: Final[dict[str, str]] = {"good": "✓", "bad": "✗", "warn": "!", "none": ""}


class Page(NamedTuple):
    """Blocks for stdout, hints on what to do next for stderr."""

    blocks: tuple[Block, ...]
    hints: tuple[str, ...] = ()


def cell(piece: Piece) -> Cell:
    """Return a piece as a cell."""
    return piece if isinstance(piece, Cell) else Cell(piece)
