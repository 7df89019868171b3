"""How pages tell of the governance branch being brought over."""

from exo_sidecar.cli.page import Cell
from exo_sidecar.operations.exchange import Exchanged


def told(exchanged: Exchanged) -> Cell:
    """Return what became of it in a few words."""
    match exchanged.state:
        case "done":
            return Cell(f"done: {exchanged.fetched_events} events came, {exchanged.pushed_events} went", "good")
        case "skipped":
            return Cell(f"skipped: {exchanged.reason or 'not wanted'}", "dim")
        case "failed":
            return Cell(f"failed: {exchanged.reason or 'no reason given'}; exo sync makes up for it", "warn")
