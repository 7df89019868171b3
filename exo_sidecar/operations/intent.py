"""Intents: what somebody wants, in their own words; the roots under which all work stands."""

from typing import Annotated

from exo_sidecar.domain import wording
from exo_sidecar.domain.tickets import Wish
from exo_sidecar.model.ticket import Risk
from exo_sidecar.operations import ticket_fields, ticket_making
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, operation, param
from exo_sidecar.operations.ticket_fields import NewTicketFields
from exo_sidecar.operations.ticket_making import TicketMade


class IntentCreate(NewTicketFields, frozen=True, kw_only=True):
    """Parameters of `intent-create`."""

    title: Annotated[str, param("What is wanted, in one line", positional=True)]
    brain_dump: Annotated[str, param("The wish in your own words", stdin=True)]
    risk: Annotated[Risk, param("What may break")] = "medium"


@operation(Panel.TICKETS, writes=True)
def create(ctx: Context, params: IntentCreate) -> TicketMade:
    """Create an intent, a root of the hierarchy.

    Epics and tasks are made below it with ticket-create --parent. Scope and boundary that are given here hold for all
    that lies below and has none of its own.
    """
    wording.passage("brain_dump", params.brain_dump, needed=True)
    wish = Wish(
        kind="intent",
        fields=ticket_fields.scalars(params),
        sets=ticket_fields.sets(params),
        id=params.id,
        idem_key=params.idem_key,
    )
    return ticket_making.make(ctx, wish)
