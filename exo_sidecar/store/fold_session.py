"""The fold of one session: its events in fold order to its record. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from exo_sidecar.model.event import SessionFinished, SessionReserved, SessionStarted
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.store.entry import Entry


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
            )
        case SessionFinished() as finished if record is not None and record.status != "finished":
            return replace(record, status="finished", finished_at=event.at, finish=finished.finish)
        case _:
            return record
