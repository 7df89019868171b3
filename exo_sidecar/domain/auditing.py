"""Audits: sessions that look on beside whoever works (docs/guides/sessions.md, "Audits").

An audit holds no lease, moves no ticket and changes no file, so it may begin whatever the ticket's status is and
whoever holds it. Its events carry no token: nothing of a lease depends on them.
"""

from typing import Final

from exo_sidecar.domain import reflections, sessions
from exo_sidecar.domain.sessions import Ending, SessionTicketMismatch, SummaryRequired, TicketNotReady
from exo_sidecar.kernel.seal_result import seal_result
from exo_sidecar.model.event import Draft, SessionFinished, SessionStarted
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.opening import Work
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View

_EARLIER_MAX: Final = 50
"""Sessions of a ticket that are looked through for the last that worked."""
_UNKNOWN: Final = "unknown"


def start(view: View, ticket_id: TicketId, session_id: SessionId, work: Work) -> Outcome:
    """Return the event by which an audit begins."""
    if view.ticket(ticket_id) is None:
        return refused(TicketNotReady(f"there is no ticket {ticket_id}", ticket=ticket_id))
    data = SessionStarted(ticket=ticket_id, mode="audit", **work._asdict())
    return Outcome(events=(Draft(subject=session_id, data=data, session=session_id),))


def finish(view: View, session_id: SessionId, ending: Ending) -> Outcome:
    """Return the events by which an audit ends: its words, and the lesson that it tells."""
    session = view.session(session_id)
    if session is None:
        return refused(sessions.unknown(session_id))
    if session.status != "active":
        return refused(sessions.not_active(session))
    if ending.ticket is not None and ending.ticket != session.ticket:
        message = f"{session.id} looks on at {session.ticket}, not at {ending.ticket}"
        return refused(SessionTicketMismatch(message, session=session.id, ticket=session.ticket))
    if not ending.finish.summary.strip():
        return refused(SummaryRequired(f"{session.id} cannot finish without a summary", session=session.id))
    seal = seal_result(session, ending.finish)
    data = SessionFinished(ticket=session.ticket, finish=ending.finish, seal=seal)
    ended = Outcome(events=(Draft(subject=session.id, data=data, session=session.id),))
    record = view.ticket(session.ticket)
    return ended if record is None else ended + reflections.lesson(record, ending.finish, session.id)


def last_writer(view: View, ticket_id: TicketId) -> SessionRecord | None:
    """Return the last session that began to work on the ticket, audits left out; None when none did."""
    found = view.sessions(ticket=ticket_id, limit=_EARLIER_MAX)
    return next((each for each in found if not each.is_audit), None)


def is_same_model(audit: SessionRecord, writer: SessionRecord | None) -> bool:
    """Whether an audit ran on the model whose work it looked at, as far as both said what they run on."""
    if writer is None or _UNKNOWN in {audit.model, writer.model}:
        return False
    one, other = (each.model.casefold() for each in (audit, writer))
    vendors = {each.vendor.casefold() for each in (audit, writer)}
    return one == other and (len(vendors) == 1 or _UNKNOWN in vendors)
