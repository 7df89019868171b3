"""History: the events about a record, as reports show them."""

import sqlite3
from typing import Final

from msgspec import UNSET

from exo_sidecar.model.check_run import Verified
from exo_sidecar.model.event import (
    Data,
    DocumentEdited,
    EventRedacted,
    LeaseAcquired,
    LeaseExpired,
    LeaseLost,
    LeaseReleased,
    LeaseTakenOver,
    SessionFinished,
    SessionReserved,
    SessionStarted,
    TicketCreated,
    TicketEdited,
    TicketMoved,
    TicketNoted,
    TicketRefused,
)
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.event_memory import ReflectionDismissed, ReflectionRecorded
from exo_sidecar.model.event_plans import SpecRecorded
from exo_sidecar.model.event_policy import PolicyAccepted, PolicyCompiled, PolicySealed, PolicyTampered
from exo_sidecar.model.event_pushes import PushGuarded, SyncRewritten
from exo_sidecar.model.event_sessions import (
    HandoffConsumed,
    HandoffCreated,
    SessionEvicted,
    SessionHandedOff,
    SessionResumed,
    SessionSuspended,
)
from exo_sidecar.model.session import model_of
from exo_sidecar.model.ticket import SCALARS, SETS
from exo_sidecar.model.view import HistoryEntry
from exo_sidecar.store import codec

_SHORT: Final = 100


def entries(db: sqlite3.Connection, subject: str, *, limit: int) -> tuple[HistoryEntry, ...]:
    """Return the last `limit` events whose subject, or whose lease, is the record's, in fold order."""
    rows = db.execute(
        "SELECT writer, seq, line, form, token FROM events WHERE subject = ?1 OR ticket = ?1"
        " ORDER BY depth DESC, writer DESC, seq DESC LIMIT ?2",
        (subject, limit),
    ).fetchall()
    return tuple(_entry(*row) for row in reversed(rows))


def last_guard(db: sqlite3.Connection) -> str | None:
    """Return how the guarded push that came here last was guarded; None when there was none."""
    row = db.execute(
        "SELECT line FROM events WHERE type = 'push.guarded' AND form IS NULL ORDER BY id DESC LIMIT 1"
    ).fetchone()
    data = codec.decode_data(codec.trusted(row[0])) if row else None
    return data.guard if isinstance(data, PushGuarded) else None


def last_checks(db: sqlite3.Connection, subject: str, claim: str = "") -> Verified | None:
    """Return the last run of the subject's checks that counts, or that counts once `claim` is confirmed."""
    row = db.execute(
        "SELECT line FROM events WHERE subject = ? AND type = 'check.ran' AND form IS NULL"
        " AND (token IS NULL OR claim = ?) ORDER BY depth DESC, writer DESC, seq DESC LIMIT 1",
        (subject, claim),
    ).fetchone()
    event = codec.trusted(row[0]) if row else None
    data = codec.decode_data(event) if event is not None else None
    if event is None or not isinstance(data, ChecksRan):
        return None
    return Verified(
        verdict=data.verdict,
        commit=data.commit,
        dirty=data.dirty,
        checks=data.checks,
        reason=data.reason,
        actor=event.actor,
        session=event.session,
        at=event.at,
    )


def _entry(writer: str, seq: int, line: bytes, form: str | None, token: str | None) -> HistoryEntry:
    event = codec.trusted(line)
    return HistoryEntry(
        event=f"{writer}:{seq}",
        type=event.type,
        at=event.at,
        actor=event.actor,
        session=event.session,
        epoch=event.epoch if isinstance(event.epoch, int) else None,
        subject=event.subject,
        summary="" if form else _summary(codec.decode_data(event)),
        quarantined=form or token,
    )


def _summary(data: Data) -> str:  # noqa: C901, PLR0912, PLR0915 - one row per type
    """Return what happened in a few words."""
    match data:
        case TicketCreated():
            title = data.fields.title
            text = title if isinstance(title, str) else "created"
        case TicketEdited():
            written = [field for field in SCALARS if getattr(data.fields, field) is not UNSET]
            written += [field for field in SETS if getattr(data.add, field) or getattr(data.remove, field)]
            text = ", ".join(written)
        case TicketMoved():
            chosen = " (chosen of several)" if data.settles else ""
            text = f"{data.start} -> {data.end}{chosen}" + (f": {data.reason}" if data.reason else "")
        case TicketRefused():
            text = f"{data.start} -> {data.end} refused: {data.message}"
        case TicketNoted():
            text = data.text
        case SessionReserved():
            text = f"reserved for {data.owner}"
        case SessionStarted():
            text = f"{model_of(data.model, data.vendor)} as {data.role}".lstrip()
        case SessionFinished():
            text = data.finish.summary
        case SessionEvicted():
            text = f"evicted: {data.reason}"
        case SessionSuspended() | SessionResumed() | SessionHandedOff() | HandoffCreated() | HandoffConsumed():
            text = _of_session(data)
        case LeaseAcquired() | LeaseReleased():
            text = f"epoch {data.epoch} by {data.session}"
        case LeaseExpired():
            text = f"value {data.value[:10]} stood still for longer than its ttl"
        case LeaseTakenOver():
            text = f"from {data.previous_actor} (epoch {data.previous_epoch})" + (
                f": {data.reason}" if data.reason else ""
            )
        case LeaseLost():
            where = " ".join(word for word in (data.branch, data.head and data.head[:10]) if word)
            words = (f"to {data.holder}" if data.holder else "", where, data.summary)
            text = f"offline claim lost {', '.join(word for word in words if word)}"
        case PushGuarded():
            text = f"{data.branch} to {data.remote} at {data.end[:10]} ({data.guard})"
        case ChecksRan():
            failed = [check.id for check in data.checks if check.verdict != "passed"]
            text = f"{data.verdict} of {len(data.checks)}" + (f": {', '.join(failed)}" if failed else "")
        case PolicyCompiled() | PolicySealed() | PolicyTampered() | PolicyAccepted():
            text = _of_policy(data)
        case SpecRecorded():
            text = f"{data.title}: {len(data.tickets)} tickets"
        case ReflectionRecorded():
            text = f"{data.severity} {data.kind}: {data.pattern}"
        case ReflectionDismissed():
            text = f"dismissed: {data.reason}" if data.reason else "dismissed"
        case EventRedacted():
            text = f"{data.event} redacted: {data.reason}"
        case SyncRewritten():
            before = data.before[:10] if data.before else "unknown"
            text = f"{data.remote} was rewritten from {before} to {data.after[:10]}: {data.reason}"
        case DocumentEdited():
            settled = f", settles {', '.join(unit or 'the beginning' for unit in data.settles)}" if data.settles else ""
            text = f"{len(data.text)} characters{settled}"
        case _:
            text = ""
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _of_session(
    data: SessionSuspended | SessionResumed | SessionHandedOff | HandoffCreated | HandoffConsumed,
) -> str:
    match data:
        case SessionSuspended():
            return data.reason
        case SessionResumed():
            return f"on {data.branch or 'no branch'}"
        case SessionHandedOff():
            return f"handed to {data.to} ({data.handoff}): {data.finish.summary}"
        case HandoffCreated():
            return f"for {data.content.to}: {data.content.summary}"
        case HandoffConsumed():
            late = " after its time" if data.late_by_seconds is not None else ""
            return f"taken up by {data.session}{late}"


def _of_policy(data: PolicyCompiled | PolicySealed | PolicyTampered | PolicyAccepted) -> str:
    match data:
        case PolicyCompiled():
            return f"lock {data.digest[:12]} of the constitution {data.source[:12]}"
        case PolicySealed():
            return f"seal {data.digest[:12]} over the lock {data.lock[:12]}"
        case PolicyTampered():
            return f"{data.file} is {data.found[:12]}: {data.reason}"
        case PolicyAccepted():
            return f"{(data.before or 'none')[:12]} to {(data.after or 'none')[:12]}: {data.reason}"
