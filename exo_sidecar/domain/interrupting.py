"""Interruptions: how a session is suspended, and how it goes on (docs/guides/sessions.md).

A suspended session keeps its id, its first base and its history; what it gives back is the ticket's lease, unless it
says otherwise. To go on it takes the lease again, at a higher epoch.
"""

from typing import NamedTuple

from exo_sidecar.domain import holding, moves, sessions
from exo_sidecar.domain.moves import Ask
from exo_sidecar.domain.sessions import SessionTicketMismatch
from exo_sidecar.model.errors import ExoError, Refused
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_sessions import SessionResumed, SessionSuspended
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.opening import Grant, Opening
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View


class SessionNotSuspended(Refused):
    """There is no suspended session here that could go on."""

    code = "SESSION_NOT_SUSPENDED"
    advice = "exo session-scan lists the sessions of this clone; exo session-start begins one"


class WorktreeMismatch(Refused):
    """The session was suspended in another worktree, on another branch or in another clone."""

    code = "WORKTREE_MISMATCH"
    advice = "go there, or say --here to go on in this checkout as it is"


class Interruption(NamedTuple):
    """What is said when a session is suspended."""

    reason: str
    branch: str | None = None
    head: str | None = None
    saved: str | None = None
    """The commit that holds the work that is taken out of the checkout."""
    uncommitted: tuple[str, ...] = ()
    ticket: TicketId | None = None
    """The ticket that the caller named, None when it named none."""
    release: bool = True
    fenced: bool = False
    """Whether the lease is known to be another's, also where the ledger has not heard of it yet."""


class Part(NamedTuple):
    """Where a session goes on."""

    branch: str | None = None
    base: str | None = None


def refusal(view: View, session_id: SessionId, ticket: TicketId | None) -> ExoError | None:
    """Return why the session cannot be suspended, None when it can; one that was overtaken can."""
    session = view.session(session_id)
    if session is None:
        return sessions.unknown(session_id)
    if session.status != "active":
        return sessions.not_active(session)
    if session.is_audit:
        return sessions.only_looks_on(session)
    if ticket is not None and ticket != session.ticket:
        message = f"{session.id} works on {session.ticket}, not on {ticket}"
        return SessionTicketMismatch(message, session=session.id, ticket=session.ticket)
    return None


def suspend(view: View, session_id: SessionId, said: Interruption) -> Outcome:
    """Return the events by which a session is interrupted: its words, the ticket's move, the release of its lease.

    A session that was overtaken says no more than that it pauses, and under no token: the ticket is another's.
    """
    refused_for = refusal(view, session_id, said.ticket)
    session = view.session(session_id)
    record = view.ticket(session.ticket) if session else None
    if refused_for is not None or session is None or record is None:
        return Outcome(refusal=refused_for or sessions.SessionNotActive(f"{session_id} has no ticket any more"))
    overtaken = said.fenced or holding.is_overtaken(view, session)
    data = SessionSuspended(
        ticket=session.ticket,
        reason=said.reason,
        previous_status=str(record.ticket.status),
        keeps_lease=not said.release and not overtaken,
        branch=said.branch,
        head=said.head,
        saved=said.saved,
        uncommitted=said.uncommitted,
    )
    epoch = None if overtaken else session.epoch
    outcome = Outcome(events=(Draft(subject=session.id, data=data, session=session.id, epoch=epoch),))
    if overtaken:
        return outcome
    if record.ticket.status is Status.ACTIVE:
        ask = Ask(end=Status.PAUSED, operation="session-suspend", reason=said.reason)
        pair = (Status.ACTIVE, Status.PAUSED)
        outcome += moves.moved(record, pair, ask, sessions.standing_of(session))
    return outcome + (sessions.released(session) if said.release else Outcome())


def resume(view: View, ticket_id: TicketId, grant: Grant, part: Part, *, verdict: Verdict) -> Outcome:
    """Return the events by which a suspended session goes on under a lease that was won for it.

    `verdict`: how the policy stands, as `verify_governance` says.
    """
    refused_for = sessions.readiness(view, ticket_id, dispatched=False)
    record, session = view.ticket(ticket_id), view.session(grant.session)
    if refused_for is not None or record is None:
        return Outcome(refusal=refused_for)
    if session is None or session.status != "suspended":
        return refused(not_suspended(grant.session, session))
    data = SessionResumed(ticket=ticket_id, branch=part.branch, base=part.base)
    opening = Opening(ticket_id, grant, data, session, view.highest_epoch(ticket_id), verdict=verdict)
    return sessions.opened(view, record, opening, "session-resume")


def not_suspended(session_id: SessionId, session: SessionRecord | None) -> SessionNotSuspended:
    """Return the refusal that says what the session is instead."""
    what = f"is {session.status}" if session is not None else "is in no record"
    return SessionNotSuspended(f"{session_id} {what}", session=session_id)
