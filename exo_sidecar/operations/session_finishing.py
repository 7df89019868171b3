"""How a session finishes: lease confirmed, memento written, ticket moved, lease released together with the push."""

from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec.structs import replace

from exo_sidecar.domain import auditing, sessions, wording
from exo_sidecar.domain.provisional import lost
from exo_sidecar.domain.sessions import Ending, SessionNotActive
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.host import checkout, live_sessions
from exo_sidecar.host.caller import require_clear
from exo_sidecar.model.check_run import Verify
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.manifest import Resolution
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import Finish, OfflineClaim, SessionMode, SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import ending as unconfirmed
from exo_sidecar.operations import (
    exchange,
    giving_back,
    policy_keeping,
    reconciling,
    session_checks,
    session_commits,
    session_drift,
    session_facts,
    session_requirements,
    session_saving,
)
from exo_sidecar.operations.checking import CheckShown
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.policy_keeping import PolicyShown
from exo_sidecar.operations.registry import Result
from exo_sidecar.operations.session_checks import PassedOver
from exo_sidecar.operations.session_commits import InheritedShown
from exo_sidecar.operations.session_drift import DriftShown, Measured
from exo_sidecar.store import layout

_HANDED_OVER: Final = frozenset({"review", "done"})
"""Statuses that others rely on."""


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
    drift_threshold: float | None = None
    over: PassedOver = PassedOver(wanted=False, reason=None)


class SessionFinished(Result, frozen=True, kw_only=True):
    """A session that ended."""

    session_id: SessionId
    ticket_id: TicketId
    ticket_status: str
    commits: tuple[str, ...]
    uncommitted: tuple[str, ...]
    """Files that the session leaves changed and not committed."""
    verify: Verify | None
    """How the work was verified; None: a session whose claim was lost is not asked."""
    checks: tuple[CheckShown, ...] = ()
    drift: DriftShown
    inherited: InheritedShown | None = None
    """Commits on its branch that are not its own; None: there are none, or it could not be told."""
    requirements: Resolution | None = None
    """What became of the requirements that its ticket's links name; None: they name none, or nobody could tell."""
    memento_path: str | None
    """Below the mount of the governance branch; None while the session's claim is provisional, or was lost."""
    released_lease: bool
    mode: SessionMode = "work"
    """An audit had no lease, and its ticket is where it was."""
    provisional: bool = False
    """Whether the ticket was taken offline and that is not confirmed: what was written counts once it is."""
    policy: PolicyShown | None = None
    """None: a session whose claim was lost is not asked."""
    sync: Exchanged


class Manner(NamedTuple):
    """How a session ends: in order, or by handing its ticket on."""

    operation: str = "session-finish"
    rule: Callable[[View, SessionId, Ending], Outcome] = sessions.finish


_IN_ORDER: Final = Manner()


def finish(ctx: Context, wish: Wish, manner: Manner = _IN_ORDER) -> SessionFinished:
    """Finish the caller's session."""
    reconciling.settle(ctx, manner.operation)
    if ctx.claim is not None and ctx.claim.lost is not None:
        return _finish_lost(ctx, wish, ctx.claim)
    view = ctx.view()
    ticket = view.find_ticket(wish.ticket).id if wish.ticket else None
    session = meant(ctx, view, ticket)
    if session.is_audit:
        return _finish_audit(ctx, view, session, wish, manner)
    record = view.ticket(session.ticket)
    status = record.ticket.status if record and wish.status == sessions.KEEP else wish.status
    measured = session_drift.measure(ctx, view, session)
    said = _said(ctx, wish, status, measured)
    ending = Ending(said, wish.status, _passage("reason", wish.reason), ticket)
    ending = ending._replace(release=not wish.keep_lease)
    # Asked before the network is and before any check runs: a malformed wish should cost neither.
    passed_over = session_checks.ask(ctx, wish.over, wish.status)
    early = manner.rule(view, session.id, ending._replace(shown=Shown(is_assumed=True)))
    if early.refusal is not None:
        raise early.refusal
    desk = LeaseDesk(ctx, manner.operation)
    if not ctx.dry_run:
        giving_back.confirm(ctx, desk, session)
    verified = session_checks.verify(ctx, view, session, passed_over, wish.status)
    if verified.checks:  # they may have written files
        measured = session_drift.measure(ctx, view, session)
        said = _said(ctx, wish, status, measured)
    drift = session_drift.told(ctx, view, measured.drift, wish.status, wish.drift_threshold)
    policy = policy_keeping.at_finish(ctx, hands_over=wish.status in _HANDED_OVER)
    requirements = session_requirements.traced(ctx, session)
    said = replace(session_commits.noted(ctx, view, session, measured, said), requirements=requirements)
    ending = ending._replace(finish=said)
    ending = verified.ending(ending, warnings=ctx.warnings, by_person=ctx.is_person)
    provisional = session.claim is not None
    with unconfirmed.noted(ctx, session, gives_back=ending.release or provisional):
        after = ctx.transact(lambda now: manner.rule(now, session.id, ending))
    let_go = giving_back.hand_back(ctx, desk, session, release=ending.release)
    unconfirmed.forget(ctx, session, confirmed=let_go.confirmed)
    session_saving.tell_left(ctx, session)
    moved = after.ticket(session.ticket)
    return SessionFinished(
        session_id=session.id,
        ticket_id=session.ticket,
        ticket_status=moved.ticket.status if moved else status,
        commits=ending.finish.commits,
        uncommitted=ending.finish.uncommitted,
        verify=verified.verify,
        checks=verified.checks,
        drift=drift,
        inherited=session_commits.shown(ending.finish.inherited),
        requirements=requirements,
        memento_path=None if provisional else layout.memento_path(session.id),
        released_lease=let_go.released,
        provisional=provisional,
        policy=policy,
        sync=let_go.sync,
    )


def _finish_audit(ctx: Context, view: View, session: SessionRecord, wish: Wish, manner: Manner) -> SessionFinished:
    """End an audit: its words, and nothing else. No lease, no checks, no move."""
    if manner is not _IN_ORDER:
        raise sessions.only_looks_on(session)
    named = view.find_ticket(wish.ticket).id if wish.ticket else None
    ticket = view.ticket(session.ticket)
    status = str(ticket.ticket.status) if ticket else sessions.KEEP
    measured = session_drift.untouched(view, session)
    said = replace(_said(ctx, wish, status, measured), drift=None)
    policy = policy_keeping.at_finish(ctx, hands_over=False)
    said = session_commits.noted(ctx, view, session, measured, said)
    if not said.artifacts:
        ctx.warn("AUDIT_WITHOUT_ARTIFACT", "the audit leaves nothing to read but its summary: --artifact PATH")
    writer = auditing.last_writer(view, session.ticket)
    if writer is not None and auditing.is_same_model(session, writer):
        ctx.warn("AUDIT_BY_WRITERS_MODEL", f"the audit ran on {session.model}, as did {writer.id}, whose work it is")
    ending = Ending(replace(said, warnings=session_checks.warned(ctx.warnings)), sessions.KEEP, None, named)
    ctx.transact(lambda now: auditing.finish(now, session.id, ending))
    unconfirmed.forget(ctx, session, confirmed=True)
    return SessionFinished(
        session_id=session.id,
        ticket_id=session.ticket,
        ticket_status=status,
        commits=(),
        uncommitted=(),
        verify=None,
        drift=session_drift.shown(measured.drift, view.config().drift.threshold),
        memento_path=layout.memento_path(session.id),
        released_lease=False,
        mode="audit",
        policy=policy,
        sync=exchange.skipped("dry run") if ctx.dry_run else exchange.push(ctx),
    )


def _finish_lost(ctx: Context, wish: Wish, claim: OfflineClaim) -> SessionFinished:
    """End a session here whose claim was not confirmed: its words stay in the ticket's history and move nothing."""
    record = ctx.view().offline_session(claim.session)
    if record is None:
        live_sessions.remove(ctx.place.common, claim.session)
        raise lost(claim)
    measured = session_drift.measure(ctx, ctx.view(), record)
    ending = Ending(_said(ctx, wish, sessions.KEEP, measured), sessions.KEEP, release=False)
    view = ctx.transact(lambda now: sessions.finish(now, claim.session, ending))
    if not ctx.dry_run:
        live_sessions.remove(ctx.place.common, claim.session)
    session_saving.tell_left(ctx, record)
    ctx.warn("CLAIM_LOST", f"{claim.session} is ended here; it did not hold {claim.ticket}: {claim.lost}")
    ticket = view.ticket(claim.ticket)
    return SessionFinished(
        session_id=claim.session,
        ticket_id=claim.ticket,
        ticket_status=ticket.ticket.status if ticket else sessions.KEEP,
        commits=ending.finish.commits,
        uncommitted=ending.finish.uncommitted,
        verify=None,
        drift=session_drift.told(ctx, view, measured.drift, sessions.KEEP, wish.drift_threshold),
        memento_path=None,
        released_lease=False,
        provisional=True,
        sync=exchange.push(ctx),
    )


def meant(ctx: Context, view: View, ticket: TicketId | None) -> SessionRecord:
    """Return the session that is meant: the caller's, else this worktree's only one on the ticket named."""
    session_id = require_clear(ctx.caller).session
    if session_id is None and ticket is not None:
        living = session_facts.on_ticket(session_facts.living(ctx, view, "active"), ticket)
        own = [live for live in living if live.actor == ctx.caller.actor]
        session_id = own[0].session if len(own) == 1 else None
    if session_id is None:
        raise none_at_work(ctx, view)
    ctx.check_at_work_here()
    record = view.session(session_id)
    if record is None:
        message = f"there is no session {session_id}"
        raise SessionNotActive(message, session=session_id)
    return record


def none_at_work(ctx: Context, view: View) -> SessionNotActive:
    """Return the refusal for a caller without a session; one whose end nobody else knows yet is named."""
    message = f"{ctx.caller.actor} has no session at work here"
    for live in session_facts.unconfirmed(ctx, view):
        if live.actor == ctx.caller.actor:
            ended = f"{message}: {live.session} on {live.ticket} has ended, and others have not heard of it"
            return SessionNotActive(ended, hint="exo sync tells them", session=live.session)
    return SessionNotActive(message)


def _said(ctx: Context, wish: Wish, status: str, measured: Measured) -> Finish:
    head = checkout.head(ctx.place)
    commits, uncommitted = session_drift.left_behind(measured)
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
        drift=measured.drift,
    )


def _passage(name: str, text: str | None) -> str | None:
    return wording.passage(name, text) or None if text is not None else None
