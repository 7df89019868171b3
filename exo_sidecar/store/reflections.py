"""Learnings as rules and files ask for them, answered by indexed queries: the gravest first, then the most frequent."""

import sqlite3
from typing import Final

import msgspec

from exo_sidecar.model.errors import IdAmbiguous, IdInvalid, IdNotFound
from exo_sidecar.model.ids import LENGTH_MAX
from exo_sidecar.model.reflection import SEVERITIES, ReflectionFilter, ReflectionRecord
from exo_sidecar.store import codec

PREFIX: Final = "REF-"
_FITTING_MAX: Final = 4
_HINT: Final = "exo reflections --status all shows what there is"
_RECORD: Final = msgspec.json.Decoder(ReflectionRecord)


def put(db: sqlite3.Connection, record: ReflectionRecord) -> None:
    """Write a record, or write it anew."""
    tags = "".join(f"\n{tag}\n" for tag in record.tags)
    severity, rank, key = record.order()
    row = (key, record.scope, record.kind, severity, rank)
    db.execute(
        "INSERT OR REPLACE INTO reflections VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, tags, not record.is_active, codec.pack(record)),
    )


def remove(db: sqlite3.Connection, reflection_id: str) -> None:
    """Take a record out of which no event is left."""
    db.execute("DELETE FROM reflections WHERE id = ?", (reflection_id,))


def by_id(db: sqlite3.Connection, reflection_id: str) -> ReflectionRecord | None:
    """Return the learning, None when there is none."""
    row = db.execute("SELECT record FROM reflections WHERE id = ?", (reflection_id,)).fetchone()
    return _RECORD.decode(row[0]) if row else None


def named(db: sqlite3.Connection, text: str) -> ReflectionRecord:
    """Return the learning named by its id, a unique beginning of it, or the part after the dash."""
    wanted = text.strip().upper()
    if not wanted or len(wanted) > LENGTH_MAX or not wanted.isascii() or not wanted.replace("-", "").isalnum():
        message = f"{text[:60]!r} is not an id"
        raise IdInvalid(message)
    whole = wanted if wanted.startswith(PREFIX) else PREFIX + wanted
    rows = db.execute(
        "SELECT id, record FROM reflections WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (whole, whole + "\x7f", _FITTING_MAX),
    ).fetchall()
    if len(rows) > 1 and rows[0][0] != whole:
        message = f"{text} fits {', '.join(row[0] for row in rows)}"
        raise IdAmbiguous(message, id=text, matches=tuple(row[0] for row in rows))
    if not rows:
        message = f"there is no learning {text}"
        raise IdNotFound(message, hint=_HINT, id=text)
    return _RECORD.decode(rows[0][1])


def listed(
    db: sqlite3.Connection, wanted: ReflectionFilter, *, after: str | None = None, limit: int
) -> tuple[ReflectionRecord, ...]:
    """Return learnings by severity, how often they were recorded, and id; those after the id `after` only."""
    terms, values = _terms(wanted)
    if after is not None:
        terms.append("(severity, rank, id) > (SELECT severity, rank, id FROM reflections WHERE id = ?)")
        values.append(after)
    rows = db.execute(
        f"SELECT record FROM reflections WHERE {' AND '.join(terms)} ORDER BY severity, rank, id LIMIT ?",  # noqa: S608 - fixed words
        (*values, limit),
    )
    return tuple(_RECORD.decode(row[0]) for row in rows)


def active_count(db: sqlite3.Connection) -> int:
    """Return how many learnings nobody has dismissed."""
    return int(db.execute("SELECT COUNT(*) FROM reflections WHERE dismissed = 0").fetchone()[0])


def _terms(wanted: ReflectionFilter) -> tuple[list[str], list[str | int]]:
    """Return the conditions of a listing and their values."""
    terms = {"active": ["dismissed = 0"], "dismissed": ["dismissed = 1"], "all": ["1"]}[wanted.status]
    values: list[str | int] = []
    if wanted.scope is not None:
        terms.append("scope = ?")
        values.append(wanted.scope)
    if wanted.severities:
        terms.append(f"severity IN ({', '.join('?' * len(wanted.severities))})")
        values += [SEVERITIES.index(each) for each in wanted.severities]
    if wanted.kinds:
        terms.append(f"kind IN ({', '.join('?' * len(wanted.kinds))})")
        values += wanted.kinds
    for tag in wanted.tags:
        terms.append("instr(tags, ?)")
        values.append(f"\n{tag}\n")
    return terms, values
