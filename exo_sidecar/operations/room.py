"""Room: which tickets are kept back although they are ready (nobody is asked here).

Lanes and limits hold in all clones together (domain.lanes); a handoff keeps its ticket for an actor; a machine runs one
heavy ticket at a time.
"""

from typing import Final

from exo_sidecar.domain import handoffs, holding, lanes
from exo_sidecar.domain.dispatch import Reason
from exo_sidecar.domain.lanes import Gate, Leased
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context

_HEAVY: Final = "heavy"


def leased_as_known(view: View) -> dict[TicketId, int]:
    """Return the tickets that are held as far as the ledger of this clone knows; nobody is asked."""
    return {each.ticket: each.epoch or 0 for each in holding.holders(view)}


def gate(ctx: Context, view: View, owner: Actor, found: Leased) -> Gate:
    """Return the rule that keeps tickets back that `next` is not to choose by itself."""
    lane = lanes.gate(view, found)
    kept = handoffs.kept_from(view, owner, ctx.now)
    is_busy = _runs_heavy(ctx, view)

    def judge(ticket: TicketId, ticket_type: str) -> Reason | None:
        reason = lane(ticket, ticket_type)
        if reason is None and ticket in kept:
            barred = handoffs.refusal(view, ticket, owner, ctx.now)
            reason = Reason("handoff", barred.message) if barred is not None else None
        if reason is None and is_busy and _is_heavy(view, ticket):
            reason = Reason(_HEAVY, f"{ticket} is heavy, and this machine runs a heavy one already")
        return reason

    return judge


def refusal(ctx: Context, view: View, owner: Actor, found: Leased, ticket: TicketId) -> ExoError | None:
    """Return why a ticket that was named cannot be handed out to `owner` now, None when it can."""
    return lanes.refusal(view, found, ticket) or handoffs.refusal(view, ticket, owner, ctx.now)


def _runs_heavy(ctx: Context, view: View) -> bool:
    living = (live.ticket for live in ctx.live.sessions if live.state in {"reserved", "active"})
    return any(_is_heavy(view, ticket) for ticket in living)


def _is_heavy(view: View, ticket: TicketId) -> bool:
    record = view.ticket(ticket)
    return record is not None and record.ticket.resource_profile == _HEAVY
