"""How a session is suspended: work kept safe, ticket paused, lease given back together with the push."""

from typing import Final, NamedTuple

from msgspec.structs import replace

from exo_sidecar.domain import holding, interrupting
from exo_sidecar.domain.interrupting import Interruption
from exo_sidecar.domain.provisional import lost
from exo_sidecar.host import checkout, live_sessions, saved_work
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.errors import ExoError, GitRequired, LeaseLost, SessionFenced
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    by_person,
    exchange,
    giving_back,
    reconciling,
    session_facts,
    session_finishing,
    session_saving,
)
from exo_sidecar.operations import ending as unconfirmed
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.giving_back import Released
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.registry import Result
from exo_sidecar.store import layout

PATHS_SHOWN_MAX: Final = 200
PATH_LENGTH_MAX: Final = 500


class Wish(NamedTuple):
    """A suspension as it is asked for."""

    reason: str
    ticket: str | None
    stash: bool
    keep_lease: bool


class SessionSuspended(Result, frozen=True, kw_only=True):
    """A session that pauses."""

    session_id: SessionId
    ticket_id: TicketId
    previous_status: str
    """The ticket's status until then."""
    released_lease: bool
    saved_ref: str | None
    """The ref that names the work that was taken out of the checkout; None: nothing was."""
    uncommitted: tuple[str, ...]
    """Files that are changed and not committed, saved or not."""
    memento_path: str | None
    """Below the mount of the governance branch; None while the session's claim is provisional."""
    fenced: bool = False
    """Whether the ticket is another's by now: the session pauses, and wrote nothing about it."""
    sync: Exchanged


def suspend(ctx: Context, wish: Wish) -> SessionSuspended:
    """Suspend the caller's session; of one whose suspension was killed half-way, do the rest."""
    reason = by_person.reason(wish.reason, "a suspension")
    session_facts.worktree_of(ctx)
    reconciling.settle(ctx, "session-suspend")
    if ctx.claim is not None and ctx.claim.lost is not None:
        raise lost(ctx.claim)
    with session_saving.alone(ctx):
        return _suspended(ctx, wish, reason)


def _suspended(ctx: Context, wish: Wish, reason: str) -> SessionSuspended:
    view = ctx.view()
    ticket = view.find_ticket(wish.ticket).id if wish.ticket else None
    begun = _begun(ctx, view, ticket)
    if begun is not None:
        return _gone_on(ctx, view, begun)
    session = session_finishing.meant(ctx, view, ticket)
    refusal = interrupting.refusal(view, session.id, ticket)
    if refusal is not None:
        raise refusal
    desk = LeaseDesk(ctx, "session-suspend")
    fenced = None if ctx.dry_run else _fenced(ctx, desk, session)
    head = checkout.head(ctx.place)
    uncommitted = _uncommitted(ctx)
    saved = session_saving.put_aside(ctx, session) if wish.stash and not ctx.dry_run else None
    said = Interruption(
        reason=reason,
        branch=head.branch,
        head=head.commit,
        saved=saved,
        uncommitted=uncommitted,
        ticket=ticket,
        release=not wish.keep_lease,
        fenced=fenced is not None,
    )
    before = view.ticket(session.ticket)
    let_go = _written(ctx, desk, session, said)
    shows_ref = saved is not None or (wish.stash and ctx.dry_run and bool(uncommitted))
    return SessionSuspended(
        session_id=session.id,
        ticket_id=session.ticket,
        previous_status=str(before.ticket.status) if before else "unknown",
        released_lease=let_go.released,
        saved_ref=saved_work.ref_of(session.id) if shows_ref else None,
        uncommitted=uncommitted,
        memento_path=None if session.claim is not None else layout.memento_path(session.id),
        fenced=fenced is not None,
        sync=let_go.sync,
    )


def _written(ctx: Context, desk: LeaseDesk, session: SessionRecord, said: Interruption) -> Released:
    """Write the suspension, give the lease back, clear the checkout: in this order, each safe to be killed after."""
    release = said.release and not said.fenced
    provisional = session.claim is not None
    made = not ctx.dry_run and _noted(ctx, session, said.saved)
    try:
        with unconfirmed.noted(ctx, session, gives_back=release or provisional):
            ctx.transact(lambda now: interrupting.suspend(now, session.id, said))
    except ExoError:
        if made:  # another call has ended it meanwhile, and forgot it
            live_sessions.remove(ctx.place.common, session.id)
        elif not ctx.dry_run:
            session_facts.change(ctx, session.id, lambda known: replace(known, clearing=None))
        raise
    if said.fenced:
        let_go = Released(released=False, sync=exchange.push(ctx))
    else:
        let_go = giving_back.hand_back(ctx, desk, session, release=release)
    if not ctx.dry_run:
        unreleased = release and not provisional and not let_go.confirmed
        live = session_facts.change(ctx, session.id, lambda known: _paused(known, said, unreleased=unreleased))
        if live is not None:
            session_saving.clear(ctx, live)
    return let_go


def _noted(ctx: Context, session: SessionRecord, saved: str | None) -> bool:
    """Let this machine know what is to be cleared from the checkout once the ledger has the suspension.

    Returns whether this machine knew nothing of the session.
    """
    is_new = session_facts.change(ctx, session.id, lambda known: replace(known, clearing=saved)) is None
    if is_new:
        now = ctx.boot_clock()
        live = LiveSession(
            session=session.id,
            ticket=session.ticket,
            actor=session.actor,
            state="active",
            worktree=str(session_facts.worktree_of(ctx)),
            boot_id=now.boot_id,
            heartbeat=now.seconds,
            epoch=session.epoch,
            clearing=saved,
        )
        live_sessions.write(ctx.place.common, live)
    return is_new


def _paused(live: LiveSession, said: Interruption, *, unreleased: bool) -> LiveSession:
    paused = replace(live, state="suspended", call=None, unreleased=unreleased)
    return paused if not said.release else replace(paused, held_from=None, ttl_seconds=None)


def _fenced(ctx: Context, desk: LeaseDesk, session: SessionRecord) -> ExoError | None:
    """Return why the ticket is another's, None when the session has its lease: a fenced session may suspend, too."""
    try:
        giving_back.confirm(ctx, desk, session)
    except (SessionFenced, LeaseLost) as error:
        if error.details.get("holder") == session.id:  # it is at work, and not here
            raise holding.elsewhere(session) from error
        ctx.warn(
            error.code,
            f"{error.message}. Your files, branch and saved work are kept. Wait until it is free; or make a ticket for "
            "what is left with exo ticket-create; or ask a person for exo lease-takeover --force",
        )
        return error
    return None


def _begun(ctx: Context, view: View, ticket: TicketId | None) -> LiveSession | None:
    """Return the caller's session of this checkout whose suspension a killed call has not brought to its end."""
    worktree = session_facts.worktree_of(ctx)
    if ctx.dry_run or session_facts.at_work(ctx, view, worktree) is not None:
        return None
    paused = session_facts.in_worktree(session_facts.living(ctx, view, "suspended"), worktree)
    for live in session_facts.on_ticket(paused, ticket):
        if live.actor == ctx.caller.actor and live.call is None and (live.clearing or live.unreleased):
            return live
    return None


def _gone_on(ctx: Context, view: View, live: LiveSession) -> SessionSuspended:
    """Do what is left of a suspension that the ledger has."""
    record = session_facts.record_of(view, live)
    paused = record.interruption if record else None
    if record is None or paused is None:
        raise interrupting.not_suspended(live.session, record)
    desk = LeaseDesk(ctx, "session-suspend")
    if live.unreleased and not (ctx.offline and desk.authority.remote is not None):
        desk.settle()
    session_saving.clear(ctx, live)
    after = live_sessions.read(ctx.place.common, live.session)
    return SessionSuspended(
        session_id=record.id,
        ticket_id=record.ticket,
        previous_status=paused.previous_status,
        released_lease=not paused.keeps_lease and not (after.unreleased if after else False),
        saved_ref=saved_work.ref_of(record.id) if paused.saved else None,
        uncommitted=paused.uncommitted,
        memento_path=None if record.claim is not None else layout.memento_path(record.id),
        sync=exchange.push(ctx),
    )


def _uncommitted(ctx: Context) -> tuple[str, ...]:
    """Return what is changed in the checkout and not committed, PATHS_SHOWN_MAX at most."""
    try:
        paths = checkout.uncommitted(session_facts.worktree_of(ctx))
    except (CheckoutUnreadable, GitRequired) as error:
        ctx.warn_of(error)
        return ()
    return tuple(path for path in paths if len(path) <= PATH_LENGTH_MAX)[:PATHS_SHOWN_MAX]
