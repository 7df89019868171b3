"""Pages with boxes and colour, for a person at a terminal. The only user of rich besides the help."""

import io
from collections.abc import Iterator
from typing import Final, assert_never

from rich import box
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text
from rich.tree import Tree

from exo_sidecar.cli.page import MARKS, Block, Cell, Facts, Headline, Listing, Page, Piece, Prose, Table, Tone, cell
from exo_sidecar.cli.plain import clean, clean_lines

_WIDTH_MAX: Final = 160
"""Wider lines are hard to follow with the eye."""
_STYLES: dict[str, str] = {
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "dim": "dim",
    "id": "cyan",
    "strong": "bold",
    "": "",
}


def write(page: Page, *, color: bool, width: int) -> str:
    """Return the page's blocks as text for a terminal of that width."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        force_terminal=True,
        color_system="standard" if color else None,
        width=min(width, _WIDTH_MAX),
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for block in page.blocks:
        for shown in _shown(block):
            console.print(shown, soft_wrap=isinstance(block, Prose))
    return buffer.getvalue()


def _shown(block: Block) -> Iterator[RenderableType]:
    match block:
        case Headline():
            tone: Tone = "" if block.mark == "none" else block.mark
            mark = (Cell(f"{MARKS[block.mark]} ", tone),) if tone else ()
            yield Text.assemble(*(_text(piece) for piece in (*mark, *block.pieces)))
        case Facts():
            yield _panel(_facts(block), block.title)
        case Table():
            yield _table(block)
        case Listing():
            yield _tree(block)
        case Prose():
            if block.title:
                yield Text(clean(block.title), style="bold")
            yield Text(clean_lines(block.body))
        case _:
            assert_never(block)


def _panel(shown: RenderableType, title: str) -> RenderableType:
    if not title:
        return shown
    return Panel(shown, title=Text(clean(title), style="bold"), title_align="left", border_style="dim", box=box.ROUNDED)


def _facts(block: Facts) -> RichTable:
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in block.rows:
        grid.add_row(Text(clean(label)), _text(value))
    return grid


def _table(block: Table) -> RichTable:
    table = RichTable(
        title=Text(clean(block.title), style="bold") if block.title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
    )
    grows = block.grows % len(block.columns)
    for number, name in enumerate(block.columns):
        table.add_column(Text(name), no_wrap=number != grows, overflow="ellipsis" if number == grows else "fold")
    for row in block.rows:
        table.add_row(*map(_text, row))
    return table


def _tree(block: Listing) -> Tree:
    root = Tree(Text(clean(block.title), style="bold"), guide_style="dim")
    trail = [root]
    for item, level in zip(block.items, block.levels or (0,) * len(block.items), strict=True):
        del trail[max(1, level + 1) :]
        trail.append(trail[-1].add(_text(item)))
    return root


def _text(piece: Piece) -> Text:
    found = cell(piece)
    return Text(clean(found.text), style=_STYLES[found.tone])
