"""The fold of one learning: its events in fold order to its record. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from exo_sidecar.model.event import Event
from exo_sidecar.model.event_memory import ReflectionDismissed, ReflectionRecorded
from exo_sidecar.model.reflection import SEVERITIES, ReflectionRecord
from exo_sidecar.store.entry import Entry


def fold_reflection(reflection_id: str, entries: Sequence[Entry]) -> ReflectionRecord | None:
    """Return the learning's record, None while nobody has recorded it.

    Whoever was first stays its author, the latest words stand, and the gravest severity that anybody gave it.
    """
    record: ReflectionRecord | None = None
    for entry in entries:
        record = _apply(reflection_id, record, entry)
    return record


def _apply(reflection_id: str, record: ReflectionRecord | None, entry: Entry) -> ReflectionRecord | None:
    match entry.data:
        case ReflectionRecorded() as said if record is None:
            return _first(reflection_id, said, entry.event)
        case ReflectionRecorded() as said if record is not None:
            return replace(
                record,
                pattern=said.pattern,
                insight=said.insight,
                severity=min(record.severity, said.severity, key=SEVERITIES.index),
                kind=said.kind,
                tags=tuple(sorted({*record.tags, *said.tags})),
                count=record.count + 1,
                dismissed_by=None,
                dismissed_at=None,
                dismissed_reason=None,
            )
        case ReflectionDismissed() as why if record is not None and record.is_active:
            event = entry.event
            return replace(record, dismissed_by=event.actor, dismissed_at=event.at, dismissed_reason=why.reason)
        case _:
            return record


def _first(reflection_id: str, said: ReflectionRecorded, event: Event) -> ReflectionRecord:
    return ReflectionRecord(
        id=reflection_id,
        pattern=said.pattern,
        insight=said.insight,
        severity=said.severity,
        scope=said.scope,
        kind=said.kind,
        tags=tuple(sorted(set(said.tags))),
        actor=event.actor,
        session=event.session,
        at=event.at,
    )
