"""Taking a ticket without its authority: provisional, under a nonce of this clone, until a sync asks for the lease.

The nonce is on the disk before any event carries it. Nobody in the world is kept from the ticket by it.
"""

from collections.abc import Callable

from msgspec.structs import replace

from exo_sidecar.domain import holding
from exo_sidecar.git.oid import ZERO
from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.leases.last_known import last_known
from exo_sidecar.model import ids
from exo_sidecar.model.errors import ExoError, LeaseHeld, Offline
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.opening import Grant
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.session import OfflineClaim, SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import claiming, lease_quota, session_facts
from exo_sidecar.operations.claiming import Aim, Claimed
from exo_sidecar.operations.context import Context


def applies(ctx: Context) -> bool:
    """Whether the call may not ask the authority that decides on leases."""
    authority = ctx.view().authority()
    return ctx.offline and authority is not None and authority.remote is not None


def claim(ctx: Context, ticket: TicketId, wanted: Aim) -> Claimed:
    """Take the ticket provisionally for the session wanted, or adopt its reservation; nothing is asked for.

    Raises:
        Offline: the configuration wants real claims only.
        LeaseHeld: somebody else has the ticket, as far as is known here.
        Or what the rule refused with.
    """
    session = wanted.terms.session
    known = live_sessions.read(ctx.place.common, session)
    if known is not None and known.claim is None and _has_lease(ctx, session):
        return _adopted(ctx, ticket, wanted)
    if (held := holder(ctx, ctx.view(), ticket, apart_from=session)) is not None:
        raise held
    taken = _taken(ctx, ticket, wanted, known)
    after = _written(ctx, taken, wanted, known)
    live_sessions.write(ctx.place.common, taken)
    ctx.warn("PROVISIONAL_LEASE", f"{ticket} is provisional: not confirmed by the authority; exo sync asks for it")
    return Claimed(after, taken, ticket)


def supposed(ctx: Context, ticket: TicketId, wanted: Aim) -> Claimed:
    """Return what `claim` would lead to, or raise what it would; nothing is written."""
    session = wanted.terms.session
    known = live_sessions.read(ctx.place.common, session)
    if known is not None and known.claim is None and _has_lease(ctx, session):
        return claiming.supposed(ctx, ticket, wanted)
    if (held := holder(ctx, ctx.view(), ticket, apart_from=session)) is not None:
        raise held
    taken = _taken(ctx, ticket, wanted, known)
    rule = _rule(ctx, taken, wanted, known)
    ctx.claim = _claim_of(taken)
    return Claimed(ctx.transact(rule), taken, ticket)


def holder(ctx: Context, view: View, ticket: TicketId, *, apart_from: SessionId | None = None) -> LeaseHeld | None:
    """Return who has the ticket as far as is known without asking: by the ledger, offline in this clone, as seen."""
    found = holding.holding(view, ticket)
    if found is not None and found.session != apart_from:
        return holding.lease_held(ticket, found)
    return _provisional_holder(ctx, view, ticket, apart_from) or _last_holder(ctx, view, ticket)


def _has_lease(ctx: Context, session: SessionId) -> bool:
    """Whether a session of this clone has its lease, as far as the ledger knows."""
    record = ctx.view().session(session)
    return record is None or not _gave_back(record)


def _gave_back(record: SessionRecord) -> bool:
    """Whether the session ended, or was suspended without its lease."""
    paused = record.interruption
    return record.status == "finished" or (paused is not None and not paused.keeps_lease)


def _taken(ctx: Context, ticket: TicketId, wanted: Aim, known: LiveSession | None) -> LiveSession:
    nonce = known.claim if known and known.claim else ids.mint_nonce(ctx.entropy)
    return replace(wanted.live, ticket=ticket, claim=nonce, ttl_seconds=wanted.terms.ttl_seconds)


def _claim_of(taken: LiveSession) -> OfflineClaim:
    return OfflineClaim(session=taken.session, ticket=taken.ticket, nonce=taken.claim or "")


def _rule(ctx: Context, taken: LiveSession, wanted: Aim, known: LiveSession | None) -> Callable[[View], Outcome]:
    ticket = taken.ticket
    grant = Grant(taken.session, wanted.terms.actor, ctx.view().highest_epoch(ticket) + 1, ZERO)

    def rule(view: View) -> Outcome:
        # Looked at again under the clone's lock: of two that take a ticket at once the second is refused.
        refusal: ExoError | None = _forbidden(view, ticket) or _provisional_holder(ctx, view, ticket, taken.session)
        if refusal is None and known is None:  # a reservation was counted when it was made
            refusal = lease_quota.over_as_known(ctx, view, taken.actor, taken.session)
        return refused(refusal) if refusal else wanted.rule(view, ticket, grant)

    return rule


def _written(ctx: Context, taken: LiveSession, wanted: Aim, known: LiveSession | None) -> View:
    common = ctx.place.common
    rule = _rule(ctx, taken, wanted, known)
    before = ctx.claim
    live_sessions.write(common, replace(taken, state="claiming", call=ancestry.this_process()))
    ctx.claim = _claim_of(taken)
    try:
        return ctx.transact(rule)
    except ExoError:
        ctx.claim = before
        if known is None:
            live_sessions.remove(common, taken.session)
        else:
            live_sessions.write(common, known)
        raise


def _forbidden(view: View, ticket: TicketId) -> Offline | None:
    if view.config().leases.offline == "provisional":
        return None
    message = f"{ticket} cannot be taken offline here: leases.offline in config.yaml is refuse"
    return Offline(message, hint="leave --offline away when the remote can be reached again", ticket=ticket)


def _adopted(ctx: Context, ticket: TicketId, wanted: Aim) -> Claimed:
    """Start on a reservation whose lease is held already: nothing has to be asked for."""
    common, session = ctx.place.common, wanted.terms.session
    record, known = ctx.view().session(session), live_sessions.read(common, session)
    if record is None or record.epoch is None or known is None:
        ctx.require_network(f"claiming {ticket}")
    epoch = (record.epoch if record else None) or 0
    grant = Grant(session, wanted.terms.actor, epoch, ZERO)
    view = ctx.transact(lambda now: wanted.rule(now, ticket, grant))
    live = replace(wanted.live, ticket=ticket, epoch=epoch)
    if known is not None:
        live = replace(live, boot_id=known.boot_id, held_from=known.held_from, ttl_seconds=known.ttl_seconds)
    live_sessions.write(common, live)
    return Claimed(view, live, ticket)


def _provisional_holder(ctx: Context, view: View, ticket: TicketId, apart_from: SessionId | None) -> LeaseHeld | None:
    for live in session_facts.on_ticket(live_sessions.listed(ctx.place.common).sessions, ticket):
        if live.claim is None or live.state == "lost" or live.session == apart_from:
            continue
        record = view.offline_session(live.session)
        if record is not None:
            message = f"{ticket} was taken offline by {live.actor} in session {live.session} (provisional)"
            return LeaseHeld(message, ticket=ticket, holder=live.session, actor=live.actor, provisional=True)
    return None


def _last_holder(ctx: Context, view: View, ticket: TicketId) -> LeaseHeld | None:
    """Return who held the lease when it was last seen, unless the ledger has that it was given back."""
    seen = last_known(ctx.repository, ticket, ctx.boot_clock())
    if seen is None or seen.lease.state != "held":
        return None
    record = view.session(seen.lease.holder.session)
    if seen.lease.epoch < view.highest_epoch(ticket) or (record is not None and _gave_back(record)):
        return None
    by = seen.lease.holder
    message = f"{ticket} was held by {by.actor} in session {by.session} (epoch {seen.lease.epoch}) when last seen here"
    return LeaseHeld(message, ticket=ticket, holder=by.session, actor=by.actor, epoch=seen.lease.epoch)
