"""Reconciling: claims that were made offline are confirmed, or told lost (docs/leases.md, "Offline").

Each step can be repeated: a call that was killed is gone on with by the next one that asks for leases. A lease that
was won and not written down is given back and won anew; a ledger that has the verdict already is not written again.
"""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from exo_sidecar.domain import adopting
from exo_sidecar.domain.adopting import Handoff
from exo_sidecar.domain.moves import TicketClosed
from exo_sidecar.domain.provisional import lost, unconfirmed
from exo_sidecar.git.locate import locate
from exo_sidecar.host import ancestry, checkout, live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError, LeaseHeld, LeaseLost, SessionFenced
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import OfflineClaim, SessionRecord
from exo_sidecar.operations import ending, exchange, lease_quota, session_saving
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms, Won


class ClaimWon(msgspec.Struct, frozen=True, kw_only=True):
    """A claim made offline that is confirmed now."""

    ticket_id: TicketId
    session_id: SessionId
    epoch: int


class ClaimLost(msgspec.Struct, frozen=True, kw_only=True):
    """A claim made offline that somebody else was ahead of, or whose ticket is closed."""

    ticket_id: TicketId
    session_id: SessionId
    reason: str
    holder: SessionId | None = None
    branch: str | None = None
    head: str | None = None


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the claims of this clone that were made offline."""

    won: tuple[ClaimWon, ...] = ()
    lost: tuple[ClaimLost, ...] = ()


def open_claims(ctx: Context) -> tuple[LiveSession, ...]:
    """Return the sessions here whose claim, made offline, is neither confirmed nor lost; nothing is asked for."""
    sessions = live_sessions.listed(ctx.place.common).sessions
    return tuple(live for live in sessions if live.claim and live.state != "lost" and not live_sessions.has_call(live))


def settle(ctx: Context, operation: str) -> Reconciled:
    """Ask the authority about every claim of this clone that was made offline; what fails stays and is a warning."""
    if ctx.offline or ctx.dry_run or not open_claims(ctx):
        return Reconciled()
    own, ctx.claim = ctx.claim, None  # what is decided here is decided on what counts
    found: list[ClaimWon | ClaimLost] = []
    try:
        desk = LeaseDesk(ctx, operation)
        desk.settle()
        for live in open_claims(ctx):
            found += _one(ctx, desk, live, operation)
        if found:
            ending.make_up(ctx, desk.release)
            exchange.push(ctx)
    except ExoError as error:
        ctx.warn_of(error)
    finally:
        ctx.claim = own
        ctx.look_at_claims()
    return Reconciled(
        won=tuple(each for each in found if isinstance(each, ClaimWon)),
        lost=tuple(each for each in found if isinstance(each, ClaimLost)),
    )


def require_confirmed(ctx: Context, operation: str) -> None:
    """Settle first; LeaseLost, LeaseNotHeld when the caller's session has no lease that confirms its claim."""
    settle(ctx, operation)
    if ctx.claim is not None:
        raise lost(ctx.claim) if ctx.claim.lost else unconfirmed(ctx.claim.session, ctx.claim.ticket)


def give_up(ctx: Context, live: LiveSession) -> None:
    """Forget a claim made offline that nobody began to work under."""
    claim = _claim_of(live)
    handoff = Handoff(None, None, None, "Given back before it was confirmed.")
    ctx.transact(lambda view: adopting.lose(view, claim, handoff))
    live_sessions.remove(ctx.place.common, live.session)


def _one(ctx: Context, desk: LeaseDesk, live: LiveSession, operation: str) -> list[ClaimWon | ClaimLost]:
    common, view = ctx.place.common, ctx.view()
    record, counts = view.offline_session(live.session), view.session(live.session)
    if counts is not None and record is None and counts.status != "suspended":
        return [_confirmed(ctx, live, counts, None)]
    if record is None and counts is not None:  # killed before it was resumed
        live_sessions.write(common, replace(live, state="suspended", claim=None, call=None))
        return []
    if record is None:  # killed before anything was written
        live_sessions.remove(common, live.session)
        return []
    live_sessions.write(common, replace(live, call=ancestry.this_process()))
    try:
        if view.is_lost(live.claim or ""):
            return [_lost(ctx, live, record, "a call that was killed found it lost", None)]
        return [_asked(ctx, desk, live, record, operation)]
    except ExoError as error:
        live_sessions.write(common, replace(live, call=None))
        ctx.warn("CLAIM_UNCONFIRMED", f"{live.ticket} stays provisional: {error.message}")
        return []


def _asked(
    ctx: Context, desk: LeaseDesk, live: LiveSession, record: SessionRecord, operation: str
) -> ClaimWon | ClaimLost:
    """Claim the ticket at its authority under the same session, complete up to the transaction, or lose it."""
    terms = Terms(record.id, Actor(record.actor), live.ttl_seconds or 0, record.branch)
    if not _gives_back(record):
        _check_quota(ctx, desk, live, record)
    try:
        won = desk.claim([live.ticket], terms)
    except (LeaseHeld, LeaseLost, SessionFenced) as error:
        holder = error.details.get("holder")
        return _lost(ctx, live, record, error.message, SessionId(holder) if isinstance(holder, str) else None)
    claim, ends = _claim_of(live), _gives_back(record)
    try:
        after = ctx.transact(lambda view: adopting.adopt(view, claim, won.grant, operation, ends=ends))
    except TicketClosed as error:
        desk.give_back(won)
        return _lost(ctx, live, record, error.message, None)
    except ExoError:
        desk.give_back(won)
        raise
    desk.settled(won)
    return _confirmed(ctx, live, after.session(live.session) or record, won)


def _gives_back(record: SessionRecord) -> bool:
    """Whether the session's lease is given back as soon as it is won: it ended, or is suspended without it."""
    paused = record.interruption
    return record.status == "finished" or (paused is not None and not paused.keeps_lease)


def _check_quota(ctx: Context, desk: LeaseDesk, live: LiveSession, record: SessionRecord) -> None:
    """Raise LeaseQuota when the actor holds its share elsewhere; a ticket that another holds is lost all the same."""
    survey = desk.survey()
    seen = survey.leases.get(live.ticket)
    if seen is not None and seen.lease.state == "held" and not desk.sight(seen).stale:
        return
    refusal = lease_quota.over(survey, ctx.view(), record.actor, live.session)
    if refusal is not None:
        raise refusal


def _confirmed(ctx: Context, live: LiveSession, record: SessionRecord, won: Won | None) -> ClaimWon:
    """Note that a lease has adopted the claim; one whose session has ended is yet to be given back."""
    epoch = won.grant.epoch if won else record.epoch or 0
    started = won.swapped.started if won else None
    confirmed = replace(
        live,
        state="ended" if record.status == "finished" else record.status,
        unreleased=record.status == "suspended" and _gives_back(record),
        claim=None,
        call=None,
        epoch=epoch,
        boot_id=started.boot_id if started else live.boot_id,
        held_from=started.seconds if started else None,
        ttl_seconds=won.seen.lease.ttl_seconds if won else live.ttl_seconds,
    )
    live_sessions.write(ctx.place.common, confirmed)
    ctx.warn("CLAIM_CONFIRMED", f"the offline claim of {live.ticket} is confirmed: epoch {epoch}")
    return ClaimWon(ticket_id=live.ticket, session_id=live.session, epoch=epoch)


def _lost(ctx: Context, live: LiveSession, record: SessionRecord, reason: str, holder: SessionId | None) -> ClaimLost:
    """Write the handoff record; the session, when it is at work, stays to be told at each of its calls."""
    common, claim = ctx.place.common, _claim_of(live)
    handoff = _handoff(ctx, live, record, holder)
    ctx.transact(lambda view: adopting.lose(view, claim, handoff))
    if record.status == "active":
        live_sessions.write(common, replace(live, state="lost", lost=reason[:1000], call=None))
    else:
        live_sessions.remove(common, live.session)
    if record.status == "suspended":
        session_saving.tell_left(ctx, record)
    ctx.warn(
        "CLAIM_LOST",
        f"the offline claim of {live.ticket} is LOST: {reason}. What {live.session} wrote under it counts nowhere; its"
        f" files are kept, and exo ticket-show {live.ticket} --history shows the handoff record",
    )
    return ClaimLost(
        ticket_id=live.ticket,
        session_id=live.session,
        reason=reason,
        holder=holder,
        branch=handoff.branch,
        head=handoff.head,
    )


def _handoff(ctx: Context, live: LiveSession, record: SessionRecord, holder: SessionId | None) -> Handoff:
    """Return where the work stands, as far as its checkout can still be read."""
    words = [record.finish.summary] if record.finish else []
    branch, head = record.branch, None
    try:
        place = locate(Path(live.worktree))
        if place.worktree is not None:
            at = checkout.head(place)
            branch, head = at.branch or branch, at.commit
            left = len(checkout.uncommitted(place.worktree))
            words.append(f"{left} files not committed in {place.worktree.name}." if left else "All is committed.")
    except (ExoError, OSError) as error:
        ctx.warn("CHECKOUT_UNREADABLE", f"what {live.session} left in {live.worktree} cannot be read: {error}")
    return Handoff(holder, branch, head, " ".join(words))


def _claim_of(live: LiveSession) -> OfflineClaim:
    return OfflineClaim(session=live.session, ticket=live.ticket, nonce=live.claim or "")
