"""Evictions: a session that gives no sign of life is ended by its own clone, and its ticket is free again. Pure."""

from typing import NamedTuple

from exo_sidecar.domain import holding, moves, sessions
from exo_sidecar.domain.moves import Ask
from exo_sidecar.kernel.seal_result import seal_result
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_sessions import SessionEvicted
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.session import Finish
from exo_sidecar.model.view import View

OPERATION = "session-cleanup"


class Eviction(NamedTuple):
    """What is said of a session that is ended from outside."""

    reason: str
    finish: Finish
    """What is known of its work."""
    last_heartbeat: str | None = None
    fenced: bool = False
    """Whether its lease is known to be another's, also where the ledger has not heard of it yet."""


def evict(view: View, session_id: SessionId, said: Eviction) -> Outcome:
    """Return the events by which a session is ended: its memento, the ticket's way back, the release of its lease.

    Of one that was overtaken, or that only looked on, nothing is said about the ticket: that is another's.
    """
    session = view.session(session_id)
    if session is None:
        return refused(sessions.unknown(session_id))
    if session.status not in holding.LIVING:
        return refused(sessions.not_active(session))
    is_apart = session.is_audit or said.fenced or holding.is_overtaken(view, session)
    epoch = None if is_apart else session.epoch
    data = SessionEvicted(
        ticket=session.ticket,
        reason=said.reason,
        last_heartbeat=said.last_heartbeat,
        finish=said.finish,
        seal=seal_result(session, said.finish),
    )
    outcome = Outcome(events=(Draft(subject=session.id, data=data, session=session.id, epoch=epoch),))
    record = view.ticket(session.ticket)
    if is_apart or record is None:
        return outcome
    if record.ticket.status is Status.ACTIVE:
        ask, standing = Ask(end=Status.TODO, operation=OPERATION, reason=said.reason), sessions.standing_of(session)
        for pair in ((Status.ACTIVE, Status.PAUSED), (Status.PAUSED, Status.TODO)):
            outcome += moves.moved(record, pair, ask, standing)
    return outcome + sessions.released(session)
