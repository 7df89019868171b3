"""Claiming: from a wish for a ticket to a session that the ledger knows, or to nothing at all.

Before anything is sent this machine writes down that a call is claiming; after the transaction it writes down what came
of it. What fails in between gives the lease back, and what is killed in between is given back by the next call.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from exo_sidecar.git.oid import ZERO
from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.opening import Grant
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms, Won


class Aim(NamedTuple):
    """What a call wants a lease for."""

    terms: Terms
    live: LiveSession
    """What this machine is to know of the session once it holds; ticket and lease are filled in then."""
    rule: Callable[[View, TicketId, Grant], Outcome]
    confirm: Callable[[Won], None] | None = None
    """Asked of a lease that was won anew, before anything is written; what it raises gives the lease back."""


class Claimed(NamedTuple):
    """A session that holds, and what this machine knows of it."""

    view: View
    live: LiveSession
    ticket: TicketId
    won: Won | None = None
    """None: nothing was asked for, or the session held it already."""


def claim(ctx: Context, desk: LeaseDesk, tickets: Sequence[TicketId], wanted: Aim) -> Claimed:
    """Win a lease and write what follows from it; nothing is left behind when that fails.

    Raises:
        What the rule refused with, what the lease rules refused with, or an error of the transport.
    """
    common = ctx.place.common
    adopted = live_sessions.read(common, wanted.terms.session)
    claiming = adopted or replace(wanted.live, state="claiming", ticket=tickets[0])
    if claiming.state == "suspended":
        claiming = replace(claiming, state="claiming")
    live_sessions.write(common, replace(claiming, call=ancestry.this_process()))
    try:
        won = desk.claim(tickets, wanted.terms)
        ticket = won.seen.lease.ticket
        view = _written(ctx, desk, won, wanted)
    except ExoError:
        if adopted is None:
            live_sessions.remove(common, wanted.terms.session)
        else:
            live_sessions.write(common, adopted)
        raise
    held = won.swapped.started
    live = replace(
        wanted.live,
        ticket=ticket,
        boot_id=held.boot_id,
        held_from=held.seconds,
        epoch=won.grant.epoch,
        ttl_seconds=won.seen.lease.ttl_seconds,
    )
    live_sessions.write(common, live)
    return Claimed(view, live, ticket, won)


def supposed(ctx: Context, ticket: TicketId, wanted: Aim) -> Claimed:
    """Return what a claim would lead to if the lease were won; nothing is asked for and nothing is written."""
    view = ctx.view()
    authority = view.authority()
    own = view.session(wanted.terms.session)  # a reservation keeps its epoch
    floor = authority.floor if authority else 0
    epoch = (own.epoch if own else None) or max(view.highest_epoch(ticket), floor) + 1
    grant = Grant(wanted.terms.session, wanted.terms.actor, epoch, ZERO)
    view = ctx.transact(lambda now: wanted.rule(now, ticket, grant))
    live = replace(wanted.live, ticket=ticket, epoch=epoch, ttl_seconds=wanted.terms.ttl_seconds)
    return Claimed(view, live, ticket)


def _written(ctx: Context, desk: LeaseDesk, won: Won, wanted: Aim) -> View:
    try:
        if wanted.confirm is not None and won.is_new:
            wanted.confirm(won)
        view = ctx.transact(lambda now: wanted.rule(now, won.seen.lease.ticket, won.grant))
    except ExoError:
        _given_back(ctx, desk, won)
        raise
    desk.settled(won)
    return view


def _given_back(ctx: Context, desk: LeaseDesk, won: Won) -> None:
    """Undo a claim; a lease that the session held before stays with it."""
    if not won.is_new:
        desk.settled(won)
        return
    try:
        desk.give_back(won)
    except ExoError as error:
        # The refusal that led here is what the caller must hear; the intent stays, so the next call gives it back.
        ctx.warn_of(error)
