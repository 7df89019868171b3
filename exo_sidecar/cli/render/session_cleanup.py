"""The page of `session-cleanup`: who was ended and why, and who was not."""

from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.cli.render.tones import counted, identifier, optional
from exo_sidecar.operations.session_evicting import Evicted, SessionsCleaned

_COLUMNS = ("SESSION", "TICKET", "NOW", "LEASE", "WHY")


def run(result: SessionsCleaned) -> Page:
    """Show what was ended as a table, then what stays with its reason."""
    if not result.evicted:
        blocks: tuple[Block, ...] = (Headline((Cell("nothing to end", "dim"),)),)
    else:
        headline = Headline((f"{counted(len(result.evicted), 'session')} ended",), "good")
        blocks = (headline, Table(_COLUMNS, tuple(map(_row, result.evicted)), grows=4))
    if result.skipped:
        stay = tuple(Cell(f"{each.session_id}: {each.reason}", "warn") for each in result.skipped)
        blocks += (Listing("Not ended", stay),)
    if result.refs_removed:
        blocks += (Listing("Saved work that branches hold, and no ref any more", result.refs_removed),)
    hints = ("exo session-scan SESSION_ID shows what one left",) if result.evicted else ()
    return Page(blocks, hints)


def _row(item: Evicted) -> tuple[Piece, ...]:
    lease = Cell("released") if item.released else Cell("not released", "dim")
    return identifier(item.session_id), identifier(item.ticket_id), optional(item.ticket_status), lease, item.reason
