"""Sessions: how one is reserved, starts, gives its ticket back and finishes (docs/guides/sessions.md).

The lease is won before any of these rules is asked; what they decide is what the ledger is told. The order of events
matters: `lease.acquired` comes first, because whatever a holder writes counts only after it.
"""

from typing import Final, NamedTuple

from exo_sidecar.domain import blockers, hierarchy, holding, moves, reflections
from exo_sidecar.domain.holding import Holding, Standing
from exo_sidecar.domain.moves import Ask, TicketClosed
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.kernel.open_session import open_session
from exo_sidecar.kernel.seal_result import seal_result
from exo_sidecar.model.actor import Actor, is_agent
from exo_sidecar.model.errors import ExoError, Refused, Usage
from exo_sidecar.model.event import (
    Draft,
    LeaseReleased,
    SessionFinished,
    SessionReserved,
    SessionStarted,
)
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.hierarchy import CONTAINERS
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.opening import Grant, Opening, Work
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.session import Finish, SessionRecord
from exo_sidecar.model.ticket import SETTLED_FIRST, TicketRecord
from exo_sidecar.model.view import View

KEEP: Final = "keep"
UNSTARTED_SUMMARY: Final = "Reserved, and given back before it was started."
_NEXT_TAKES: Final = frozenset({Status.TODO, Status.ACTIVE, Status.PAUSED, Status.REVIEW})
"""Statuses from which `next --ticket-id` may take a ticket; `session-start` may also take a blocked one."""


class TicketNotReady(Refused):
    """The ticket cannot be worked on as it stands."""

    code = "TICKET_NOT_READY"
    advice = "exo ticket-show names what it may do next; exo ticket-list --ready shows what can be taken now"


class TicketIsContainer(Refused):
    """Intents and epics are not worked on; their tasks are."""

    code = "TICKET_IS_CONTAINER"
    advice = "take one of its tasks; exo ticket-show --tree lists them"


class TicketBlocked(Refused):
    """The ticket waits for others."""

    code = "TICKET_BLOCKED"


class SessionAlreadyActive(Refused):
    """A session is at work in this worktree already."""

    code = "SESSION_ALREADY_ACTIVE"
    advice = "finish it first (exo session-finish), or work in another worktree"


class SessionNotActive(Refused):
    """There is no session here that could do this."""

    code = "SESSION_NOT_ACTIVE"
    advice = "exo session-start begins one; --session names one"


class SessionTicketMismatch(Refused):
    """The session works on another ticket than the one named."""

    code = "SESSION_TICKET_MISMATCH"
    advice = "leave --ticket-id away, or name the session with --session"


class SessionTicketRequired(Usage):
    """A start needs a ticket, and this worktree has reserved none."""

    code = "SESSION_TICKET_REQUIRED"
    advice = "name one with --ticket-id, or let exo next choose one"


class SummaryRequired(Usage):
    """A session ends with words about what was done."""

    code = "SUMMARY_REQUIRED"
    advice = 'say what was done: --summary "..." (or - to read it from standard input)'


class Ending(NamedTuple):
    """How a session wants to end."""

    finish: Finish
    status: str
    """A status, or KEEP."""
    reason: str | None = None
    ticket: TicketId | None = None
    """The ticket that the caller named, None when it named none."""
    release: bool = True
    shown: Shown = Shown()
    """What its checks showed."""
    ran: ChecksRan | None = None
    """What the ledger is told of them."""


def readiness(view: View, ticket_id: TicketId, *, dispatched: bool) -> ExoError | None:
    """Return why work on the ticket cannot start, None when it can; whether its lease is free is not asked here.

    `dispatched`: asked for `next`, which takes fewer tickets than a start that names its own.
    """
    record = view.ticket(ticket_id)
    if record is None:
        return TicketNotReady(f"there is no ticket {ticket_id}", ticket=ticket_id)
    status = record.ticket.status
    if record.ticket.kind in CONTAINERS:
        return TicketIsContainer(f"{ticket_id} is an {record.ticket.kind}: it holds work for tasks", ticket=ticket_id)
    if status in CLOSED:
        return TicketClosed(f"{ticket_id} is {status}", ticket=ticket_id)
    if status is Status.BACKLOG:
        hint = f"exo ticket-move {ticket_id} todo says that it is ready to be worked"
        return TicketNotReady(f"{ticket_id} is still in the backlog", hint=hint, ticket=ticket_id)
    if dispatched and (status not in _NEXT_TAKES or not record.conflicts.keys().isdisjoint(SETTLED_FIRST)):
        return _not_dispatched(record)
    return _waits(view, record) or _misplaced(view, record)


def reserve(view: View, ticket_id: TicketId, grant: Grant, role: str) -> Outcome:
    """Return the events by which a won lease becomes a reservation; the start that adopts it answers to the policy."""
    refusal = readiness(view, ticket_id, dispatched=True)
    record = view.ticket(ticket_id)
    if refusal is not None or record is None:
        return Outcome(refusal=refusal)
    reserved = SessionReserved(ticket=ticket_id, owner=grant.actor, role=role)
    known, highest = view.session(grant.session), view.highest_epoch(ticket_id)
    return opened(view, record, Opening(ticket_id, grant, reserved, known, highest), "next")


def start(view: View, ticket_id: TicketId, grant: Grant, work: Work, *, verdict: Verdict) -> Outcome:
    """Return the events by which a session begins to work under a won lease, or adopts its own reservation.

    `verdict`: how the policy stands, as `verify_governance` says.
    """
    refusal = readiness(view, ticket_id, dispatched=False)
    record = view.ticket(ticket_id)
    if refusal is not None or record is None:
        return Outcome(refusal=refusal)
    known = view.session(grant.session)
    is_over = known is not None and known.status not in holding.LIVING
    is_new = known is None or known.status == "reserved"
    opening = Opening(
        ticket_id,
        grant,
        SessionStarted(ticket=ticket_id, **work._asdict()) if is_new else None,
        known,
        view.highest_epoch(ticket_id),
        obstacle=not_active(known) if known is not None and is_over else None,
        verdict=verdict,
    )
    return opened(view, record, opening, "session-start")


def opened(view: View, record: TicketRecord, opening: Opening, operation: str) -> Outcome:
    """Return the events by which a session comes to work on a ticket, and the ticket's move to `active`."""
    outcome = open_session(opening)
    return outcome if outcome.refusal else outcome + activated(view, record, opening.grant, operation)


def finish(view: View, session_id: SessionId, ending: Ending) -> Outcome:
    """Return the events by which a session ends: its words, the ticket's move, the release of its lease."""
    session = view.session(session_id)
    refusal = _finish_refusal(view, session_id, session, ending)
    if refusal is not None or session is None:
        return Outcome(refusal=refusal)
    record = view.ticket(session.ticket)
    if record is None:
        return refused(TicketNotReady(f"there is no ticket {session.ticket}", ticket=session.ticket))
    standing = standing_of(session)
    moved = _finishing_move(view, record, ending, standing)
    checked = _checked(session, ending.ran)
    if moved.refusal is not None:
        return checked + moved
    learnt = reflections.lesson(record, ending.finish, session.id)
    given_back = released(session) if ending.release else Outcome()
    return checked + _said(session, ending.finish) + moved + learnt + given_back


def give_up(view: View, session_id: SessionId) -> Outcome:
    """Return the events by which a session gives its lease back; a reservation that never started ends with it."""
    session = view.session(session_id)
    if session is None or session.status not in holding.LIVING:
        return Outcome()
    record = view.ticket(session.ticket)
    if session.status == "active" or record is None:
        return released(session)
    ended = Finish(summary=UNSTARTED_SUMMARY, ticket_status=Status.TODO)
    given_back = Outcome()
    if record.ticket.status is Status.ACTIVE:
        ask = Ask(end=Status.TODO, operation="lease-release", reason=UNSTARTED_SUMMARY)
        given_back = moves.give_back(view, record, ask, standing_of(session))
    return _said(session, ended) + Outcome(events=given_back.events) + released(session)


def _not_dispatched(record: TicketRecord) -> TicketNotReady:
    conflicted = [name for name in SETTLED_FIRST if name in record.conflicts]
    if conflicted:
        message = f"{record.id} has several values of {', '.join(conflicted)}, so it is not handed out"
        return TicketNotReady(message, hint=f"exo resolve {record.id} settles them", ticket=record.id)
    why = f"is {record.ticket.status}"
    hint = f"exo session-start --ticket-id {record.id} takes it all the same"
    return TicketNotReady(f"{record.id} {why}, so it is not handed out", hint=hint, ticket=record.id)


def _waits(view: View, record: TicketRecord) -> ExoError | None:
    found = blockers.waiting(view, record.ticket)
    if found is None:
        return None
    return TicketBlocked(found.message, hint=found.hint, ticket=record.id, blockers=found.blockers)


def _misplaced(view: View, record: TicketRecord) -> ExoError | None:
    fault = hierarchy.fault(view, record)
    if fault is None:
        return None
    hint = f"exo ticket-edit {record.id} --parent ID gives it a valid place"
    return TicketNotReady(fault, hint=hint, ticket=record.id)


def _finish_refusal(
    view: View, session_id: SessionId, session: SessionRecord | None, ending: Ending
) -> ExoError | None:
    if session is None:
        return unknown(session_id)
    if session.status != "active":
        return not_active(session)
    if ending.ticket is not None and ending.ticket != session.ticket:
        message = f"{session.id} works on {session.ticket}, not on {ending.ticket}"
        return SessionTicketMismatch(message, session=session.id, ticket=session.ticket)
    if holding.is_overtaken(view, session):
        return holding.session_fenced(session.ticket, session.id)
    if not ending.finish.summary.strip():
        return SummaryRequired(f"{session.id} cannot finish without a summary", session=session.id)
    return None


def unknown(session_id: SessionId) -> SessionNotActive:
    """Return the refusal for a session that the ledger has not."""
    return SessionNotActive(f"there is no session {session_id} in the ledger", session=session_id)


def not_active(session: SessionRecord) -> SessionNotActive:
    """Return the refusal for what only a session at work does."""
    if session.status == "reserved":
        hint = f"exo session-start --ticket-id {session.ticket} starts it; exo lease-release gives it back"
        return SessionNotActive(f"{session.id} is reserved and was never started", hint=hint, session=session.id)
    hint = f"exo session-resume {session.id} goes on with it" if session.status == "suspended" else ""
    if session.status == "finished":
        hint = "exo sync makes sure that others know; exo session-start begins another one"
    return SessionNotActive(f"{session.id} is {session.status}", hint=hint, session=session.id)


def only_looks_on(session: SessionRecord) -> SessionNotActive:
    """Return the refusal for what needs a lease, asked by an audit."""
    message = f"{session.id} is an audit of {session.ticket}: it holds no lease, and has no work of its own"
    return SessionNotActive(message, hint='exo session-finish --summary "findings" ends it', session=session.id)


def _finishing_move(view: View, record: TicketRecord, ending: Ending, standing: Standing) -> Outcome:
    if ending.status == KEEP:
        return Outcome()
    ask = Ask(end=Status(ending.status), operation="session-finish", reason=ending.reason, shown=ending.shown)
    if ask.end is Status.TODO:
        outcome = moves.give_back(view, record, ask, standing)
    else:
        outcome = moves.move(view, record, ask, standing)
    if isinstance(outcome.refusal, moves.TransitionInvalid):
        # The session must be able to end whatever happened to its ticket.
        outcome.refusal.hint = "--set-status keep ends the session and leaves the ticket as it is"
    return outcome


def activated(view: View, record: TicketRecord, grant: Grant, operation: str) -> Outcome:
    """Return the move of the ticket to `active`, unless a reservation or take-over did that, and its containers'."""
    standing = _granted(grant)
    outcome = Outcome()
    if record.ticket.status is not Status.ACTIVE:
        ask = Ask(end=Status.ACTIVE, operation=operation)
        outcome = moves.moved(record, (record.ticket.status, Status.ACTIVE), ask, standing)
    return outcome + moves.containers_start(view, record, operation, standing)


def _said(session: SessionRecord, finish: Finish) -> Outcome:
    data = SessionFinished(ticket=session.ticket, finish=finish, seal=seal_result(session, finish))
    return Outcome(events=(Draft(subject=session.id, data=data, session=session.id, epoch=session.epoch),))


def _checked(session: SessionRecord, ran: ChecksRan | None) -> Outcome:
    if ran is None:
        return Outcome()
    return Outcome(events=(Draft(subject=session.ticket, data=ran, session=session.id, epoch=session.epoch),))


def released(session: SessionRecord) -> Outcome:
    """Return the event by which a session gives its lease back; none where it had none."""
    if session.epoch is None:
        return Outcome()
    data = LeaseReleased(ticket=session.ticket, epoch=session.epoch, session=session.id)
    return Outcome(events=(Draft(subject=session.ticket, data=data, session=session.id, epoch=session.epoch),))


def _granted(grant: Grant) -> Standing:
    held = Holding(grant.session, grant.actor, grant.epoch)
    return Standing(grant.actor, grant.session, human=not is_agent(grant.actor), holding=held)


def standing_of(session: SessionRecord) -> Standing:
    """Return how a session that holds its ticket stands to it."""
    actor = Actor(session.actor)
    held = Holding(session.id, session.actor, session.epoch)
    return Standing(actor, session.id, human=not is_agent(actor), holding=held)
