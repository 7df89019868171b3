"""How dead sessions are ended: one after the other, each whole before the next, none stopped by another."""

from typing import NamedTuple

import msgspec

from exo_sidecar.domain import drift, evicting
from exo_sidecar.domain.evicting import Eviction
from exo_sidecar.host import checkout, live_sessions
from exo_sidecar.model.errors import ExoError, LeaseLost, SessionFenced
from exo_sidecar.model.session import Finish, SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    by_person,
    exchange,
    giving_back,
    reconciling,
    saved_collecting,
    session_commits,
    session_drift,
    session_facts,
    session_liveness,
    session_scan,
)
from exo_sidecar.operations import ending as unconfirmed
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.registry import Result
from exo_sidecar.operations.session_drift import Measured
from exo_sidecar.operations.session_liveness import Judged
from exo_sidecar.store import layout

_NOT_STALE = {
    "living": "it is at work",
    "reserved": "it is reserved, and a start here adopts it",
    "suspended": "it is suspended: exo session-resume goes on with it",
    "foreign": "it works in another clone: exo lease-takeover takes its ticket when it is silent there, too",
    "finished": "it has ended",
}


class Wish(NamedTuple):
    """A cleanup as it is asked for."""

    sessions: tuple[str, ...]
    stale_hours: int | None
    force: bool


class Evicted(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was ended."""

    session_id: str
    ticket_id: str
    reason: str
    memento_path: str
    """Below the mount of the governance branch."""
    released: bool
    """Whether its lease was given back."""
    ticket_status: str | None


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was named and stays, or that could not be ended."""

    session_id: str
    reason: str


class SessionsCleaned(Result, frozen=True, kw_only=True):
    """What was ended, and what was not."""

    evicted: tuple[Evicted, ...]
    skipped: tuple[Skipped, ...]
    sync: Exchanged
    refs_removed: tuple[str, ...] = ()
    """Saved work of ended sessions that branches hold by now."""


def clean(ctx: Context, wish: Wish) -> SessionsCleaned:
    """End the stale sessions of this clone, or those that are named."""
    if wish.force:
        by_person.require(ctx, "ends sessions that live", "exo session-cleanup --force")
    reconciling.settle(ctx, evicting.OPERATION)
    view = ctx.view()
    hours = view.config().sessions.stale_hours if wish.stale_hours is None else max(1, wish.stale_hours)
    session_liveness.joined(ctx, view)
    evicted: list[Evicted] = []
    skipped: list[Skipped] = []
    sync = exchange.skipped("nothing to write")
    desk = LeaseDesk(ctx, evicting.OPERATION)
    for text in wish.sessions or [record.id for record in session_scan.open_sessions(ctx, view)]:
        try:
            judged = session_liveness.judge(ctx, view, session_scan.named(ctx, view, text), hours)
            reason = _kept(ctx, judged, wish)
            if reason is None:
                ended, sync = _ended(ctx, desk, view, judged)
                evicted.append(ended)
            elif wish.sessions or judged.stale_reason is not None:
                skipped.append(Skipped(session_id=judged.record.id, reason=reason))
        except ExoError as error:
            skipped.append(Skipped(session_id=text, reason=f"{error.code}: {error.message}"))
    dropped = () if wish.sessions else saved_collecting.collect(ctx, ctx.view())
    return SessionsCleaned(evicted=tuple(evicted), skipped=tuple(skipped), sync=sync, refs_removed=dropped)


def _kept(ctx: Context, judged: Judged, wish: Wish) -> str | None:
    """Return why a session is not ended, None when it is."""
    if judged.record.claim is not None:
        return "its ticket was taken offline, and that is not confirmed: exo sync decides first"
    if judged.live is not None and live_sessions.has_call(judged.live):
        return "a command of it is under way"
    if judged.liveness == "stale":
        return None
    if judged.liveness in {"living", "reserved"} and wish.force and _is_meant(ctx, judged, wish):
        return None
    return _NOT_STALE[judged.liveness]


def _is_meant(ctx: Context, judged: Judged, wish: Wish) -> bool:
    """Whether a living session is to be ended: not the caller's own, unless it is named."""
    return bool(wish.sessions) or judged.record.id != ctx.caller.session


def _ended(ctx: Context, desk: LeaseDesk, view: View, judged: Judged) -> tuple[Evicted, Exchanged]:
    record = judged.record
    fenced = not record.is_audit and not ctx.dry_run and _is_fenced(ctx, desk, record)
    reason = judged.stale_reason or f"ended by {ctx.caller.actor} while it was {judged.liveness}"
    said = Eviction(
        reason=reason,
        finish=_finish(ctx, view, judged, reason),
        last_heartbeat=session_liveness.last_heartbeat(ctx, judged.live),
        fenced=fenced,
    )
    gives_back = not fenced and not record.is_audit
    with unconfirmed.noted(ctx, record, gives_back=gives_back):
        after = ctx.transact(lambda now: evicting.evict(now, record.id, said))
    let_go = giving_back.hand_back(ctx, desk, record, release=gives_back)
    unconfirmed.forget(ctx, record, confirmed=let_go.confirmed)
    ticket = after.ticket(record.ticket)
    ended = Evicted(
        session_id=record.id,
        ticket_id=record.ticket,
        reason=reason,
        memento_path=layout.memento_path(record.id),
        released=let_go.released,
        ticket_status=str(ticket.ticket.status) if ticket else None,
    )
    return ended, let_go.sync


def _is_fenced(ctx: Context, desk: LeaseDesk, record: SessionRecord) -> bool:
    """Whether the lease is provably another's; what cannot be asked is an error, and the session stays."""
    try:
        giving_back.confirm(ctx, desk, record)
    except (SessionFenced, LeaseLost) as error:
        ctx.warn(error.code, f"{error.message}: nothing of it is released")
        return True
    return False


def _finish(ctx: Context, view: View, judged: Judged, reason: str) -> Finish:
    """Return what is known of the session's work; what cannot be told says why."""
    record = judged.record
    measured = _measured(ctx, view, judged)
    commits, uncommitted = session_drift.left_behind(measured)
    said = Finish(
        summary=f"Evicted: {reason}. Its branch and its files stay as they are.",
        ticket_status="todo",
        commits=commits,
        uncommitted=uncommitted,
        drift=None if record.is_audit else measured.drift,
    )
    if record.is_audit or judged.live is None:
        return msgspec.structs.replace(said, commits_error=None if record.is_audit else measured.drift.error)
    try:
        head = checkout.head(session_facts.place_of(ctx, record.id))
        said = msgspec.structs.replace(said, head=head.commit, branch=head.branch)
    except (ExoError, OSError) as error:
        ctx.warn("CHECKOUT_UNREADABLE", f"{judged.live.worktree}, where {record.id} worked, cannot be read: {error}")
    return session_commits.noted(ctx, view, record, measured, said)


def _measured(ctx: Context, view: View, judged: Judged) -> Measured:
    if judged.live is not None and not judged.record.is_audit:
        return session_drift.measure(ctx, view, judged.record, judged.live)
    if judged.record.is_audit:
        return session_drift.untouched(view, judged.record)
    fence = session_drift.fence_of(view, judged.record)
    return Measured(drift.unknown(session_liveness.UNKNOWN_HERE, fence, judged.record.base), None)
