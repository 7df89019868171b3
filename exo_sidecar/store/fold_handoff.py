"""The fold of one handoff: its events in fold order to its record. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from exo_sidecar.model.event_sessions import HandoffConsumed, HandoffCreated
from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.store.entry import Entry


def fold_handoff(handoff_id: str, entries: Sequence[Entry]) -> HandoffRecord | None:
    """Return the handoff's record, None while no event has made it; whoever took it first has it."""
    record: HandoffRecord | None = None
    for entry in entries:
        record = _apply(handoff_id, record, entry)
    return record


def _apply(handoff_id: str, record: HandoffRecord | None, entry: Entry) -> HandoffRecord | None:
    event = entry.event
    match entry.data:
        case HandoffCreated() as created if record is None:
            return HandoffRecord(
                id=handoff_id,
                ticket=created.ticket,
                session=created.session,
                actor=event.actor,
                created_at=event.at,
                content=created.content,
            )
        case HandoffConsumed() as consumed if record is not None and record.taken_by is None:
            if consumed.ticket != record.ticket:
                return record
            late = consumed.late_by_seconds
            return replace(record, taken_by=consumed.session, taken_at=event.at, late_by_seconds=late)
        case _:
            return record
