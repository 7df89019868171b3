"""Making a ticket of any kind: what `intent-create` and `ticket-create` do alike, in one transaction."""

from exo_sidecar.domain import hierarchy, tickets, wishes
from exo_sidecar.domain.tickets import Creation, Wish
from exo_sidecar.model.errors import ExoError, Internal
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import Ticket
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Result


class TicketMade(Result, frozen=True, kw_only=True):
    """A ticket that was made now, or before under the same key."""

    id: TicketId
    parent: TicketId | None
    ticket: Ticket
    created: bool
    """False: the same actor made it under the same key before."""
    depth: int
    """How many tickets lie above it."""


def make(ctx: Context, wish: Wish, source: str | None = None) -> TicketMade:
    """Make the ticket, or find the one that the caller made under the same key.

    `source`: a closed ticket, from which it takes what the wish does not say.
    """
    made: list[Creation] = []

    def rule(view: View) -> Outcome:
        wanted = wishes.reopened(wish, view.find_ticket(source)) if source else wish
        if isinstance(wanted, ExoError):
            return refused(wanted)
        creation = tickets.create(view, wishes.completed(view, wanted), ctx.caller, ctx.entropy)
        made.append(creation)
        return creation.outcome

    view = ctx.transact(rule)
    record = view.ticket(made[-1].id)
    if record is None:
        message = f"{made[-1].id} was written and cannot be read"
        raise Internal(message)
    if made[-1].created and (unchecked := wishes.unchecked(view, record.ticket)) is not None:
        ctx.tell(unchecked)
    return TicketMade(
        id=record.id,
        parent=record.ticket.parent,
        ticket=record.ticket,
        created=made[-1].created,
        depth=hierarchy.depth(view, record.ticket),
    )
