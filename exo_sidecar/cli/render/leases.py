"""The page of `leases`: who holds what."""

from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.cli.render.tones import NOTHING, identifier
from exo_sidecar.model import duration
from exo_sidecar.operations.leases import LeaseItem, LeasesListed

_COLUMNS = ("TICKET", "STATE", "TOKEN", "HOLDER", "SESSION", "SEEN FOR", "TAKE-OVER")


def run(result: LeasesListed) -> Page:
    """Show the leases as a table."""
    where = Headline((f"authority: {result.authority}", Cell(f" ({result.mode})", "dim")))
    blocks: tuple[Block, ...] = (where,)
    if result.items:
        blocks += (Table(_COLUMNS, tuple(map(_row, result.items)), grows=3),)
    else:
        blocks += (Headline((Cell("no leases", "dim"),)),)
    if result.damaged:
        blocks += (Listing("Not readable as leases", tuple(Cell(each, "bad") for each in result.damaged)),)
    return Page(blocks)


def _row(item: LeaseItem) -> tuple[Piece, ...]:
    held = item.state == "held"
    holder = f"{item.holder.actor}{' (you)' if item.ours and held else ''}"
    return (
        identifier(item.ticket),
        Cell(item.state, "" if held else "dim"),
        str(item.epoch),
        Cell(holder, "" if held else "dim"),
        item.holder.session,
        duration.show(item.seen_for),
        _takeover(item) if held else NOTHING,
    )


def _takeover(item: LeaseItem) -> Cell:
    if item.takeover_in is None:
        return NOTHING
    return Cell(f"in {duration.show(item.takeover_in)}") if item.takeover_in > 0 else Cell("open", "warn")
