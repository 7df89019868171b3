"""History: the events about a record, as reports show them."""

import sqlite3
from typing import Final

from msgspec import UNSET

from exo_sidecar.model.event import (
    Data,
    DocumentEdited,
    EventRedacted,
    LeaseAcquired,
    LeaseExpired,
    LeaseLost,
    LeaseReleased,
    LeaseTakenOver,
    PushGuarded,
    SessionFinished,
    SessionReserved,
    SessionStarted,
    SyncRewritten,
    TicketCreated,
    TicketEdited,
    TicketMoved,
    TicketNoted,
    TicketRefused,
)
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


def _summary(data: Data) -> str:  # noqa: C901, PLR0912 - one row per type
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
            text = f"{data.vendor} {data.model} as {data.role}"
        case SessionFinished():
            text = data.finish.summary
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
