"""How a session finishes: lease confirmed, memento written, ticket moved, lease released together with the push."""

from typing import Final, NamedTuple

from exo_sidecar.domain import holding, sessions, wording
from exo_sidecar.domain.provisional import lost
from exo_sidecar.domain.sessions import Ending, SessionNotActive
from exo_sidecar.host import checkout, live_sessions
from exo_sidecar.host.caller import require_clear
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.leases.refs import BranchBehind
from exo_sidecar.leases.seen import LeaseUnknown
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import Environment, GitRequired, Held, SessionFenced
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import Finish, OfflineClaim, SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import ending as unconfirmed
from exo_sidecar.operations import exchange, reconciling, session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.registry import Result
from exo_sidecar.store import layout
from exo_sidecar.sync.verified import SyncRefused

COMMITS_SHOWN_MAX: Final = 200
PATHS_SHOWN_MAX: Final = 200
PATH_LENGTH_MAX: Final = 500
"""Together they keep the event's line far below its limit."""


class Wish(NamedTuple):
    """A finish as it is asked for."""

    summary: str
    ticket: str | None
    status: str
    reason: str | None
    next_step: str | None
    artifacts: tuple[str, ...]
    blockers: tuple[str, ...]
    errors: tuple[str, ...]
    lesson: str | None
    keep_lease: bool


class SessionFinished(Result, frozen=True, kw_only=True):
    """A session that ended."""

    session_id: SessionId
    ticket_id: TicketId
    ticket_status: str
    commits: tuple[str, ...]
    uncommitted: tuple[str, ...]
    """Files that the session leaves changed and not committed."""
    memento_path: str | None
    """Below the mount of the governance branch; None while the session's claim is provisional, or was lost."""
    released_lease: bool
    provisional: bool = False
    """Whether the ticket was taken offline and that is not confirmed: what was written counts once it is."""
    sync: Exchanged


class Released(NamedTuple):
    """What became of a lease that is given back."""

    released: bool
    sync: Exchanged
    confirmed: bool = True
    """Whether nothing is left to tell the lease's authority."""


def finish(ctx: Context, wish: Wish) -> SessionFinished:
    """Finish the caller's session."""
    reconciling.settle(ctx, "session-finish")
    if ctx.claim is not None and ctx.claim.lost is not None:
        return _finish_lost(ctx, wish, ctx.claim)
    view = ctx.view()
    ticket = view.find_ticket(wish.ticket).id if wish.ticket else None
    session = _session(ctx, view, ticket)
    record = view.ticket(session.ticket)
    status = record.ticket.status if record and wish.status == sessions.KEEP else wish.status
    ending = Ending(_said(ctx, wish, session, status), wish.status, _passage("reason", wish.reason), ticket)
    ending = ending._replace(release=not wish.keep_lease)
    # Asked before the network is: a malformed wish should not cost a connection.
    early = sessions.finish(view, session.id, ending)
    if early.refusal is not None:
        raise early.refusal
    desk = LeaseDesk(ctx, "session-finish")
    if not ctx.dry_run:
        confirm(ctx, desk, session)
    provisional = session.claim is not None
    with unconfirmed.noted(ctx, session, gives_back=ending.release or provisional):
        after = ctx.transact(lambda now: sessions.finish(now, session.id, ending))
    let_go = hand_back(ctx, desk, session, release=ending.release)
    unconfirmed.forget(ctx, session, confirmed=let_go.confirmed)
    moved = after.ticket(session.ticket)
    return SessionFinished(
        session_id=session.id,
        ticket_id=session.ticket,
        ticket_status=moved.ticket.status if moved else status,
        commits=ending.finish.commits,
        uncommitted=ending.finish.uncommitted,
        memento_path=None if provisional else layout.memento_path(session.id),
        released_lease=let_go.released,
        provisional=provisional,
        sync=let_go.sync,
    )


def _finish_lost(ctx: Context, wish: Wish, claim: OfflineClaim) -> SessionFinished:
    """End a session here whose claim was not confirmed: its words stay in the ticket's history and move nothing."""
    record = ctx.view().offline_session(claim.session)
    if record is None:
        live_sessions.remove(ctx.place.common, claim.session)
        raise lost(claim)
    ending = Ending(_said(ctx, wish, record, sessions.KEEP), sessions.KEEP, release=False)
    view = ctx.transact(lambda now: sessions.finish(now, claim.session, ending))
    if not ctx.dry_run:
        live_sessions.remove(ctx.place.common, claim.session)
    ctx.warn("CLAIM_LOST", f"{claim.session} is ended here; it did not hold {claim.ticket}: {claim.lost}")
    ticket = view.ticket(claim.ticket)
    return SessionFinished(
        session_id=claim.session,
        ticket_id=claim.ticket,
        ticket_status=ticket.ticket.status if ticket else sessions.KEEP,
        commits=ending.finish.commits,
        uncommitted=ending.finish.uncommitted,
        memento_path=None,
        released_lease=False,
        provisional=True,
        sync=exchange.push(ctx),
    )


def confirm(ctx: Context, desk: LeaseDesk, session: SessionRecord) -> None:
    """Make sure that the session still has its lease; offline that is left to the next sync.

    Raises:
        SessionFenced: it has lost it; nothing was changed.
        Or an error of the transport.
    """
    if session.claim is not None:
        if not ctx.offline:
            message = f"{session.ticket} was taken offline, and its authority could not be asked"
            raise LeaseUnknown(message, hint="--offline ends the session here, and the next exo sync decides")
        ctx.warn("PROVISIONAL_LEASE", f"{session.ticket} is provisional: the end counts once exo sync has confirmed it")
        return
    if ctx.offline and desk.authority.remote is not None:
        ctx.warn(
            "FINISH_UNCONFIRMED", f"the lease of {session.ticket} could not be confirmed; the next exo sync decides"
        )
        return
    seen = desk.held(session.ticket, session.id)
    if seen is None and not holding.is_overtaken(ctx.view(), session):
        raise _not_known_there(desk, session)
    if seen is None or (seen.lease.state == "released" and seen.lease.epoch != session.epoch):
        raise holding.session_fenced(session.ticket, session.id)


def hand_back(ctx: Context, desk: LeaseDesk, session: SessionRecord, *, release: bool) -> Released:
    """Push what was written, and the release with it; what cannot be confirmed is a warning, for it is written here.

    Raises:
        SessionFenced: the lease was lost in between; what was written counts nowhere.
    """
    if ctx.dry_run:
        return Released(release, exchange.skipped("dry run"))
    if session.claim is not None:
        return Released(released=False, sync=exchange.skipped("provisional"), confirmed=False)
    if not release:
        return Released(released=False, sync=exchange.push(ctx))
    if ctx.offline and desk.authority.remote is not None:
        return Released(released=False, sync=exchange.skipped("--offline"), confirmed=False)
    try:
        handed = desk.release(session.ticket, session.id, Actor(session.actor))
    except Held as error:
        raise _fenced_in_between(session, error) from error
    except (Environment, BranchBehind, SyncRefused) as error:
        ctx.warn_of(error)
        message = f"the end of {session.id} is written here and not confirmed by the lease's authority"
        ctx.warn("FINISH_UNCONFIRMED", f"{message}; the next exo sync tells it")
        return Released(released=False, sync=Exchanged(state="failed", reason=error.message), confirmed=False)
    return Released(handed.released, exchange.carried(ctx, handed.tip) if handed.tip else exchange.push(ctx))


def _not_known_there(desk: LeaseDesk, session: SessionRecord) -> SessionFenced:
    """Return the refusal for a lease of another place: this clone's governance met one that leases are decided by."""
    place = desk.authority.remote or "this repository"
    message = f"{place} decides about leases and knows none of {session.ticket}: {session.id} took it elsewhere"
    hint = "exo session-finish --offline ends it, and what it wrote counts; exo session-start then claims there"
    return SessionFenced(message, hint=hint, ticket=session.ticket, session=session.id)


def _fenced_in_between(session: SessionRecord, error: Held) -> SessionFenced:
    message = f"{session.id} lost {session.ticket} while it finished: {error.message}; its last events count nowhere"
    return SessionFenced(message, ticket=session.ticket, session=session.id)


def _session(ctx: Context, view: View, ticket: TicketId | None) -> SessionRecord:
    """Return the session that is meant: the caller's, else this worktree's only one on the ticket named."""
    session_id = require_clear(ctx.caller).session
    if session_id is None and ticket is not None:
        living = session_facts.on_ticket(session_facts.living(ctx, view, "active"), ticket)
        own = [live for live in living if live.actor == ctx.caller.actor]
        session_id = own[0].session if len(own) == 1 else None
    if session_id is None:
        message = f"{ctx.caller.actor} has no session at work here"
        raise SessionNotActive(message)
    record = view.session(session_id)
    if record is None:
        message = f"there is no session {session_id}"
        raise SessionNotActive(message, session=session_id)
    return record


def _said(ctx: Context, wish: Wish, session: SessionRecord, status: str) -> Finish:
    head = checkout.head(ctx.place)
    commits, uncommitted = _changes(ctx, session)
    return Finish(
        summary=wording.passage("summary", wish.summary),
        ticket_status=status,
        head=head.commit,
        branch=head.branch,
        commits=commits,
        uncommitted=uncommitted,
        next_step=_passage("next_step", wish.next_step),
        artifacts=tuple(wording.line("artifact", item, longest=wording.MEMBER_MAX) for item in wish.artifacts),
        blockers=tuple(wording.line("blocker", item, longest=wording.MEMBER_MAX) for item in wish.blockers),
        lesson=_passage("lesson", wish.lesson),
        errors=tuple(wording.line("error", item, longest=wording.MEMBER_MAX) for item in wish.errors),
    )


def _passage(name: str, text: str | None) -> str | None:
    return wording.passage(name, text) or None if text is not None else None


def _changes(ctx: Context, session: SessionRecord) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the commits since the session's base, and what it leaves uncommitted beyond what was so at its start."""
    worktree = ctx.place.worktree
    if worktree is None or ctx.place.in_mount:
        return (), ()
    live = live_sessions.read(ctx.place.common, session.id)
    try:
        commits = checkout.commits_since(worktree, session.base, COMMITS_SHOWN_MAX) if session.base else ()
        paths = tuple(path for path in checkout.uncommitted(worktree) if len(path) <= PATH_LENGTH_MAX)[:PATHS_SHOWN_MAX]
    except (CheckoutUnreadable, GitRequired) as error:
        ctx.warn_of(error)
        return (), ()
    before = live.dirty if live else {}
    now = checkout.contents(worktree, tuple(path for path in paths if path in before))
    return commits, tuple(path for path in paths if path not in before or before[path] != now[path])
