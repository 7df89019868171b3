"""How a suspended session goes on: lease won anew, saved work put back, its agent told why it was interrupted."""

from typing import Final, NamedTuple

from exo_sidecar.domain import handoffs, interrupting, sessions
from exo_sidecar.domain.interrupting import Part, SessionNotSuspended, WorktreeMismatch
from exo_sidecar.domain.sessions import SessionAlreadyActive
from exo_sidecar.host import ancestry, checkout, live_sessions, saved_work
from exo_sidecar.host.caller import Caller, SessionAmbiguous
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.host.saved_work import SavedWork
from exo_sidecar.model import ids
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.advisory import Advisory
from exo_sidecar.model.errors import ExoError, Offline, SessionFenced
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.opening import Grant
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    claiming,
    exchange,
    lease_quota,
    lease_shown,
    lease_terms,
    offline,
    policy_keeping,
    reconciling,
    session_brief,
    session_facts,
    session_saving,
    session_shown,
)
from exo_sidecar.operations.claiming import Aim, Claimed
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.registry import Result
from exo_sidecar.operations.session_brief import Wanted
from exo_sidecar.operations.session_shown import SessionShown
from exo_sidecar.store import prompt

SHORTER: Final = 2
"""The bootstrap of a resumed session has the budget of a first one divided by this."""


class Wish(NamedTuple):
    """A resumption as it is asked for."""

    session: str | None
    pop: bool
    here: bool
    hours: int | None
    ttl: str | None
    tokens: int | None


class SessionResumed(Result, frozen=True, kw_only=True):
    """A session that goes on."""

    session: SessionShown
    lease: LeaseShown | None
    bootstrap_path: str | None
    """None when nothing was written (--dry-run)."""
    bootstrap_prompt: str
    advisories: tuple[Advisory, ...] = ()
    restored: bool
    """Whether saved work was put back."""
    saved_ref: str | None
    """Saved work that still waits; None: there is none."""
    sync: Exchanged


class _Meant(NamedTuple):
    """The session to go on with."""

    record: SessionRecord
    live: LiveSession | None
    """What this machine knows of it; None: it was suspended in another clone."""


def resume(ctx: Context, wish: Wish) -> SessionResumed:
    """Resume a session; one that a killed call has resumed already is gone on with."""
    session_facts.worktree_of(ctx)
    came = exchange.pull(ctx)
    reconciling.settle(ctx, "session-resume")
    verdict = policy_keeping.at_start(ctx).verdict
    lease_terms.ttl_seconds(ctx.view().config().leases, wish.ttl, wish.hours)
    with session_saving.alone(ctx):
        return _resumed(ctx, wish, came, verdict)


def _resumed(ctx: Context, wish: Wish, came: Exchanged, verdict: Verdict) -> SessionResumed:
    view = ctx.view()
    if not ctx.dry_run:
        session_saving.go_on(ctx, view)
    found = _meant(ctx, view, wish)
    if found.record.status == "active":
        return _gone_on(ctx, view, wish, found, came)
    alive = session_facts.at_work(ctx, view, session_facts.worktree_of(ctx))
    if alive is not None:
        raise _already_active(alive)
    _check_place(ctx, wish, found)
    record = found.record
    refusal = sessions.readiness(view, record.ticket, dispatched=False)
    refusal = refusal or handoffs.refusal(view, record.ticket, record.actor, ctx.now)
    if refusal is not None:
        raise refusal
    work = session_saving.fitting(ctx, record) if wish.pop else None
    ctx.caller = Caller(Actor(record.actor), record.id)
    aim = _aim(ctx, view, wish, found, verdict)
    if ctx.dry_run:
        return _result(ctx, wish, claiming.supposed(ctx, record.ticket, aim), came, restored=work is not None)
    claimed = _claimed(ctx, view, found, aim)
    if work is not None:
        session_saving.put_back(ctx, record, work)
    return _result(ctx, wish, claimed, exchange.push(ctx), restored=work is not None)


def _claimed(ctx: Context, view: View, found: _Meant, aim: Aim) -> Claimed:
    paused = found.record.interruption
    keeps = paused is not None and paused.keeps_lease
    if offline.applies(ctx):
        if found.live is None:
            message = f"{found.record.id} was suspended in another clone, and its authority may not be asked"
            hint = "resume when the remote can be reached; exo session-start --offline begins a session here"
            raise Offline(message, hint=hint, session=found.record.id)
        return offline.claim(ctx, found.record.ticket, aim)
    desk = LeaseDesk(ctx, "session-resume")
    refusal = None if keeps else lease_quota.over(desk.survey(), view, found.record.actor)
    if refusal is not None:
        raise refusal
    return claiming.claim(ctx, desk, [found.record.ticket], aim)


def _meant(ctx: Context, view: View, wish: Wish) -> _Meant:
    """Return the session named, or the caller's one that was suspended in this worktree."""
    if wish.session is not None:
        return _named(ctx, view, wish.session)
    worktree, actor = session_facts.worktree_of(ctx), ctx.caller.actor
    paused = session_facts.in_worktree(session_facts.living(ctx, view, "suspended"), worktree)
    own = [live for live in paused if live.actor == actor]
    if len(own) > 1:
        names = ", ".join(live.session for live in own)
        message = f"{len(own)} sessions of {actor} are suspended in this worktree: {names}"
        raise SessionAmbiguous(message, hint="name one: exo session-resume SES-...")
    if own:
        return _of(view, own[0])
    alive = session_facts.at_work(ctx, view, worktree)
    if alive is not None and alive.actor == actor:
        return _of(view, alive)
    others = f"; suspended here: {', '.join(f'{each.session} of {each.actor}' for each in paused)}" if paused else ""
    message = f"{actor} has no suspended session in this worktree{others}"
    raise SessionNotSuspended(message)


def _named(ctx: Context, view: View, text: str) -> _Meant:
    known = live_sessions.listed(ctx.place.common).sessions
    upper = text.strip().upper()
    fitting = [live for live in known if live.session.startswith(upper) or live.session == f"SES-{upper}"]
    session_id = fitting[0].session if len(fitting) == 1 else SessionId(ids.parse(text))
    session_facts.living(ctx, view, "suspended")  # what a killed call left is put right
    live = live_sessions.read(ctx.place.common, session_id)
    record = session_facts.record_of(view, live) if live else view.session(session_id)
    if record is None or record.status not in {"suspended", "active"}:
        raise interrupting.not_suspended(session_id, record)
    if record.actor != ctx.caller.actor:
        message = f"{session_id} is a session of {record.actor}, and {ctx.caller.actor} asks for it"
        raise SessionNotSuspended(message, hint=f"--actor {record.actor}", session=session_id)
    if record.claim is not None:
        message = f"{session_id} took {record.ticket} offline, and that is not confirmed"
        raise SessionNotSuspended(message, hint="exo sync asks for its lease; then resume", session=session_id)
    return _Meant(record, live)


def _of(view: View, live: LiveSession) -> _Meant:
    record = session_facts.record_of(view, live)
    if record is None or record.claim is not None:
        message = f"{live.session} took {live.ticket} offline, and that is not confirmed"
        raise SessionNotSuspended(message, hint="exo sync asks for its lease; then resume", session=live.session)
    return _Meant(record, live)


def _check_place(ctx: Context, wish: Wish, found: _Meant) -> None:
    """Raise WorktreeMismatch where the session was suspended elsewhere, unless that is meant."""
    paused = found.record.interruption
    if wish.here or paused is None:
        return
    name = found.record.id
    if found.live is None:
        message = f"{name} was suspended in another clone"
        raise WorktreeMismatch(message, session=name)
    if found.live.worktree != str(session_facts.worktree_of(ctx)):
        message = f"{name} was suspended in {found.live.worktree}"
        raise WorktreeMismatch(message, session=name, worktree=found.live.worktree)
    branch = checkout.head(ctx.place).branch
    if branch != paused.branch:
        was, now = paused.branch or "no branch", branch or "no branch"
        hint = f"git switch {paused.branch}, or --here" if paused.branch else "--here goes on here"
        message = f"{name} was suspended on {was}, and {now} is checked out"
        raise WorktreeMismatch(message, hint=hint, session=name, branch=paused.branch)


def _already_active(alive: LiveSession) -> SessionAlreadyActive:
    message = f"{alive.session} ({alive.actor}) is at work on {alive.ticket} in this worktree"
    return SessionAlreadyActive(message, session=alive.session, ticket=alive.ticket, actor=alive.actor)


def _aim(ctx: Context, view: View, wish: Wish, found: _Meant, verdict: Verdict) -> Aim:
    worktree, record = session_facts.worktree_of(ctx), found.record
    head, now = checkout.head(ctx.place), ctx.boot_clock()
    ttl = lease_terms.ttl_seconds(view.config().leases, wish.ttl, wish.hours)
    live = LiveSession(
        session=record.id,
        ticket=record.ticket,
        actor=record.actor,
        state="active",
        worktree=str(worktree),
        process=ancestry.agent_ancestor(),
        boot_id=now.boot_id,
        heartbeat=now.seconds,
        dirty=_dirty(ctx, found),
    )

    def rule(now_view: View, ticket: TicketId, grant: Grant) -> Outcome:
        # Looked at again under the clone's lock: of two that begin at once in one worktree the second is refused.
        other = session_facts.at_work(ctx, now_view, worktree, apart_from=record.id)
        if other is not None:
            return refused(_already_active(other))
        kept = handoffs.refusal(now_view, ticket, record.actor, ctx.now)
        if kept is not None:
            return refused(kept)
        return interrupting.resume(now_view, ticket, grant, Part(head.branch, head.commit), verdict=verdict)

    return Aim(Terms(record.id, Actor(record.actor), ttl, head.branch), live, rule)


def _dirty(ctx: Context, found: _Meant) -> dict[str, str]:
    """Return what was changed before the session began; in another checkout that is what is changed there now."""
    worktree = session_facts.worktree_of(ctx)
    if found.live is not None and found.live.worktree == str(worktree):
        return found.live.dirty
    return checkout.contents_of(worktree, checkout.waiting(worktree)[: live_sessions.DIRTY_MAX])


def _gone_on(ctx: Context, view: View, wish: Wish, found: _Meant, came: Exchanged) -> SessionResumed:
    """Go on with a session that is at work here: put its saved work back, and tell what there is to know again."""
    worktree, live, record = session_facts.worktree_of(ctx), found.live, found.record
    if not record.suspensions or live is None or live.worktree != str(worktree):
        raise interrupting.not_suspended(record.id, record)
    ctx.caller = Caller(Actor(record.actor), record.id)
    work: SavedWork | None = session_saving.fitting(ctx, record) if wish.pop else None
    if work is not None and not ctx.dry_run:
        session_saving.put_back(ctx, record, work)
    known = live if ctx.dry_run else session_facts.beat(ctx, live)
    return _result(ctx, wish, Claimed(view, known, record.ticket), came, restored=work is not None)


def _result(ctx: Context, wish: Wish, claimed: Claimed, exchanged: Exchanged, *, restored: bool) -> SessionResumed:
    session = session_facts.record_of(claimed.view, claimed.live)
    if session is None:
        raise _vanished(claimed)
    waits = None if restored and not ctx.dry_run else saved_work.read(ctx.repository, session.id)
    tokens = claimed.view.config().bootstrap.max_tokens // SHORTER if wish.tokens is None else wish.tokens
    told = session_brief.brief(ctx, claimed.view, session, claimed.live, Wanted(tokens))
    path = None if ctx.dry_run else str(prompt.write_bootstrap(ctx.governed, session.id, told.text))
    return SessionResumed(
        session=session_shown.shown(session),
        lease=lease_shown.shown(ctx, claimed.live),
        bootstrap_path=path,
        bootstrap_prompt=told.text,
        advisories=told.advisories,
        restored=restored,
        saved_ref=saved_work.ref_of(session.id) if waits is not None else None,
        sync=exchanged,
    )


def _vanished(claimed: Claimed) -> ExoError:
    message = f"what {claimed.live.session} wrote about {claimed.ticket} does not count: its lease was overtaken"
    return SessionFenced(message, ticket=claimed.ticket, session=claimed.live.session)
