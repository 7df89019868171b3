"""Leases of the caller's session: kept alive, and given back."""

from typing import Annotated, Final

from msgspec.structs import replace

from exo_sidecar.domain import sessions
from exo_sidecar.host import live_sessions
from exo_sidecar.host.caller import require_clear
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import LeaseNotHeld
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import ending, lease_shown, session_facts, session_finishing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

DUE_BELOW: Final = 1 / 3
"""A heartbeat is due when less than this part of the lease's life is left."""


class LeaseHeartbeat(Params, frozen=True, kw_only=True):
    """Parameters of `lease-heartbeat`."""

    ticket_id: Annotated[
        str | None, param("Ticket of the lease; left away: the session's", metavar="ID", completes="ticket")
    ] = None
    force_push: Annotated[bool, param("Even when the lease is not due yet")] = False


class LeaseBeaten(Result, frozen=True, kw_only=True):
    """A lease that was kept alive."""

    ticket_id: TicketId
    lease: LeaseShown
    pushed: bool
    """Whether the authority was told; not while more than a third of the lease's life is left."""


class LeaseRelease(Params, frozen=True, kw_only=True):
    """Parameters of `lease-release`."""

    ticket_id: Annotated[
        str | None, param("Ticket of the lease; left away: the session's", metavar="ID", completes="ticket")
    ] = None
    ignore_missing: Annotated[bool, param("Being without a lease is no fault")] = False


class LeaseReleased(Result, frozen=True, kw_only=True):
    """A lease that was given back."""

    ticket_id: TicketId | None
    """None: there was none, and --ignore-missing said that this is no fault."""
    released: bool
    epoch: int | None
    sync: Exchanged | None = None


@operation(Panel.LEASES_AND_SYNC, network=True, idempotent=True)
def heartbeat(ctx: Context, params: LeaseHeartbeat) -> LeaseBeaten:
    """Show that the session is alive, so that its lease is not taken over.

    The authority is told only when less than a third of the lease's life is left. Nothing is written to the ledger.
    """
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    session = _own_session(ctx, view, ticket)
    common = ctx.place.common
    live = live_sessions.read(common, session.id)
    if live is not None and not params.force_push and not _is_due(ctx, live):
        beaten = live_sessions.beat(common, live, ctx.boot_clock())
        known = lease_shown.shown(ctx, beaten)
        if known is not None:
            return LeaseBeaten(ticket_id=session.ticket, lease=known, pushed=False)
    terms = Terms(session.id, Actor(session.actor), 0)
    swapped = LeaseDesk(ctx, "lease-heartbeat").heartbeat(session.ticket, terms)
    lease = swapped.after.lease
    if live is not None:
        live_sessions.write(common, _renewed(live, swapped.started.boot_id, swapped.started.seconds, lease.ttl_seconds))
    shown = LeaseShown(epoch=lease.epoch, ttl_seconds=lease.ttl_seconds, deadline_in=lease.ttl_seconds)
    return LeaseBeaten(ticket_id=session.ticket, lease=shown, pushed=True)


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True)
def release(ctx: Context, params: LeaseRelease) -> LeaseReleased:
    """Give the lease of the session's ticket back, so that others may take it.

    A reservation that was never started ends with it, and its ticket is free again. A session at work goes on without
    its lease until somebody else takes the ticket.
    """
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    try:
        session = _own_session(ctx, view, ticket, ended_too=True)
        desk = LeaseDesk(ctx, "lease-release")
        if not ctx.dry_run:
            _confirm_held(ctx, desk, session)
    except LeaseNotHeld:
        if not params.ignore_missing:
            raise
        return LeaseReleased(ticket_id=ticket, released=False, epoch=None)
    ends = session.status != "active"
    with ending.noted(ctx, session, gives_back=ends):
        ctx.transact(lambda now: sessions.give_up(now, session.id))
    let_go = session_finishing.hand_back(ctx, desk, session, release=True)
    if ends:
        ending.forget(ctx, session, confirmed=let_go.confirmed)
    elif let_go.released and not ctx.dry_run:
        _count_on_nothing(ctx, session)
    return LeaseReleased(ticket_id=session.ticket, released=let_go.released, epoch=session.epoch, sync=let_go.sync)


def _confirm_held(ctx: Context, desk: LeaseDesk, session: SessionRecord) -> None:
    """Make sure that there is a lease to give back; LeaseNotHeld, SessionFenced."""
    if ctx.offline and desk.authority.remote is not None:
        ctx.require_network(f"releasing the lease of {session.ticket}")
    seen = desk.held(session.ticket, session.id)
    if seen is None or seen.lease.state == "released":
        message = f"nobody holds the lease of {session.ticket}"
        raise LeaseNotHeld(message, ticket=session.ticket)


def _count_on_nothing(ctx: Context, session: SessionRecord) -> None:
    """Let the session that goes on without its lease ask the authority at its next heartbeat."""
    live = live_sessions.read(ctx.place.common, session.id)
    if live is not None:
        live_sessions.write(ctx.place.common, replace(live, held_from=None, ttl_seconds=None))


def _own_session(ctx: Context, view: View, ticket: TicketId | None, *, ended_too: bool = False) -> SessionRecord:
    """Return the session whose lease is meant: the caller's; a reservation of this clone; LeaseNotHeld."""
    named = require_clear(ctx.caller).session
    record = view.session(named) if named else None
    if record is not None and ticket in {None, record.ticket}:
        return record
    found = _reservation(ctx, view, ticket) or (_last_of(view, ticket, ctx.caller.actor) if ended_too else None)
    if found is None:
        what = f"the lease of {ticket}" if ticket else "a lease"
        message = f"{ctx.caller.actor} has no session here that holds {what}"
        raise LeaseNotHeld(message, ticket=ticket)
    return found


def _reservation(ctx: Context, view: View, ticket: TicketId | None) -> SessionRecord | None:
    """Return this worktree's only reservation, or the clone's on the ticket named."""
    reserved = session_facts.on_ticket(session_facts.living(ctx, view, "reserved"), ticket)
    if ticket is None:
        reserved = session_facts.in_worktree(reserved, session_facts.worktree_of(ctx))
    return view.session(reserved[0].session) if len(reserved) == 1 else None


def _last_of(view: View, ticket: TicketId | None, actor: str) -> SessionRecord | None:
    """Return the ticket's last session when it was the actor's: its end may not have reached the authority."""
    if ticket is None:
        return None
    last = next(iter(view.sessions(ticket=ticket, limit=1)), None)
    return last if last is not None and last.actor == actor else None


def _is_due(ctx: Context, live: LiveSession) -> bool:
    left = live.lease_seconds_left(ctx.boot_clock())
    return left is None or live.ttl_seconds is None or left < live.ttl_seconds * DUE_BELOW


def _renewed(live: LiveSession, boot: str, seconds: float, ttl_seconds: int) -> LiveSession:
    return replace(live, boot_id=boot, heartbeat=seconds, held_from=seconds, ttl_seconds=ttl_seconds)
