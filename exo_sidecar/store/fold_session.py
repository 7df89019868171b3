"""The fold of one session: its events in fold order to its record. Pure."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from exo_sidecar.model.event import SessionFinished, SessionReserved, SessionStarted
from exo_sidecar.model.event_sessions import SessionEvicted, SessionHandedOff, SessionResumed, SessionSuspended
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.session import SessionRecord, Suspension
from exo_sidecar.store.entry import Entry

SUSPENSIONS_MAX: Final = 100
"""The latest interruptions that a record keeps; the ledger has them all."""


def fold_session(session_id: SessionId, entries: Sequence[Entry]) -> SessionRecord | None:
    """Return the session's record, None while no event has reserved or started it."""
    record: SessionRecord | None = None
    for entry in entries:
        record = _apply(session_id, record, entry)
    return record


def _apply(session_id: SessionId, record: SessionRecord | None, entry: Entry) -> SessionRecord | None:
    event = entry.event
    match entry.data:
        case SessionReserved() as reserved if record is None:
            return SessionRecord(
                id=session_id,
                ticket=reserved.ticket,
                actor=reserved.owner,
                status="reserved",
                clone=entry.name.writer,
                epoch=entry.epoch or None,
                role=reserved.role,
            )
        case SessionStarted() as started if record is None or record.status == "reserved":
            return SessionRecord(
                id=session_id,
                ticket=started.ticket,
                actor=event.actor,
                status="active",
                clone=entry.name.writer,
                epoch=entry.epoch or None,
                role=started.role,
                vendor=started.vendor,
                model=started.model,
                context_window=started.context_window,
                task=started.task,
                branch=started.branch,
                base=started.base,
                started_at=event.at,
                policy=event.policy,
                mode=started.mode,
            )
        case SessionFinished() as finished if record is not None and record.status != "finished":
            ended = replace(record, status="finished", finished_at=event.at, finish=finished.finish, seal=finished.seal)
            return replace(ended, policy=event.policy)
        case SessionHandedOff() as handed if record is not None and record.status != "finished":
            ended = replace(record, status="finished", finished_at=event.at, finish=handed.finish, seal=handed.seal)
            return replace(ended, handoff=handed.handoff, policy=event.policy)
        case SessionEvicted() as evicted if record is not None and record.status != "finished":
            ended = replace(record, status="finished", finished_at=event.at, finish=evicted.finish, seal=evicted.seal)
            return replace(ended, evicted=evicted.reason, last_heartbeat=evicted.last_heartbeat)
        case SessionSuspended() as suspended if record is not None and record.status == "active":
            return _suspended(replace(record, policy=event.policy), suspended, event.at)
        case SessionResumed() as resumed if record is not None and record.status == "suspended":
            return _resumed(record, resumed, entry)
        case _:
            return record


def _suspended(record: SessionRecord, suspended: SessionSuspended, at: str) -> SessionRecord:
    interruption = Suspension(
        at=at,
        reason=suspended.reason,
        previous_status=suspended.previous_status,
        keeps_lease=suspended.keeps_lease,
        branch=suspended.branch,
        head=suspended.head,
        saved=suspended.saved,
        uncommitted=suspended.uncommitted,
    )
    return replace(record, status="suspended", suspensions=(*record.suspensions, interruption)[-SUSPENSIONS_MAX:])


def _resumed(record: SessionRecord, resumed: SessionResumed, entry: Entry) -> SessionRecord:
    *before, last = record.suspensions
    ended = replace(last, resumed_at=entry.event.at)
    return replace(
        record,
        status="active",
        clone=entry.name.writer,
        epoch=entry.epoch or None,
        branch=resumed.branch,
        part_base=resumed.base,
        suspensions=(*before, ended),
    )
