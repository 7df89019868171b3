"""Pages of a single lease."""

from exo_sidecar.cli.page import Cell, Facts, Headline, Page
from exo_sidecar.cli.render.exchange import told
from exo_sidecar.cli.render.tones import identifier
from exo_sidecar.operations.lease import LeaseBeaten, LeaseReleased


def heartbeat(result: LeaseBeaten) -> Page:
    """Say whether the authority was told."""
    word = "told the authority" if result.pushed else "not due yet"
    return Page((Headline((identifier(result.ticket_id), f": token {result.lease.epoch}, {word}"), "good"),))


def release(result: LeaseReleased) -> Page:
    """Say that others may take the ticket."""
    if not result.released or result.ticket_id is None:
        return Page((Headline((Cell("there was no lease to release", "dim"),)),))
    headline = Headline((identifier(result.ticket_id), f" released, token {result.epoch}"), "good")
    return Page((headline, *((Facts((("sync", told(result.sync)),)),) if result.sync else ())))
