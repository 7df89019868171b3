"""Refold: records anew from their events, and what follows from several records together.

Only what an ingest touched is folded again, so that cost follows the change and not the number of records.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from exo_sidecar.model.document import DOCUMENTS, Document
from exo_sidecar.model.event import DocumentEdited
from exo_sidecar.model.event_policy import SUBJECT
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.store import codec, epochs, reflections, settings
from exo_sidecar.store.causality import Causality
from exo_sidecar.store.entry import Entry, Name
from exo_sidecar.store.fold_document import fold_document
from exo_sidecar.store.fold_handoff import fold_handoff
from exo_sidecar.store.fold_policy import fold_policy
from exo_sidecar.store.fold_reflection import fold_reflection
from exo_sidecar.store.fold_session import fold_session
from exo_sidecar.store.fold_ticket import fold_ticket
from exo_sidecar.store.index import Index
from exo_sidecar.store.ingest import Touched

_CONFIG: Final = "config.yaml"
_POLICY: Final = "policy"
SEAL_DIGEST: Final = "policy.digest"
"""Row of the settings that names the seal in force: every event says under which policy it was decided."""


class Changed(msgspec.Struct, kw_only=True):
    """Records whose rendered files may differ now."""

    tickets: set[TicketId] = msgspec.field(default_factory=set)
    sessions: set[SessionId] = msgspec.field(default_factory=set)
    documents: set[str] = msgspec.field(default_factory=set)
    format: bool = False
    policy: bool = False
    learnings: bool = False

    def plus(self, other: "Changed") -> "Changed":
        """Return both together."""
        return Changed(
            tickets=self.tickets | other.tickets,
            sessions=self.sessions | other.sessions,
            documents=self.documents | other.documents,
            format=self.format or other.format,
            policy=self.policy or other.policy,
            learnings=self.learnings or other.learnings,
        )


def refold(index: Index, touched: Touched) -> Changed:
    """Bring every touched record up to date and return which they are."""
    knows = Causality(index.db)
    subjects = set(touched.subjects)
    for ticket in touched.leases:
        subjects |= epochs.judge(index.db, ticket, knows)
    changed = _changed(subjects)
    _tickets(index, changed.tickets, knows)
    for session in changed.sessions:
        _session(index, session)
    for name in changed.documents:
        _document(index, name, knows)
    for noun, subject in sorted(subjects):
        if noun == "handoff":
            _handoff(index, subject)
        elif noun == "reflection":
            _reflection(index, subject)
    if changed.policy or changed.documents:
        _policy(index, knows)
    return changed


def _changed(subjects: Iterable[tuple[str, str]]) -> Changed:
    """Return the records that subjects of events name, those that have files."""
    changed = Changed()
    for noun, subject in sorted(subjects):
        match noun:
            case "ticket":
                changed.tickets.add(TicketId(subject))
            case "session":
                changed.sessions.add(SessionId(subject))
            case "document":
                changed.documents.add(subject)
            case "policy":
                changed.policy = True
            case "reflection":
                changed.learnings = True
            case "authority":
                changed.format = True
            case _:
                pass
    return changed


def entries_of(index: Index, noun: str, subject: str, claim: str = "") -> list[Entry]:
    """Return the events of a record that count, in fold order; those under `claim` as if it were confirmed."""
    rows = index.db.execute(
        "SELECT writer, seq, depth, line, adopted FROM events"
        " WHERE subject = ? AND type GLOB ? AND form IS NULL AND (token IS NULL OR claim = ?)"
        " ORDER BY depth, writer, seq",
        (subject, f"{noun}.*", claim),
    )
    found = []
    for writer, seq, depth, line, adopted in rows:
        event = codec.folded(line)
        found.append(Entry(Name(writer, seq), depth, event, codec.decode_data(event), adopted or 0))
    return found


def _tickets(index: Index, wanted: Iterable[TicketId], knows: Causality) -> None:
    linked: set[str] = set()
    for ticket_id in sorted(wanted):
        entries = entries_of(index, "ticket", ticket_id)
        record = fold_ticket(ticket_id, entries, knows)
        linked |= _neighbours(index, ticket_id)
        if record is None:
            index.db.execute("DELETE FROM tickets WHERE id = ?", (ticket_id,))
        else:
            _put_ticket(index, record, next(e for e in entries if e.event.type == "ticket.created"))
        _put_edges(index, ticket_id, record)
        linked |= _neighbours(index, ticket_id) | {ticket_id}
    for neighbour in sorted(linked):
        _derive(index, neighbour)
    _cycles(index, wanted)


def _neighbours(index: Index, ticket_id: str) -> set[str]:
    """Return the tickets whose derived columns depend on this one: its blockers and those that it blocks."""
    return {
        row[0]
        for row in index.db.execute(
            "SELECT blocker FROM blockers WHERE ticket = ?1 UNION SELECT ticket FROM blockers WHERE blocker = ?1",
            (ticket_id,),
        )
    }


def _put_ticket(index: Index, record: TicketRecord, created: Entry) -> None:
    ticket = record.ticket
    score = _score(ticket.priority, 0)
    row = (
        *(ticket.id, ticket.kind, ticket.type, ticket.title, str(ticket.status), ticket.priority, ticket.parent),
        *(
            score,
            0,
            0,
            record.is_satisfied,
            record.is_open,
            ",".join(record.conflicts),
            0,
            created.depth,
            *created.name,
        ),
        *(record.created_at, record.updated_at, codec.pack(record), -score),
    )
    index.db.execute(f"INSERT OR REPLACE INTO tickets VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - marks


def _put_edges(index: Index, ticket_id: TicketId, record: TicketRecord | None) -> None:
    index.db.execute("DELETE FROM blockers WHERE ticket = ?", (ticket_id,))
    index.db.execute("DELETE FROM labels WHERE ticket = ?", (ticket_id,))
    if record is not None:
        edges = [(ticket_id, blocker) for blocker in record.ticket.blockers]
        index.db.executemany("INSERT INTO blockers VALUES (?, ?)", edges)
        index.db.executemany("INSERT INTO labels VALUES (?, ?)", [(ticket_id, label) for label in record.ticket.labels])


def _derive(index: Index, ticket_id: str) -> None:
    """Write what follows for a ticket from its neighbours: open blockers, unblocks, score; nothing when it stands."""
    row = index.db.execute(
        "SELECT (SELECT COUNT(*) FROM blockers b JOIN tickets t ON t.id = b.ticket WHERE b.blocker = ?1 AND t.is_open),"
        " (SELECT COUNT(*) FROM blockers b LEFT JOIN tickets t ON t.id = b.blocker"
        " WHERE b.ticket = ?1 AND NOT COALESCE(t.satisfied, 0)), unblocks, open_blockers, priority"
        " FROM tickets WHERE id = ?1",
        (ticket_id,),
    ).fetchone()
    if row is None or row[:2] == row[2:4]:
        return
    unblocks, open_blockers, _, _, priority = row
    score = _score(priority, unblocks)
    index.db.execute(
        "UPDATE tickets SET unblocks = ?, open_blockers = ?, score = ?, rank = ? WHERE id = ?",
        (unblocks, open_blockers, score, -score, ticket_id),
    )


def _score(priority: int, unblocks: int) -> int:
    return 100 * (6 - min(max(priority, 1), 5)) + 30 * unblocks


def _cycles(index: Index, changed: Iterable[TicketId]) -> None:
    """Mark the edge that closes a ring of parents: of each ring the edge that is last in fold order.

    A ticket has one parent, so rings share no ticket: only those through a changed or marked ticket can have changed.
    """
    marked = {row[0] for row in index.db.execute("SELECT id FROM tickets WHERE cycle != 0")}
    for ticket_id in sorted(marked | set(changed)):
        ring = _ring(index, ticket_id)
        closing = max(ring, key=lambda member: _edge_order(index, member), default=None)
        for member in {ticket_id, *ring}:
            index.db.execute("UPDATE tickets SET cycle = ?1 WHERE id = ?2 AND cycle != ?1", (member == closing, member))


def _ring(index: Index, start: str) -> list[str]:
    """Return the ring of parents that `start` is on, empty when it is on none."""
    path = [start]
    visited = {start}
    while True:
        row = index.db.execute("SELECT parent FROM tickets WHERE id = ?", (path[-1],)).fetchone()
        parent = row[0] if row else None
        if parent == start:
            return path
        if parent is None or parent in visited:
            return []
        visited.add(parent)
        path.append(parent)


def _edge_order(index: Index, ticket_id: str) -> tuple[int, str, int]:
    """Return the place in fold order of the event that wrote the ticket's parent."""
    parent_writes = [
        entry
        for entry in entries_of(index, "ticket", ticket_id)
        if getattr(getattr(entry.data, "fields", None), "parent", msgspec.UNSET) is not msgspec.UNSET
    ]
    last = parent_writes[-1] if parent_writes else None
    return (last.depth, *last.name) if last else (0, "", 0)


def _session(index: Index, session_id: SessionId) -> None:
    entries = entries_of(index, "session", session_id)
    record: SessionRecord | None = fold_session(session_id, entries)
    if record is None:
        index.db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
        return
    index.db.execute(
        "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(session_id, record.ticket, record.status, record.actor, entries[0].depth),
            *(codec.pack(record), record.has_memento),
        ),
    )


def _handoff(index: Index, handoff_id: str) -> None:
    entries = entries_of(index, "handoff", handoff_id)
    record = fold_handoff(handoff_id, entries)
    if record is None:
        index.db.execute("DELETE FROM handoffs WHERE id = ?", (handoff_id,))
        return
    index.db.execute(
        "INSERT OR REPLACE INTO handoffs VALUES (?, ?, ?, ?, ?)",
        (handoff_id, record.ticket, record.taken_by, entries[0].depth, codec.pack(record)),
    )


def _reflection(index: Index, reflection_id: str) -> None:
    record = fold_reflection(reflection_id, entries_of(index, "reflection", reflection_id))
    if record is None:
        reflections.remove(index.db, reflection_id)
    else:
        reflections.put(index.db, record)


def _document(index: Index, name: str, knows: Causality) -> None:
    entries = entries_of(index, "document", name)
    document: Document | None = fold_document(name, entries, knows)
    if document is None:
        index.db.execute("DELETE FROM documents WHERE name = ?", (name,))
        return
    index.db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, codec.pack(document)))
    if name == _CONFIG:
        texts = [entry.data.text for entry in entries if isinstance(entry.data, DocumentEdited)]
        value, fault = settings.in_force([*texts, document.text])
        index.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", (name, value, fault))


def _policy(index: Index, knows: Causality) -> None:
    entries = entries_of(index, SUBJECT, SUBJECT)
    documents = {name: entries_of(index, "document", name) for name in DOCUMENTS} if entries else {}
    record = fold_policy(entries, documents, knows, _redacted(index))
    for name in (_POLICY, SEAL_DIGEST):
        index.db.execute("DELETE FROM settings WHERE name = ?", (name,))
    if record is None:
        return
    index.db.execute("INSERT INTO settings VALUES (?, ?, NULL)", (_POLICY, msgspec.json.encode(record).decode()))
    if record.seal is not None:
        index.db.execute("INSERT INTO settings VALUES (?, ?, NULL)", (SEAL_DIGEST, record.seal.digest))


def _redacted(index: Index) -> frozenset[str]:
    """Return the documents, and `policy`, of which events were taken out of the ledger."""
    subjects = (*DOCUMENTS, SUBJECT)
    rows = index.db.execute(
        f"SELECT DISTINCT subject FROM events WHERE subject IN ({', '.join('?' * len(subjects))})"  # noqa: S608 - marks
        " AND form GLOB 'redacted: *'",
        subjects,
    )
    return frozenset(row[0] for row in rows)
