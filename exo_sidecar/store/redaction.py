"""Redaction: what an event held is taken out of its line (docs/format.md, "Redaction").

The line that is left keeps all but `params` and `data`, and names the event's own digest, so its successor still
follows it. It counts only where an `event.redacted` names the event, that digest, and the digest of the line that is
left: nothing of it can be changed on the way. Two clones may redact one event at once, for two reasons: then the line
with the lower digest stands, everywhere.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.errors import IdAmbiguous, IdNotFound, Refused
from exo_sidecar.model.event import Event, EventRedacted
from exo_sidecar.store import codec, layout

Redactions: TypeAlias = Mapping[str, Sequence[EventRedacted]]
"""By the digest of the event that each is about; two clones may have redacted one event at once."""

_MARK: Final = b'"type":"event.redacted"'
_KEPT: Final = frozenset({"authority", "event", "lease"})
"""Without these an epoch would open again, the leases be decided elsewhere, or a redaction be undone."""
_SHOWN_MAX: Final = 20
UNANNOUNCED: Final = "was redacted, and no event says that it should be"


class RedactionRefused(Refused):
    """Without this event others would mean something else: leases and their authority, redactions."""

    code = "REDACTION_REFUSED"
    advice = "its texts are names, numbers and reasons; where a reason holds a secret, change the secret"


class Planned(NamedTuple):
    """What redacting an event comes to."""

    data: EventRedacted
    already: bool
    """Whether it is redacted: `data` says how."""
    type: str
    subject: str
    together: tuple[str, ...]
    """Other events of the same call that are not redacted: what was given to it may stand in them, too."""


class RedactedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose contents were taken out, and who says so."""

    event: str
    type: str
    subject: str
    digest: str
    """Its own, which its successor names."""
    reason: str
    by: str
    """The event that says so."""
    actor: str
    at: str


def known(db: sqlite3.Connection, digest: str | None = None) -> dict[str, list[EventRedacted]]:
    """Return the redactions that count, by the digest of their event; those of one event when it is named."""
    found: dict[str, list[EventRedacted]] = {}
    where, values = ("WHERE digest = ?", (digest,)) if digest else ("", ())
    for event, its, kept, reason in db.execute(
        f"SELECT event, digest, kept, reason FROM redactions {where} ORDER BY kept, writer, seq",  # noqa: S608 - fixed
        values,
    ):
        found.setdefault(its, []).append(EventRedacted(event=event, digest=its, kept=kept, reason=reason))
    return found


def announced(lines: Iterable[bytes]) -> dict[str, list[EventRedacted]]:
    """Return the redactions that stand in ledger lines, whether or not their chains are whole."""
    found: dict[str, list[EventRedacted]] = {}
    for line in lines:
        if _MARK not in line:
            continue
        try:
            data = codec.decode_data(codec.decode(line))
        except codec.MalformedError:
            continue
        if isinstance(data, EventRedacted):
            found.setdefault(data.digest, []).append(data)
    return found


def joined(one: Redactions, other: Redactions) -> Redactions:
    """Return the redactions of both."""
    return {digest: [*one.get(digest, ()), *other.get(digest, ())] for digest in {*one, *other}}


def is_allowed(event: Event, line: bytes, redactions: Redactions) -> bool:
    """Whether a redacted line is what one of the redactions left of its event."""
    if not may_be_redacted(event):
        return False
    kept = sha256_hex(line)
    return any(
        (each.kept, each.reason) == (kept, event.redacted) and _names(each, event)
        for each in redactions.get(str(event.digest), ())
    )


def may_be_redacted(event: Event) -> bool:
    """Whether nothing but what the event held hangs on it."""
    return event.type.partition(".")[0] not in _KEPT


def standing(line: bytes, redactions: Redactions) -> bytes:
    """Return what stands in the place of a line: itself, or what the redactions leave of it.

    Of several redactions of one event the one with the lowest digest stands, so that it is the same one everywhere.
    """
    wanted = redactions.get(codec.digest_of(line), ()) if redactions else ()
    if not wanted:
        return line
    try:
        event = codec.decode(line)
    except codec.MalformedError:
        return line
    if not may_be_redacted(event):
        return line
    forms = {sha256_hex(form): form for form in (codec.redacted(line, each.reason) for each in wanted)}
    kept = [each.kept for each in wanted if _names(each, event) and each.kept in forms]
    return forms[min(kept)] if kept else line


def unsettled(db: sqlite3.Connection, redactions: Redactions) -> set[str]:
    """Return the writers of whose lines one does not stand as the redactions say."""
    writers: set[str] = set()
    for digest, event in {(digest, each.event) for digest, several in redactions.items() for each in several}:
        writer, _, seq = event.rpartition(":")
        clone = layout.clone_of(writer)
        rows = db.execute(
            "SELECT e.writer, e.line FROM writers w JOIN events e ON e.writer = w.writer AND e.seq = ?"
            " WHERE w.writer >= ? AND w.writer < ? AND e.digest = ?",
            (int(seq), clone, f"{clone}.", digest),
        ).fetchall()
        writers |= {name for name, line in rows if standing(line, redactions) != line}
    return writers


def planned(db: sqlite3.Connection, name: str, reason: str) -> Planned:
    """Return what redacting the event `name` comes to; its clone may be given by its first characters.

    Raises:
        IdNotFound, IdAmbiguous: it names no event that counts here, or several.
        RedactionRefused: the event must stay as it is.
    """
    writer, seq = _found(db, name)
    (line,) = db.execute("SELECT line FROM events WHERE writer = ? AND seq = ?", (writer, seq)).fetchone()
    event = codec.trusted(line)
    if not may_be_redacted(event):
        message = f"{writer}:{seq} is {event.type}, and stays"
        raise RedactionRefused(message, event=f"{writer}:{seq}", type=event.type)
    together = _together(db, writer, seq)
    if codec.is_redacted(event):
        data = EventRedacted(
            event=f"{writer}:{seq}", digest=str(event.digest), kept=sha256_hex(line), reason=str(event.redacted)
        )
        return Planned(data, already=True, type=event.type, subject=event.subject, together=together)
    data = EventRedacted(
        event=f"{writer}:{seq}",
        digest=sha256_hex(line),
        kept=sha256_hex(codec.redacted(line, reason)),
        reason=reason,
    )
    return Planned(data, already=False, type=event.type, subject=event.subject, together=together)


def carried_out(db: sqlite3.Connection) -> list[RedactedEvent]:
    """Return the events that are redacted, with the event that each redaction rests on."""
    rows = db.execute(
        "SELECT e.writer, e.seq, e.line, r.writer, r.seq, b.line FROM redactions r"
        " JOIN events b ON b.writer = r.writer AND b.seq = r.seq"
        " JOIN events e ON e.writer = substr(r.event, 1, instr(r.event, ':') - 1)"
        " AND e.seq = CAST(substr(r.event, instr(r.event, ':') + 1) AS INTEGER)"
        " ORDER BY e.writer, e.seq, r.writer, r.seq"
    ).fetchall()
    found = []
    for writer, seq, line, by_writer, by_seq, by_line in rows:
        event, by = codec.trusted(line), codec.trusted(by_line)
        data = codec.decode_data(by)
        if codec.is_redacted(event) and isinstance(data, EventRedacted) and data.kept == sha256_hex(line):
            found.append(
                RedactedEvent(
                    event=f"{writer}:{seq}",
                    type=event.type,
                    subject=event.subject,
                    digest=data.digest,
                    reason=data.reason,
                    by=f"{by_writer}:{by_seq}",
                    actor=by.actor,
                    at=by.at,
                )
            )
    return found


def _names(redaction: EventRedacted, event: Event) -> bool:
    writer, _, seq = redaction.event.rpartition(":")
    return (layout.clone_of(writer), int(seq)) == (event.clone, event.seq)


def _found(db: sqlite3.Connection, name: str) -> tuple[str, int]:
    text = name.strip().lower()
    writer, _, number = text.rpartition(":")
    is_name = writer.replace("-", "").isalnum() and text.isascii() and number.isdigit()
    if not is_name or len(text) > layout.WRITER_LENGTH_MAX:
        message = f"{name[:60]!r} is no name of an event"
        raise IdNotFound(message, hint="events are named CLONE:NUMBER, as exo ticket-show ID --history shows them")
    rows = db.execute(
        "SELECT e.writer, e.seq FROM writers w JOIN events e ON e.writer = w.writer AND e.seq = ?"
        " WHERE w.writer >= ? AND w.writer < ? ORDER BY e.writer LIMIT ?",
        (min(int(number), 2**62), writer, f"{writer}~", _SHOWN_MAX),
    ).fetchall()
    exact = [row for row in rows if row[0] == writer]
    if not rows:
        message = f"there is no event {text}"
        raise IdNotFound(message, hint="exo ticket-show ID --history names events, and so does exo audit", id=text)
    if len(rows) > 1 and not exact:
        names = tuple(f"{each[0]}:{each[1]}" for each in rows)
        message = f"{text} fits {', '.join(names[:3])}"
        raise IdAmbiguous(message, hint="give more characters of the clone", id=text, matches=names)
    found_writer, seq = (exact or rows)[0]
    return str(found_writer), int(seq)


def _together(db: sqlite3.Connection, writer: str, seq: int) -> tuple[str, ...]:
    """Return the other events that the call wrote which wrote this one: the first of each call has `op`."""
    rows = db.execute(
        "SELECT seq, line FROM events WHERE writer = ? AND seq BETWEEN ? AND ? ORDER BY seq",
        (writer, seq - _SHOWN_MAX, seq + _SHOWN_MAX),
    ).fetchall()
    events = {number: codec.trusted(line) for number, line in rows}
    firsts = [number for number, event in events.items() if not isinstance(event.op, msgspec.UnsetType)]
    first = max((number for number in firsts if number <= seq), default=seq)
    following = min((number for number in firsts if number > seq), default=seq + _SHOWN_MAX + 1)
    return tuple(
        f"{writer}:{number}"
        for number, event in events.items()
        if first <= number < following and number != seq and not codec.is_redacted(event) and may_be_redacted(event)
    )
