"""Listings of tickets: one indexed query each, in an order that every clone has alike (no clock takes part)."""

import sqlite3
from collections.abc import Iterator
from typing import Final

from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.view import TicketFilter, TicketRow

_COLUMNS: Final = "id, title, kind, type, status, priority, parent, score, unblocks, open_blockers, conflicts"
_BIRTH: Final = "depth, writer, seq, id"
ORDERS: Final = {
    "score": f"score DESC, priority, {_BIRTH}",
    "priority": f"priority, {_BIRTH}",
    "age": _BIRTH,
    "updated": f"updated_at DESC, {_BIRTH}",
    "id": "id",
}
_READY: Final = (
    "status = 'todo' AND kind = 'task' AND open_blockers = 0 AND cycle = 0"
    " AND ',' || conflicts || ',' NOT LIKE '%,status,%'"
)
_PAGE: Final = 64


def rows(
    db: sqlite3.Connection, wanted: TicketFilter, *, sort: str, after: str | None, limit: int
) -> tuple[TicketRow, ...]:
    """Return the rows that fit, those after the id `after` only; ValueInvalid for an unknown order or cursor."""
    if sort not in ORDERS:
        message = f"cannot sort by {sort!r}"
        raise ValueInvalid(message, hint=f"sort by one of {', '.join(ORDERS)}")
    terms, values = _terms(wanted)
    if after is not None:
        offset = _offset(db, terms, values, ORDERS[sort], after)
    else:
        offset = 0
    query = f"SELECT {_COLUMNS} FROM tickets WHERE {terms} ORDER BY {ORDERS[sort]} LIMIT ? OFFSET ?"
    return tuple(_row(found) for found in db.execute(query, (*values, limit, offset)))


def candidates(db: sqlite3.Connection) -> Iterator[TicketRow]:
    """Yield tasks that may be dispatched, in dispatch order."""
    offset = 0
    while True:
        query = f"SELECT {_COLUMNS} FROM tickets WHERE {_READY} ORDER BY {ORDERS['score']} LIMIT {_PAGE} OFFSET ?"
        page = db.execute(query, (offset,)).fetchall()
        yield from (_row(found) for found in page)
        if len(page) < _PAGE:
            return
        offset += _PAGE


def _terms(wanted: TicketFilter) -> tuple[str, list[str]]:
    terms = ["1"]
    values: list[str] = []
    for column, chosen in (("status", wanted.statuses), ("kind", wanted.kinds), ("type", wanted.types)):
        if chosen:
            terms.append(f"{column} IN ({', '.join('?' * len(chosen))})")
            values += [str(value) for value in chosen]
    for label in wanted.labels:
        terms.append("id IN (SELECT ticket FROM labels WHERE label = ?)")
        values.append(label)
    if wanted.parent is not None:
        terms.append("parent = ?")
        values.append(wanted.parent)
    if wanted.conflicted:
        terms.append("conflicts != ''")
    if wanted.ready:
        terms.append(_READY)
    if not wanted.archived and Status.ARCHIVED not in wanted.statuses:
        terms.append("status != 'archived'")
    return " AND ".join(terms), values


def _offset(db: sqlite3.Connection, terms: str, values: list[str], order: str, after: str) -> int:
    """Return how many rows come up to and including the cursor's."""
    query = f"SELECT place FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY {order}) AS place FROM tickets WHERE {terms}) WHERE id = ?"
    row = db.execute(query, (*values, after)).fetchone()
    if row is None:
        message = f"the cursor {after[:60]!r} is not in this listing"
        raise ValueInvalid(message, hint="use the next_cursor of the same listing, or none")
    return int(row[0])


def _row(found: tuple[str, str, str, str, str, int, str | None, int, int, int, str]) -> TicketRow:
    identifier, title, kind, type_, status, priority, parent, score, unblocks, open_blockers, conflicts = found
    return TicketRow(
        id=TicketId(identifier),
        title=title,
        kind=kind,
        type=type_,
        status=Status(status),
        priority=priority,
        parent=TicketId(parent) if parent else None,
        score=score,
        unblocks=unblocks,
        open_blockers=open_blockers,
        conflict_fields=tuple(conflicts.split(",")) if conflicts else (),
    )
