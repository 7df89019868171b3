"""The page of `next`: which ticket, under which lease, and why. Never imports rich."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece
from exo_sidecar.cli.render.tones import PROVISIONAL, counted, identifier
from exo_sidecar.model import duration
from exo_sidecar.operations.next import NextChosen


def run(result: NextChosen) -> Page:
    """Show what was reserved, or with --dry-run what would be."""
    word = "would be next" if result.lease is None else "is reserved already" if result.reused else "is reserved"
    title = Cell(result.ticket.title, "strong")
    headline = Headline((identifier(result.ticket_id), f" {word}: ", title), "none" if result.lease is None else "good")
    held = tuple(each.told for each in result.reasoning.held_back)
    blocks = (headline, Facts(tuple(_facts(result))))
    if result.lease is not None and result.lease.provisional:
        hint = "exo session-start --offline begins work on it, exo sync asks for its lease"
        return Page((*blocks, Listing("Held back", held)) if held else blocks, (hint,))
    hint = "exo next claims it" if result.lease is None else "exo session-start begins work on it"
    return Page((*blocks, Listing("Held back", held)) if held else blocks, (hint,))


def _facts(result: NextChosen) -> Iterator[tuple[str, Piece]]:
    if result.session_id is not None:
        yield "session", result.session_id
    if result.lease is not None:
        lives = f"token {result.lease.epoch}, lives {duration.show(result.lease.ttl_seconds)}"
        yield "lease", Cell(PROVISIONAL, "warn") if result.lease.provisional else lives
    if result.reasoning.lane is not None:
        yield "lane", result.reasoning.lane
    terms = result.reasoning.terms
    parts = f"priority {terms.priority}, unblocks {counted(terms.unblocks, 'ticket')}"
    yield "score", f"{result.reasoning.score} ({parts}), of {counted(result.reasoning.candidates, 'candidate')}"
