"""The page of `validate`: one line, or the whole table."""

from exo_sidecar.cli.page import Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.cli.render.tones import joined, status
from exo_sidecar.operations.validate import GuardShown, Validated


def run(result: Validated) -> Page:
    """Say VALID or INVALID and why; with guards what each asks for."""
    if result.table:
        rows = tuple(
            (status(row.start), status(row.end), row.meaning, joined(row.guards), row.who) for row in result.table
        )
        return Page((Table(("FROM", "TO", "MEANING", "ASKS FOR", "WHO"), rows, "The life of a ticket", 2),))
    word = Cell("VALID", "good") if result.valid else Cell("INVALID", "bad")
    headline = Headline((word, f": {result.reason}"))
    if not result.guards:
        return Page((headline,))
    return Page((headline, Listing("It asks for", tuple(map(_guard, result.guards)))))


def _guard(each: GuardShown) -> Piece:
    text = f"{each.guard}: {each.message}" if each.message else each.guard
    if each.met is None:
        return Cell(text)
    return Cell(text, "good" if each.met else "bad")
