"""A lease kept alive for longer, or for shorter, than it was claimed for."""

from typing import Annotated

from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations import lease_terms, reconciling
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease import LeaseBeaten, own_session, pushed, refuse_overtaken
from exo_sidecar.operations.registry import Panel, Params, operation, param


class LeaseRenew(Params, frozen=True, kw_only=True):
    """Parameters of `lease-renew`."""

    ticket_id: Annotated[
        str | None, param("Ticket of the lease; left away: the session's", metavar="ID", completes="ticket")
    ] = None
    ttl: Annotated[str | None, param("How long the lease lives from now on, like 30m or 4h", metavar="DUR")] = None
    hours: Annotated[int | None, param("How long the lease lives from now on, in hours", metavar="N")] = None


@operation(Panel.LEASES_AND_SYNC, network=True, idempotent=True)
def run(ctx: Context, params: LeaseRenew) -> LeaseBeaten:
    """Keep the session's lease alive, and change how long it lives.

    A heartbeat that always tells the authority. The epoch stays: it changes with the holder only. It writes no event of
    its own.
    """
    reconciling.require_confirmed(ctx, "lease-renew")
    view = ctx.view()
    ticket: TicketId | None = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    is_given = params.ttl is not None or params.hours is not None
    ttl = lease_terms.ttl_seconds(view.config().leases, params.ttl, params.hours) if is_given else 0
    session = own_session(ctx, view, ticket)
    refuse_overtaken(view, session)
    return pushed(ctx, session, operation="lease-renew", ttl_seconds=ttl)
