"""Troubles: what the fold noticed and what it left out, for every report to name."""

import sqlite3
from typing import Final

import msgspec

from exo_sidecar.model.document import Document
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.view import Quarantined, Unsettled
from exo_sidecar.store import layout
from exo_sidecar.store.codec import UNKNOWN_TYPE
from exo_sidecar.store.epochs import LOST, PROVISIONAL
from exo_sidecar.store.index import RENDER

_MAX: Final = 100
_NONE: Final = "-"
"""A pattern that no fault is like."""
_NOT_YET: Final = (PROVISIONAL, LOST)
"""What was written under a claim made offline is no damage: the first is a finding, the second has its own event."""


def findings(db: sqlite3.Connection) -> tuple[Finding, ...]:
    """Return what a newer program left to say, conflict values, rings of parents, conflicts and faults, each capped."""
    return (*_newer(db), *_conflicts(db), *_provisional(db), *_rings(db), *_documents(db), *_settings(db))


def quarantined(db: sqlite3.Connection) -> tuple[Quarantined, ...]:
    """Return events that do not count: broken chains first, then single events; what was redacted is no damage."""
    found = [
        Quarantined(event=f"{writer}:{seq + 1}", reason=broken, count=left_out)
        for writer, seq, broken, left_out in db.execute(
            "SELECT writer, seq, broken, left_out FROM writers WHERE broken IS NOT NULL ORDER BY writer LIMIT ?",
            (_MAX,),
        )
    ]
    found += [
        Quarantined(event=f"{writer}:{seq}", reason=form or token)
        for writer, seq, form, token in db.execute(
            "SELECT writer, seq, form, token FROM events WHERE (form IS NOT NULL OR token IS NOT NULL)"
            " AND (form IS NOT NULL OR token NOT IN (?, ?)) AND COALESCE(form, '') NOT GLOB 'redacted: *'"
            " AND COALESCE(form, '') NOT GLOB ? ORDER BY writer, seq LIMIT ?",
            (*_NOT_YET, _of_newer(db), _MAX),
        )
    ]
    return tuple(found)


def of_newer_program(db: sqlite3.Connection) -> int:
    """Return how many events are of types that this program does not know, on a branch that a newer one computes."""
    found = db.execute(
        "SELECT COUNT(*) FROM events WHERE (form IS NOT NULL OR token IS NOT NULL) AND COALESCE(form, '') GLOB ?",
        (_of_newer(db),),
    ).fetchone()
    return int(found[0])


def _of_newer(db: sqlite3.Connection) -> str:
    """Return what the fault of events is like that a newer program wrote; nothing is like it where there is none.

    On a branch whose files this program computes an event of an unknown type is nobody's that it knows: it is named.
    """
    return f"type * {UNKNOWN_TYPE}" if _render(db) > layout.RENDER_NUMBER else _NONE


def _render(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (RENDER,)).fetchone()
    return int(row[0]) if row else 0


def _newer(db: sqlite3.Connection) -> list[Finding]:
    number = _render(db)
    return [older_than(number, of_newer_program(db))] if number > layout.RENDER_NUMBER else []


def older_than(render: int, events: int) -> Finding:
    """Return the finding that says once what an older program does on a branch of this render number."""
    types = f"; {events} event{'s are' if events != 1 else ' is'} of a type it does not know" if events else ""
    return Finding(
        code="RENDER_NEWER",
        subject=layout.FORMAT,
        message=f"this exo is older than the branch (render {layout.RENDER_NUMBER} < {render}): "
        f"what you do is recorded, files are left to a newer exo{types}",
        hint="update exo",
        file=layout.FORMAT,
    )


def unsettled(db: sqlite3.Connection) -> Unsettled:
    """Return how many tickets and documents are in conflict and how many events do not count: counted, not capped."""
    (tickets,) = db.execute("SELECT COUNT(*) FROM tickets WHERE conflicts != ''").fetchone()
    (behind,) = db.execute("SELECT COALESCE(SUM(left_out), 0) FROM writers WHERE broken IS NOT NULL").fetchone()
    (single,) = db.execute(
        "SELECT COUNT(*) FROM events WHERE (form IS NOT NULL OR token IS NOT NULL)"
        " AND (form IS NOT NULL OR token NOT IN (?, ?)) AND COALESCE(form, '') NOT GLOB 'redacted: *'"
        " AND COALESCE(form, '') NOT GLOB ?",
        (*_NOT_YET, _of_newer(db)),
    ).fetchone()
    return Unsettled(
        tickets=int(tickets),
        documents=sum(1 for document in _every_document(db) if document.conflicts),
        quarantined=int(behind) + int(single),
    )


def _conflicts(db: sqlite3.Connection) -> list[Finding]:
    rows = db.execute("SELECT id, conflicts FROM tickets WHERE conflicts != '' ORDER BY id LIMIT ?", (_MAX,))
    return [
        Finding(
            code="CONFLICT_VALUE",
            subject=ticket,
            message=f"{fields.replace(',', ', ')} of {ticket} was changed in two clones at once",
            hint=f"exo resolve {ticket} shows the values and settles them",
        )
        for ticket, fields in rows
    ]


def _provisional(db: sqlite3.Connection) -> list[Finding]:
    rows = db.execute(
        "SELECT DISTINCT ticket, session FROM events WHERE token = ? ORDER BY ticket, session LIMIT ?",
        (PROVISIONAL, _MAX),
    )
    return [
        Finding(
            code="PROVISIONAL_CLAIM",
            severity="info",
            subject=ticket,
            message=f"{session} took {ticket} offline: provisional, not confirmed by the authority",
            hint="exo sync in the clone that it works in asks for the lease",
        )
        for ticket, session in rows
    ]


def _rings(db: sqlite3.Connection) -> list[Finding]:
    rows = db.execute("SELECT id, parent FROM tickets WHERE cycle != 0 ORDER BY id LIMIT ?", (_MAX,))
    return [
        Finding(
            code="PARENT_RING",
            subject=ticket,
            message=f"{ticket} under {parent} would close a ring of parents and does not count",
            hint=f"give {ticket} another parent: exo ticket-edit {ticket} --parent ID",
        )
        for ticket, parent in rows
    ]


def _documents(db: sqlite3.Connection) -> list[Finding]:
    found = []
    for document in _every_document(db):
        found += [
            Finding(
                code="DOCUMENT_CONFLICT",
                subject=document.name,
                message=f"{section.name or 'the beginning'} of {document.name} was changed in two clones at once;"
                f" the version of {section.actor} ({section.event}) does not stand",
                hint=f"exo resolve --document {document.name} shows both and settles it",
            )
            for section in document.conflicts
        ]
    return found


def _every_document(db: sqlite3.Connection) -> list[Document]:
    rows = db.execute("SELECT record FROM documents ORDER BY name")
    return [msgspec.json.decode(record, type=Document) for (record,) in rows]


def _settings(db: sqlite3.Connection) -> list[Finding]:
    rows = db.execute("SELECT name, fault FROM settings WHERE fault IS NOT NULL ORDER BY name")
    return [
        Finding(
            code="DOCUMENT_UNREADABLE",
            severity="error",
            subject=name,
            message=f"{name}: {fault}; what could be read last stays in force there",
            hint=f"mend .exo/{name}",
            file=name,
        )
        for name, fault in rows
    ]
