"""Lagging files: an edit of a file that was behind the ledger, brought to what the ledger says now. Pure.

A newer program's files are left as they are while an older one appends events, so somebody may edit a file that shows
what was. What the edit did not touch is no edit: there the record stands.
"""

from typing import TypeVar

import msgspec
from msgspec.structs import replace

from exo_sidecar.model.document import Document
from exo_sidecar.model.ticket import Ticket
from exo_sidecar.store import fold_document

_Record = TypeVar("_Record", bound=msgspec.Struct)


def ticket(edited: Ticket, before: Ticket, now: Ticket) -> Ticket:
    """Return the ticket `now` with what the edit changed of the file's ticket `before`."""
    return _record(edited, before, now)


def document(edited: str, before: str, now: Document) -> str:
    """Return the text `now` with the units that the edit changed of the file's text `before`."""
    old, new = fold_document.split(now.name, before), fold_document.split(now.name, edited)
    changed = {unit: new.get(unit, "") for unit in (*old, *new) if old.get(unit) != new.get(unit)}
    return fold_document.with_units(now, changed)


def _record(edited: _Record, before: _Record, now: _Record) -> _Record:
    changes = {}
    for field in now.__struct_fields__:
        wanted, was, stands = (getattr(each, field) for each in (edited, before, now))
        if wanted != was:
            changes[field] = _value(wanted, was, stands)
    return replace(now, **changes)


def _value(wanted: object, was: object, stands: object) -> object:
    match wanted, was, stands:
        case msgspec.Struct(), msgspec.Struct(), msgspec.Struct():
            return _record(wanted, was, stands)
        case tuple(), tuple(), tuple():
            kept = [each for each in stands if each in wanted or each not in was]
            return (*kept, *(each for each in wanted if each not in was and each not in kept))
        case _:
            return wanted
