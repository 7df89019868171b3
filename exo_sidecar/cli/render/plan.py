"""The page of `plan`: a tree of what was made."""

from exo_sidecar.cli.page import Cell, Headline, Listing, Page, Piece
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.plan import PlanRecorded, TicketPlanned


def run(result: PlanRecorded) -> Page:
    """Show the epics and tasks that were made, tasks below their epic."""
    is_made = any(each.id for each in result.tickets)
    word = "made" if is_made else "would be made"
    headline = Headline((Cell(result.spec_id, "id"), f": {counted(len(result.tickets), 'ticket')} {word}"), "good")
    own = {each.id for each in result.tickets if each.kind == "epic" and each.id}
    items = tuple(_told(each) for each in result.tickets)
    levels = tuple(1 if each.parent in own else 0 for each in result.tickets)
    hints = ("exo next takes the first of them",) if is_made else ("without --no-create they are made",)
    return Page((headline, Listing("Plan", items, levels)), hints)


def _told(each: TicketPlanned) -> Piece:
    named = f"{each.id} " if each.id else ""
    waits = f" (waits for {', '.join(each.blockers)})" if each.blockers else ""
    if each.kind == "epic":
        return Cell(f"{named}[epic] {each.title}{waits}", "strong")
    return f"{named}{each.title}{waits}"
