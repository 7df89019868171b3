"""Handoffs as rules ask for them, answered by indexed queries. The latest of a ticket stands for the earlier ones."""

import sqlite3
from typing import Final

import msgspec

from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.ids import SessionId, TicketId

LISTED_MAX: Final = 10_000
_RECORD: Final = msgspec.json.Decoder(HandoffRecord)


def waiting(db: sqlite3.Connection, ticket_id: TicketId) -> HandoffRecord | None:
    """Return what was handed on with the ticket last, when nobody has taken it up."""
    row = db.execute(
        "SELECT record FROM handoffs WHERE ticket = ? AND taken_by IS NULL ORDER BY depth DESC, id DESC LIMIT 1",
        (ticket_id,),
    ).fetchone()
    return _RECORD.decode(row[0]) if row else None


def every_waiting(db: sqlite3.Connection) -> tuple[HandoffRecord, ...]:
    """Return what waits to be taken up, of each ticket the latest, in the order of tickets, LISTED_MAX at most."""
    rows = db.execute(
        "SELECT record FROM handoffs WHERE taken_by IS NULL ORDER BY ticket, depth DESC, id DESC LIMIT ?", (LISTED_MAX,)
    )
    found: dict[TicketId, HandoffRecord] = {}
    for (text,) in rows:
        record = _RECORD.decode(text)
        found.setdefault(record.ticket, record)
    return tuple(found.values())


def taken_by(db: sqlite3.Connection, session_id: SessionId) -> HandoffRecord | None:
    """Return what a session took up, None when it took up nothing."""
    row = db.execute(
        "SELECT record FROM handoffs WHERE taken_by = ? ORDER BY depth DESC, id DESC LIMIT 1", (session_id,)
    ).fetchone()
    return _RECORD.decode(row[0]) if row else None
