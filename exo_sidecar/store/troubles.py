"""Troubles: what the fold noticed and what it left out, for every report to name."""

import sqlite3
from typing import Final

import msgspec

from exo_sidecar.model.document import Document
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.view import Quarantined
from exo_sidecar.store.epochs import LOST, PROVISIONAL

_MAX: Final = 100
_NOT_YET: Final = (PROVISIONAL, LOST)
"""What was written under a claim made offline is no damage: the first is a finding, the second has its own event."""


def findings(db: sqlite3.Connection) -> tuple[Finding, ...]:
    """Return conflict values, rings of parents, document conflicts and faults, each capped."""
    return (*_conflicts(db), *_provisional(db), *_rings(db), *_documents(db), *_settings(db))


def quarantined(db: sqlite3.Connection) -> tuple[Quarantined, ...]:
    """Return events that do not count: broken chains first, then single events."""
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
            " AND (form IS NOT NULL OR token NOT IN (?, ?)) ORDER BY writer, seq LIMIT ?",
            (*_NOT_YET, _MAX),
        )
    ]
    return tuple(found)


def _conflicts(db: sqlite3.Connection) -> list[Finding]:
    rows = db.execute("SELECT id, conflicts FROM tickets WHERE conflicts != '' ORDER BY id LIMIT ?", (_MAX,))
    return [
        Finding(
            code="CONFLICT_VALUE",
            subject=ticket,
            message=f"{fields.replace(',', ', ')} of {ticket} was changed in two clones at once",
            hint=f"exo ticket-show {ticket} shows the values; editing the field again settles it",
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
    for (record,) in db.execute("SELECT record FROM documents ORDER BY name"):
        document = msgspec.json.decode(record, type=Document)
        found += [
            Finding(
                code="DOCUMENT_CONFLICT",
                subject=document.name,
                message=f"{section.name or 'the beginning'} of {document.name} was changed in two clones at once;"
                f" the version of {section.actor} ({section.event}) does not stand",
                hint=f"edit .exo/{document.name} so that it says what it should",
            )
            for section in document.conflicts
        ]
    return found


def _settings(db: sqlite3.Connection) -> list[Finding]:
    rows = db.execute("SELECT name, fault FROM settings WHERE fault IS NOT NULL ORDER BY name")
    return [
        Finding(
            code="DOCUMENT_UNREADABLE",
            severity="error",
            subject=name,
            message=f"{name}: {fault}; the last version that could be read stays in force",
            hint=f"mend .exo/{name}",
            file=name,
        )
        for name, fault in rows
    ]
