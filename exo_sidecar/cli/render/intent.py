"""Pages of intents."""

from exo_sidecar.cli.page import Page
from exo_sidecar.cli.render import ticket
from exo_sidecar.operations.ticket_making import TicketMade


def create(result: TicketMade) -> Page:
    """Say which intent there is now."""
    return ticket.made(result, f"exo ticket-create TITLE --parent {result.id} adds work to it")
