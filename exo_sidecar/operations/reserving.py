"""Reserving: a ticket claimed for a session that is yet to start."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from exo_sidecar.domain import handoffs, holding, sessions, wording
from exo_sidecar.domain.dispatch import HeldBack, Reason
from exo_sidecar.domain.lanes import ConcurrencyLimit, LaneFull
from exo_sidecar.host.caller import Caller
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.leases import backoff
from exo_sidecar.leases.refs import Survey
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model import ids
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError, LeaseHeld, Refused
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.opening import Grant
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.view import TicketRow, View
from exo_sidecar.operations import (
    choosing,
    claiming,
    exchange,
    expiring,
    lease_quota,
    lease_terms,
    offline,
    policy_verifying,
    reconciling,
    recount,
    room,
    session_facts,
)
from exo_sidecar.operations.choosing import Filter, Offer
from exo_sidecar.operations.claiming import Aim, Claimed
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms, Won

LISTINGS_MAX: Final = 3
"""How often leases are listed for one reservation, when each time others took all that was free."""


class Wish(NamedTuple):
    """A reservation as it is asked for."""

    ticket: str | None
    owner: Actor
    role: str
    ttl: str | None
    hours: int | None
    filter: Filter
    takes_over: bool = False
    reason: str | None = None
    """As in Terms."""


class Reserved(NamedTuple):
    """A reservation, new or found."""

    view: View
    live: LiveSession
    offer: Offer
    candidates: int
    reused: bool


def reserve(ctx: Context, wish: Wish) -> Reserved | None:
    """Reserve the ticket named, or the best free one; None when there is none. What is reserved here comes again."""
    session_facts.worktree_of(ctx)
    exchange.pull(ctx)
    reconciling.settle(ctx, "next")
    view = ctx.view()
    lease_terms.ttl_seconds(view.config().leases, wish.ttl, wish.hours)
    ticket = view.find_ticket(wish.ticket).id if wish.ticket else None
    found = _reservation(ctx, view, wish, ticket)
    if found is not None:
        return found
    if offline.applies(ctx):
        return _reserve_offline(ctx, view, wish, ticket)
    desk = LeaseDesk(ctx, "next")
    if ticket is not None:
        return _reserve_named(ctx, desk, view, wish, ticket)
    return _reserve_best(ctx, desk, wish)


def _reservation(ctx: Context, view: View, wish: Wish, ticket: TicketId | None) -> Reserved | None:
    """Return the owner's reservation of this worktree, as long as it still holds its ticket."""
    here = session_facts.in_worktree(session_facts.living(ctx, view, "reserved"), session_facts.worktree_of(ctx))
    for live in session_facts.on_ticket(here, ticket):
        record, known = view.ticket(live.ticket), session_facts.record_of(view, live)
        overtaken = known is None or holding.is_overtaken(view, known)
        if live.actor == wish.owner and record is not None and not overtaken:
            return Reserved(view, live, Offer(choosing.row_of(view, record), ()), 1, reused=True)
    return None


def _reserve_named(ctx: Context, desk: LeaseDesk, view: View, wish: Wish, ticket: TicketId) -> Reserved:
    survey = desk.survey()
    refusal = (
        sessions.readiness(view, ticket, dispatched=True)
        or lease_quota.over(survey, view, wish.owner)
        or room.refusal(ctx, view, wish.owner, recount.leased(survey), ticket)
    )
    if refusal is not None:
        raise refusal
    record = view.find_ticket(ticket)
    claimed = claim(ctx, desk, view, wish, [ticket])
    return Reserved(claimed.view, claimed.live, Offer(choosing.row_of(view, record), ()), 1, reused=False)


def _reserve_offline(ctx: Context, view: View, wish: Wish, ticket: TicketId | None) -> Reserved | None:
    """Reserve provisionally: what nobody has, as far as is known here."""
    if ticket is not None:
        refusal = sessions.readiness(view, ticket, dispatched=True)
        refusal = refusal or room.refusal(ctx, view, wish.owner, room.leased_as_known(view), ticket)
        if refusal is not None:
            raise refusal
        row, free = choosing.row_of(view, view.find_ticket(ticket)), 1
        passed: tuple[HeldBack, ...] = ()
    else:
        gate = room.gate(ctx, view, wish.owner, room.leased_as_known(view))
        offered = choosing.offers(view, wish.filter, gate)
        rows = offered.rows
        held = {row.id: found for row in rows if (found := offline.holder(ctx, view, row.id)) is not None}
        free = len(rows) - len(held)
        if not free:
            choosing.raise_no_room(offered)
            return None
        row = next(row for row in rows if row.id not in held)
        told = tuple(HeldBack(key, (Reason("held", held[key].message),)) for key in held)
        passed = choosing.passed_over(offered, row, told)
    claimed = claim(ctx, None, view, wish, [row.id])
    return Reserved(claimed.view, claimed.live, Offer(row, passed), free, reused=False)


def _reserve_best(ctx: Context, desk: LeaseDesk, wish: Wish) -> Reserved | None:
    """Reserve the best free ticket; None when nothing is free, or whatever was listed was taken each time."""
    for count in range(LISTINGS_MAX):
        try:
            return _reserve_listed(ctx, desk, ctx.view(), wish)
        except (LeaseHeld, LeaseDamaged):  # every one that was listed was taken in the meantime
            backoff.pause(count)
        except (LaneFull, ConcurrencyLimit):  # it was won, counted again, and given back: others claimed as well
            if count + 1 == LISTINGS_MAX:
                raise
            backoff.pause(count)
    return None


def _reserve_listed(ctx: Context, desk: LeaseDesk, view: View, wish: Wish) -> Reserved | None:
    """Reserve the best ticket that a listing shows as free, None when it shows none; LeaseHeld, LeaseDamaged."""
    survey = desk.survey()
    refusal = lease_quota.over(survey, view, wish.owner)
    if refusal is not None:
        raise refusal
    gate = room.gate(ctx, view, wish.owner, recount.leased(survey))
    offered = choosing.offers(view, wish.filter, gate, may_be_had=lambda ticket: _may_be_had(desk, survey, ticket))
    free = [row for row in offered.rows if _may_be_had(desk, survey, row.id)]
    passed = [_held(survey, row) for row in offered.rows if row not in free]
    if not free:
        choosing.raise_no_room(offered)
    remaining = list(free)
    for _ in range(view.config().dispatch.max_attempts):
        if not remaining:
            break
        try:
            claimed = claim(ctx, desk, view, wish, [row.id for row in remaining])
        except (LaneFull, ConcurrencyLimit):
            raise
        except Refused as error:
            # Won, and then the governance branch brought news of it: it was given back.
            passed += [HeldBack(row.id, (Reason("refused", error.message),)) for row in _named_by(error, remaining)]
            remaining = [row for row in remaining if row not in _named_by(error, remaining)]
            continue
        row = next(row for row in free if row.id == claimed.ticket)
        before = choosing.passed_over(offered, row, tuple(passed))
        return Reserved(claimed.view, claimed.live, Offer(row, before), len(free), reused=False)
    return None


def claim(ctx: Context, desk: LeaseDesk | None, view: View, wish: Wish, tickets: Sequence[TicketId]) -> Claimed:
    """Reserve the first of `tickets` that can be had, and push; expired leases seen meanwhile are told with it.

    Without a desk nobody is asked: the first is reserved provisionally.
    """
    role = wording.line("role", wish.role, longest=wording.WORD_MAX)
    policy = policy_verifying.verify(ctx)
    if policy.verdict == "tampered" and policy.refusal is not None:  # no session could start on it
        raise policy.refusal
    session_id = ids.mint_session(ctx.entropy)
    now = ctx.boot_clock()
    live = LiveSession(
        session=session_id,
        ticket=tickets[0],
        actor=wish.owner,
        state="reserved",
        worktree=str(session_facts.worktree_of(ctx)),
        boot_id=now.boot_id,
        heartbeat=now.seconds,
    )
    ttl = lease_terms.ttl_seconds(view.config().leases, wish.ttl, wish.hours)
    expired = expiring.found(ctx, desk) if desk else ()
    caller = ctx.caller
    ctx.caller = Caller(caller.actor, session_id)

    def rule(now_view: View, ticket: TicketId, grant: Grant) -> Outcome:
        kept = None if wish.takes_over else handoffs.refusal(now_view, ticket, wish.owner, ctx.now)
        if kept is not None:  # it came with the last pull
            return refused(kept)
        outcome = sessions.reserve(now_view, ticket, grant, role)
        others = tuple(seen for seen in expired if seen.lease.ticket != ticket)
        return outcome if outcome.refusal is not None else outcome + expiring.told(now_view, others)

    def confirm(won: Won) -> None:
        if desk is not None and not wish.takes_over:
            recount.confirm(ctx.view, desk.survey, won.seen.lease.ticket)

    terms = Terms(session_id, wish.owner, ttl, takes_over=wish.takes_over, reason=wish.reason)
    try:
        aim = Aim(terms, live, rule, confirm)
        claimed = claiming.claim(ctx, desk, tickets, aim) if desk else offline.claim(ctx, tickets[0], aim)
    except ExoError:
        ctx.caller = caller
        raise
    exchange.push(ctx)
    return claimed


def _may_be_had(desk: LeaseDesk, survey: Survey, ticket: TicketId) -> bool:
    """Whether the lease is free, or its holder is silent past the take-over rule."""
    seen = survey.leases.get(ticket)
    if ticket in survey.damaged:
        return False
    return seen is None or seen.lease.state == "released" or desk.sight(seen).stale


def _held(survey: Survey, row: TicketRow) -> HeldBack:
    seen = survey.leases.get(row.id)
    if seen is None:
        return HeldBack(row.id, (Reason("damaged", survey.damaged.get(row.id, "its lease cannot be read")),))
    holder = seen.lease.holder
    message = f"{row.id} is held by {holder.actor} in session {holder.session} (epoch {seen.lease.epoch})"
    return HeldBack(row.id, (Reason("held", message),))


def _named_by(error: ExoError, remaining: Sequence[TicketRow]) -> list[TicketRow]:
    """Return the candidate that an error is about; all of them when it names none: every one was refused."""
    named = [row for row in remaining if row.id == error.details.get("ticket")]
    return named or list(remaining)
