"""The page of `ticket-archive`."""

from exo_sidecar.cli.page import Block, Headline, Listing, Page
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.ticket_archive import TicketsArchived


def run(result: TicketsArchived) -> Page:
    """Say what was put away, and what stays and why."""
    blocks: list[Block] = [
        Headline((f"{counted(len(result.archived), 'ticket')} put away",), "good" if result.archived else "none")
    ]
    if result.archived:
        blocks.append(Listing("Archived", result.archived))
    if result.skipped:
        blocks.append(Listing("Not put away", tuple(f"{each.id}: {each.reason}" for each in result.skipped)))
    return Page(tuple(blocks), ("exo ticket-list --archived shows them",) if result.archived else ())
