"""Next: the best free ticket, found and reserved."""

from typing import Annotated, Final

import msgspec

from exo_sidecar.domain import dispatch, lanes
from exo_sidecar.domain.lanes import Gate
from exo_sidecar.model import actor as actors
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import NotFound
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.ticket import Ticket
from exo_sidecar.model.view import View
from exo_sidecar.operations import choosing, lease_shown, room
from exo_sidecar.operations.choosing import Filter
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

TIE_BREAK: Final = "score, then priority, then the older ticket"
_TOLD_MAX: Final = 3
"""Tickets that a refusal names in its sentence; the details have up to 20."""


class NoTicket(NotFound):
    """There is nothing to hand out."""

    code = "NO_TICKET"
    advice = "exo ticket-create makes work; exo ticket-list shows what there is"


class Next(Params, frozen=True, kw_only=True):
    """Parameters of `next`."""

    owner: Annotated[str | None, param("For whom; left away: the caller", metavar="ACTOR")] = None
    role: Annotated[str, param("The role that the work is for", metavar="NAME")] = "Builder"
    ticket_id: Annotated[str | None, param("Reserve this one, or refuse", metavar="ID", completes="ticket")] = None
    lane: Annotated[str | None, param("Only tickets of this lane", metavar="NAME")] = None
    type: Annotated[tuple[str, ...], param("Only this type")] = ()
    label: Annotated[tuple[str, ...], param("Only with this label; several: with all of them")] = ()
    hours: Annotated[int | None, param("How long the lease lives, in hours", metavar="N")] = None
    ttl: Annotated[str | None, param("How long the lease lives, like 30m or 4h", metavar="DUR")] = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the score is made of: 100 x (6 - priority) + 30 x unblocks."""

    priority: int
    unblocks: int


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    """Why this ticket."""

    candidates: int
    """How many tickets could have been handed out, up to 64."""
    score: int
    terms: Terms
    tie_break: str
    lane: str | None
    """The lane that it is counted in; None while lanes are not switched on, or when no lane takes its type."""
    held_back: tuple[dispatch.HeldBack, ...]
    """Tickets ranked higher that could not be, up to 20."""


class NextChosen(Result, frozen=True, kw_only=True):
    """A ticket that was reserved; with --dry-run one that would be."""

    ticket_id: TicketId
    ticket: Ticket
    session_id: SessionId | None
    """The reserved session, which `session-start` adopts; None with --dry-run."""
    lease: LeaseShown | None
    reused: bool
    """Whether it was reserved before."""
    reasoning: Reasoning


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True)
def run(ctx: Context, params: Next) -> NextChosen:
    """Pick the best free ticket and reserve it: lease, session and status in one go.

    `exo session-start` in the same worktree adopts the reservation. Called again before that it returns the same one.
    With --dry-run it answers from this clone alone, without the network.
    """
    owner = actors.parse(params.owner) if params.owner else ctx.caller.actor
    wanted = Filter(types=params.type, labels=params.label, lane=params.lane)
    if ctx.dry_run:
        return _preview(ctx, params, wanted, owner)
    return _reserved(ctx, params, wanted, owner)


def _preview(ctx: Context, params: Next, wanted: Filter, owner: Actor) -> NextChosen:
    """Return what would be handed out, as far as the ledger of this clone knows."""
    view = ctx.view()
    leased = room.leased_as_known(view)
    if params.ticket_id:
        record = view.find_ticket(params.ticket_id)
        refusal = choosing.refusal(view, record.id) or room.refusal(ctx, view, owner, leased, record.id)
        if refusal is not None:
            raise refusal
        offer = choosing.Offer(choosing.row_of(view, record), ())
        return _chosen(view, offer, 1)
    gate = room.gate(ctx, view, owner, leased)
    offered = choosing.offers(view, wanted, gate)
    if not offered.rows:
        choosing.raise_no_room(offered)
        raise no_ticket(view, wanted, gate)
    first = offered.rows[0]
    return _chosen(view, choosing.Offer(first, choosing.passed_over(offered, first)), len(offered.rows))


def _reserved(ctx: Context, params: Next, wanted: Filter, owner: Actor) -> NextChosen:
    # Reserving needs the lease room and the network's; a preview answers in the time that loading them takes.
    from exo_sidecar.operations import reserving  # noqa: PLC0415

    wish = reserving.Wish(params.ticket_id, owner, params.role, params.ttl, params.hours, wanted)
    found = reserving.reserve(ctx, wish)
    if found is None:
        view = ctx.view()
        raise no_ticket(view, wanted, room.gate(ctx, view, owner, room.leased_as_known(view)))
    return msgspec.structs.replace(
        _chosen(found.view, found.offer, found.candidates),
        session_id=found.live.session,
        lease=lease_shown.shown(ctx, found.live),
        reused=found.reused,
    )


def no_ticket(view: View, wanted: Filter, gate: Gate) -> NoTicket:
    """Return the error that says, candidate by candidate, why nothing can be handed out."""
    held = choosing.held_back(view, wanted, gate)
    if not held:
        return NoTicket("there is no open task that fits")
    lines = tuple(each.told for each in held)
    more = f"; and {len(lines) - _TOLD_MAX} more" if len(lines) > _TOLD_MAX else ""
    message = f"no ticket can be handed out: {'; '.join(lines[:_TOLD_MAX])}{more}"
    return NoTicket(message, hint="exo ticket-show says what each of them waits for", held_back=lines)


def _chosen(view: View, offer: choosing.Offer, candidates: int) -> NextChosen:
    row = offer.row
    record = view.find_ticket(row.id)
    scheduler = view.config().scheduler
    lane = lanes.lane_of(scheduler, row.type) if scheduler.enabled else None
    return NextChosen(
        ticket_id=row.id,
        ticket=record.ticket,
        session_id=None,
        lease=None,
        reused=False,
        reasoning=Reasoning(
            candidates=candidates,
            score=row.score,
            terms=Terms(priority=row.priority, unblocks=row.unblocks),
            tie_break=TIE_BREAK,
            lane=lane.name if lane is not None else None,
            held_back=offer.passed_over,
        ),
    )
