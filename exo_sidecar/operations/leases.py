"""All leases of the authority, as it shows them now."""

from typing import Annotated, Final

import msgspec

from exo_sidecar.leases.refs import Seen
from exo_sidecar.leases.rules import stale_after_seconds
from exo_sidecar.model import actor as actors
from exo_sidecar.model import ids
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.ticket import CursorUnknown

_LIMIT_MAX: Final = 1000


class Leases(Params, frozen=True, kw_only=True):
    """Parameters of `leases`."""

    ticket_id: Annotated[str | None, param("Only this ticket's", metavar="ID", completes="ticket")] = None
    holder: Annotated[str | None, param("Only those held by this actor", metavar="ACTOR")] = None
    stale: Annotated[bool, param("Only those whose holder is silent, so that they may be taken over")] = False
    limit: Annotated[int, param("Most leases to list, up to 1000", metavar="N")] = 100
    cursor: Annotated[str | None, param("Go on after this one: the next_cursor of the list before")] = None


class HolderShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lease, as its value says."""

    session: str
    actor: str
    clone: str


class LeaseItem(msgspec.Struct, frozen=True, kw_only=True):
    """One lease."""

    ticket: TicketId
    state: str
    epoch: int
    holder: HolderShown
    ours: bool
    """Whether this clone wrote the value."""
    ttl_seconds: int
    seen_for: int
    """Seconds for which this clone has seen just this value."""
    takeover_in: int | None
    """Seconds until it may be taken over if nothing changes; 0: now; None: it is free."""
    claimed_at: str
    renewed_at: str
    """By the holder's clock; nobody compares it."""


class LeasesListed(Result, frozen=True, kw_only=True):
    """Leases, in the order of their tickets."""

    authority: str
    """The remote's name, or `local`."""
    mode: str
    items: tuple[LeaseItem, ...]
    count: int
    next_cursor: str | None
    damaged: tuple[str, ...]
    """Tickets whose lease cannot be read, and why; they are not free."""


@operation(Panel.LEASES_AND_SYNC, reads_only=True, network=True)
def run(ctx: Context, params: Leases) -> LeasesListed:
    """List the leases: who holds what, since when seen here, and when it may be taken over."""
    if not 1 <= params.limit <= _LIMIT_MAX:
        message = f"limit: {params.limit} is not a number from 1 to {_LIMIT_MAX}"
        raise ValueInvalid(message, parameter="limit")
    if params.cursor is not None and not ids.is_id(params.cursor):
        message = f"{params.cursor[:60]!r} is not the cursor of a list of leases"
        raise CursorUnknown(message)
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    holder = actors.parse(params.holder) if params.holder else None
    desk = LeaseDesk(ctx, "leases", reads_only=True)
    authority = desk.authority
    survey = desk.survey()
    items = [_item(desk, seen) for key, seen in sorted(survey.leases.items()) if ticket in {None, key}]
    wanted = tuple(
        item
        for item in items
        if (holder is None or (item.holder.actor == holder and item.state == "held"))
        and (not params.stale or item.takeover_in == 0)
        and item.ticket > (params.cursor or "")
    )
    page = wanted[: params.limit]
    return LeasesListed(
        authority=authority.remote or "local",
        mode=authority.mode,
        items=page,
        count=len(page),
        next_cursor=page[-1].ticket if len(wanted) > len(page) else None,
        damaged=tuple(f"{key}: {why}" for key, why in sorted(survey.damaged.items()) if ticket in {None, key}),
    )


def _item(desk: LeaseDesk, seen: Seen) -> LeaseItem:
    lease, sight = seen.lease, desk.sight(seen)
    left = max(0, int(stale_after_seconds(lease.ttl_seconds)) - sight.seen_for_seconds)
    takeover = None if lease.state == "released" else 0 if sight.stale else max(1, left)
    return LeaseItem(
        ticket=lease.ticket,
        state=lease.state,
        epoch=lease.epoch,
        holder=HolderShown(session=lease.holder.session, actor=lease.holder.actor, clone=lease.holder.clone),
        ours=sight.ours,
        ttl_seconds=lease.ttl_seconds,
        seen_for=sight.seen_for_seconds,
        takeover_in=takeover,
        claimed_at=lease.claimed_at,
        renewed_at=lease.renewed_at,
    )
