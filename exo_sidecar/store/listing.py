"""Listings of tickets: one indexed query each, in an order that every clone has alike (no clock takes part)."""

import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import SETTLED_FIRST
from exo_sidecar.model.view import TicketFilter, TicketRow

_COLUMNS: Final = "id, title, kind, type, status, priority, parent, score, unblocks, open_blockers, conflicts"
_BIRTH: Final = "depth, writer, seq, id"


class Order(NamedTuple):
    """Columns to sort by; together they name one ticket."""

    falling: str | None
    """The first column, when it goes from high to low."""
    rising: str

    def clause(self) -> str:
        """Return what stands behind ORDER BY."""
        return f"{self.falling} DESC, {self.rising}" if self.falling else self.rising

    def beyond(self) -> str:
        """Return the condition for rows behind the one whose columns are given, in the order of `columns`."""
        behind = f"({self.rising}) > ({', '.join('?' * len(self.rising.split(',')))})"
        if self.falling is None:
            return behind
        return f"{self.falling} <= ? AND ({self.falling} < ? OR {behind})"

    def columns(self) -> str:
        """Return the columns that `beyond` asks for."""
        return f"{self.falling}, {self.falling}, {self.rising}" if self.falling else self.rising


ORDERS: Final = {
    "score": Order(None, f"rank, priority, {_BIRTH}"),
    "priority": Order(None, f"priority, {_BIRTH}"),
    "age": Order(None, _BIRTH),
    "updated": Order("updated_at", _BIRTH),
    "id": Order(None, "id"),
}
_UNSETTLED: Final = " OR ".join(f"',' || conflicts || ',' LIKE '%,{field},%'" for field in SETTLED_FIRST)
_READY: Final = (  # the first line word by word as in the index tickets_ready
    f"status = 'todo' AND kind = 'task' AND open_blockers = 0 AND cycle = 0 AND (conflicts = '' OR NOT ({_UNSETTLED}))"
)
_PAGE: Final = 64


def rows(
    db: sqlite3.Connection, wanted: TicketFilter, *, sort: str, after: str | None, limit: int
) -> tuple[TicketRow, ...]:
    """Return the rows that fit, those after the id `after` only; ValueInvalid for an unknown order or cursor."""
    if sort not in ORDERS:
        message = f"cannot sort by {sort!r}"
        raise ValueInvalid(message, hint=f"sort by one of {', '.join(ORDERS)}")
    order = ORDERS[sort]
    terms, values = _terms(wanted)
    if after is not None:
        place = _place(db, order, (terms, values), after)
        if place is None:
            message = f"the cursor {after[:60]!r} is not in this listing"
            raise ValueInvalid(message, hint="use the next_cursor of the same listing, or none")
        terms, values = f"{terms} AND {order.beyond()}", [*values, *place]
    query = f"SELECT {_COLUMNS} FROM tickets WHERE {terms} ORDER BY {order.clause()} LIMIT ?"  # noqa: S608 - our words
    return tuple(_row(found) for found in db.execute(query, (*values, limit)))


def candidates(db: sqlite3.Connection, after: TicketId | None, without: frozenset[str]) -> Iterator[TicketRow]:
    """Yield tasks that may be dispatched, in dispatch order, those behind `after` only, none of the types `without`."""
    order = ORDERS["score"]
    wanted = f"{_READY} AND type NOT IN (SELECT value FROM json_each(?))" if without else _READY  # noqa: S608 - our words
    types = (msgspec.json.encode(sorted(without)).decode(),) if without else ()
    while True:
        place = (_place(db, order, ("1", []), after) or ()) if after is not None else ()
        terms = f"{wanted} AND {order.beyond()}" if place else wanted
        where = f"INDEXED BY tickets_ready WHERE {terms} ORDER BY {order.clause()} LIMIT {_PAGE}"
        query = f"SELECT {_COLUMNS} FROM tickets {where}"  # noqa: S608 - our words
        page = [_row(found) for found in db.execute(query, (*types, *place))]
        if not page:
            return
        after = page[-1].id
        yield from page


def _terms(wanted: TicketFilter) -> tuple[str, list[object]]:
    terms = ["1"]
    values: list[object] = []
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
    if wanted.ids is not None:
        terms.append("id IN (SELECT value FROM json_each(?))")
        values.append(msgspec.json.encode(wanted.ids).decode())
    if wanted.conflicted:
        terms.append("conflicts != ''")
    if wanted.ready:
        terms.append(_READY)
    if not (wanted.archived or wanted.conflicted) and Status.ARCHIVED not in wanted.statuses:
        terms.append("status != 'archived'")
    return " AND ".join(terms), values


def _place(
    db: sqlite3.Connection, order: Order, listing: tuple[str, list[object]], after: str
) -> tuple[object, ...] | None:
    """Return the columns of a row that the listing's cursor names, None when it is not in it."""
    terms, values = listing
    query = f"SELECT {order.columns()} FROM tickets WHERE {terms} AND id = ?"  # noqa: S608 - our words
    row = db.execute(query, (*values, after)).fetchone()
    return tuple(row) if row else None


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
