"""The page of `resolve`: what is open, who wrote what, and what was settled."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.base.quoting import one_line
from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.cli.render.tones import counted, identifier
from exo_sidecar.model.ticket import Scalar
from exo_sidecar.operations.resolve import Open, Resolved

_VALUE_MAX: Final = 200
_COLUMNS: Final = ("OF", "FIELD", "STANDS", "VALUE", "ACTOR", "AT")
_VALUE_COLUMN: Final = 3


def run(result: Resolved) -> Page:
    """Show what was settled and what is open."""
    return Page(tuple(_blocks(result)), tuple(_hints(result)))


def _blocks(result: Resolved) -> Iterator[Block]:
    for each in result.resolved:
        said: tuple[Piece, ...] = (identifier(each.id), f" {_field(each.field)}: ", Cell(_shown(each.value), "strong"))
        yield Headline(said, "good")
    if not result.open:
        if not result.resolved:
            yield Headline(("nothing is in conflict",))
        return
    rows = tuple(row for each in result.open for row in _rows(each))
    title = "Still open" if result.resolved else "Written in several clones at once"
    yield Table(_COLUMNS, rows, title, _VALUE_COLUMN)
    if result.left_out:
        yield Listing("Not listed", (counted(result.left_out, "more ticket", "more tickets"),))


def _rows(each: Open) -> Iterator[tuple[Piece, ...]]:
    named: tuple[Piece, Piece] = (identifier(each.id), _field(each.field))
    if not any(value.stands for value in each.values):
        yield (*named, "yes", _shown(each.stands), Cell("(united)", "dim"), "")
        named = ("", "")
    for value in each.values:
        yield (*named, "yes" if value.stands else "no", _shown(value.value), value.actor, value.at)
        named = ("", "")


def _hints(result: Resolved) -> Iterator[str]:
    tickets = [each for each in result.open if each.id.isupper()]
    documents = [each for each in result.open if not each.id.isupper()]
    if tickets:
        yield f"exo resolve {tickets[0].id} --field {tickets[0].field} --take ours, theirs or a value of its own"
    if documents:
        yield f"exo resolve --document {documents[0].id} --take ours or theirs, or --file PATH"


def _field(name: str) -> str:
    return name or "(the beginning)"


def _shown(value: Scalar) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return one_line(text, _VALUE_MAX) or "(empty)"
