"""Leases of the caller's session: kept alive, and given back."""

from typing import Annotated

from msgspec.structs import replace

from exo_sidecar.domain import auditing, holding, sessions
from exo_sidecar.domain.provisional import lost, unconfirmed
from exo_sidecar.host import heartbeats, live_sessions
from exo_sidecar.host.caller import require_clear
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import LeaseLost, LeaseNotHeld
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    ending,
    exchange,
    giving_back,
    keepalive,
    lease_shown,
    reconciling,
    session_facts,
)
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


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
    """Whether the authority was told; not while more than a third of the lease's life is left, nor while another
    heartbeat of the session is on its way."""


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

    The authority is told only when less than a third of the lease's life is left. It writes no event of its own.
    """
    reconciling.settle(ctx, "lease-heartbeat")
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    session = own_session(ctx, view, ticket)
    with heartbeats.only(ctx.place.common, session.id) as alone:
        # Read under the lock: of two heartbeats the second finds that the first has done it.
        live = live_sessions.read(ctx.place.common, session.id)
        with keepalive.noted(ctx, live, alone=alone):
            refuse_overtaken(view, session)
            known = None if live is None or params.force_push else _not_now(ctx, live, alone=alone)
            if known is not None:
                return LeaseBeaten(ticket_id=session.ticket, lease=known, pushed=False)
            return pushed(ctx, session, operation="lease-heartbeat")


def _not_now(ctx: Context, live: LiveSession, *, alone: bool) -> LeaseShown | None:
    """Return the lease when it needs no heartbeat of ours: not due, or another one is on its way."""
    if not alone:
        return lease_shown.shown(ctx, live)
    if keepalive.is_due(live, ctx.boot_clock()):
        return None
    return lease_shown.shown(ctx, session_facts.beat(ctx, live))


def pushed(ctx: Context, session: SessionRecord, *, operation: str, ttl_seconds: int = 0) -> LeaseBeaten:
    """Tell the authority that the session is alive, with another ttl where one is given; LeaseLost, SessionFenced."""
    terms = Terms(session.id, Actor(session.actor), ttl_seconds)
    swapped = LeaseDesk(ctx, operation).heartbeat(session.ticket, terms)
    lease = swapped.after.lease
    session_facts.count_on(ctx, lease, swapped.started)
    shown = LeaseShown(epoch=lease.epoch, ttl_seconds=lease.ttl_seconds, deadline_in=lease.ttl_seconds)
    return LeaseBeaten(ticket_id=session.ticket, lease=shown, pushed=True)


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True)
def release(ctx: Context, params: LeaseRelease) -> LeaseReleased:
    """Give the lease of the session's ticket back, so that others may take it.

    A reservation that was never started ends with it, and its ticket is free again. A session at work goes on without
    its lease until somebody else takes the ticket.
    """
    reconciling.settle(ctx, "lease-release")
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id if params.ticket_id else None
    try:
        session = own_session(ctx, view, ticket, ended_too=True)
        if session.claim is not None and session.status == "reserved":
            return _given_up(ctx, session)
        _refuse_provisional(session)
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
    let_go = giving_back.hand_back(ctx, desk, session, release=True)
    if ends:
        ending.forget(ctx, session, confirmed=let_go.confirmed)
    elif let_go.released and not ctx.dry_run:
        # It asks the authority at its next heartbeat.
        session_facts.change(ctx, session.id, lambda live: replace(live, held_from=None, ttl_seconds=None))
    return LeaseReleased(ticket_id=session.ticket, released=let_go.released, epoch=session.epoch, sync=let_go.sync)


def refuse_overtaken(view: View, session: SessionRecord) -> None:
    """Raise LeaseLost when the ledger knows already that the session's ticket was taken; LeaseNotHeld, provisional."""
    _refuse_provisional(session)
    if holding.is_overtaken(view, session):
        message = f"session {session.id} no longer holds {session.ticket}: another session took its lease"
        raise LeaseLost(message, ticket=session.ticket, session=session.id)


def _refuse_provisional(session: SessionRecord) -> None:
    if session.claim is None:
        return
    raise unconfirmed(session.id, session.ticket)


def _given_up(ctx: Context, session: SessionRecord) -> LeaseReleased:
    """Forget a reservation that was made offline: there is no lease, and nobody began to work."""
    live = live_sessions.read(ctx.place.common, session.id)
    if live is not None and not ctx.dry_run:
        reconciling.give_up(ctx, live)
    return LeaseReleased(ticket_id=session.ticket, released=False, epoch=None, sync=exchange.push(ctx))


def _confirm_held(ctx: Context, desk: LeaseDesk, session: SessionRecord) -> None:
    """Make sure that there is a lease to give back; LeaseNotHeld, SessionFenced."""
    if ctx.offline and desk.authority.remote is not None:
        ctx.require_network(f"releasing the lease of {session.ticket}")
    seen = desk.held(session.ticket, session.id)
    if seen is None or seen.lease.state == "released":
        message = f"nobody holds the lease of {session.ticket}"
        raise LeaseNotHeld(message, ticket=session.ticket)


def own_session(ctx: Context, view: View, ticket: TicketId | None, *, ended_too: bool = False) -> SessionRecord:
    """Return the session whose lease is meant: the caller's; a reservation of this clone; LeaseNotHeld."""
    if ctx.claim is not None and ctx.claim.lost is not None:
        raise lost(ctx.claim)
    named = require_clear(ctx.caller).session
    record = view.session(named) if named else None
    if record is not None and record.is_audit:
        message = f"{record.id} is an audit: it looks on at {record.ticket} and holds no lease"
        raise LeaseNotHeld(message, ticket=record.ticket)
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
    return session_facts.record_of(view, reserved[0]) if len(reserved) == 1 else None


def _last_of(view: View, ticket: TicketId | None, actor: str) -> SessionRecord | None:
    """Return the ticket's last session when it was the actor's: its end may not have reached the authority."""
    if ticket is None:
        return None
    last = auditing.last_writer(view, ticket)
    return last if last is not None and last.actor == actor else None
