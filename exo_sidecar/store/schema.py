"""The local index's tables (docs/decisions/0007). Disposable: all of it follows from the ledger."""

from typing import Final

SCHEMA_NUMBER: Final = 12

TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE writers (
    writer TEXT PRIMARY KEY, first INTEGER NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL, depth INTEGER NOT NULL,
    broken TEXT, left_out INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE segments (
    writer TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (writer, number)
) WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY, writer TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL, depth INTEGER NOT NULL,
    type TEXT NOT NULL, subject TEXT NOT NULL, ticket TEXT, epoch INTEGER, claim TEXT, session TEXT, line BLOB NOT NULL,
    form TEXT, token TEXT, adopted INTEGER
);
CREATE UNIQUE INDEX events_name ON events (writer, seq);
CREATE INDEX events_digest ON events (digest);
CREATE INDEX events_subject ON events (subject, depth, writer, seq);
CREATE INDEX events_ticket ON events (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX events_bad ON events (writer, seq) WHERE form IS NOT NULL OR token IS NOT NULL;

CREATE TABLE seen (
    writer TEXT NOT NULL, other TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (writer, other, at)
) WITHOUT ROWID;

CREATE TABLE unresolved (
    writer TEXT NOT NULL, at INTEGER NOT NULL, other TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL,
    why TEXT NOT NULL, PRIMARY KEY (writer, at, other)
) WITHOUT ROWID;

CREATE TABLE acquisitions (
    ticket TEXT NOT NULL, epoch INTEGER NOT NULL, session TEXT NOT NULL, writer TEXT NOT NULL, seq INTEGER NOT NULL,
    adopts TEXT, PRIMARY KEY (ticket, epoch, writer, seq)
) WITHOUT ROWID;

CREATE TABLE expirations (ticket TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (ticket, value)) WITHOUT ROWID;

CREATE TABLE lost (
    claim TEXT NOT NULL, ticket TEXT NOT NULL, writer TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (claim, writer, seq)
) WITHOUT ROWID;

CREATE TABLE redactions (
    writer TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, digest TEXT NOT NULL, kept TEXT NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (writer, seq)
) WITHOUT ROWID;
CREATE INDEX redactions_digest ON redactions (digest);

CREATE TABLE tickets (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, type TEXT NOT NULL, title TEXT NOT NULL, status TEXT NOT NULL,
    priority INTEGER NOT NULL, parent TEXT, score INTEGER NOT NULL, unblocks INTEGER NOT NULL,
    open_blockers INTEGER NOT NULL, satisfied INTEGER NOT NULL, is_open INTEGER NOT NULL, conflicts TEXT NOT NULL,
    cycle INTEGER NOT NULL, depth INTEGER NOT NULL, writer TEXT NOT NULL, seq INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, record BLOB NOT NULL, rank INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX tickets_status ON tickets (status, rank, priority, depth, writer, seq, id);
CREATE INDEX tickets_ready ON tickets (rank, priority, depth, writer, seq, id)
    WHERE status = 'todo' AND kind = 'task' AND open_blockers = 0 AND cycle = 0;
CREATE INDEX tickets_score ON tickets (rank, priority, depth, writer, seq, id);
CREATE INDEX tickets_parent ON tickets (parent) WHERE parent IS NOT NULL;
CREATE INDEX tickets_conflict ON tickets (id) WHERE conflicts != '';
CREATE INDEX tickets_cycle ON tickets (id) WHERE cycle != 0;

CREATE TABLE labels (ticket TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (ticket, label)) WITHOUT ROWID;
CREATE INDEX labels_label ON labels (label, ticket);
CREATE TABLE blockers (ticket TEXT NOT NULL, blocker TEXT NOT NULL, PRIMARY KEY (ticket, blocker)) WITHOUT ROWID;
CREATE INDEX blockers_blocker ON blockers (blocker, ticket);
CREATE TABLE keys (
    actor TEXT NOT NULL, key TEXT NOT NULL, depth INTEGER NOT NULL, writer TEXT NOT NULL, seq INTEGER NOT NULL,
    ticket TEXT NOT NULL, PRIMARY KEY (actor, key, depth, writer, seq)
) WITHOUT ROWID;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY, ticket TEXT NOT NULL, status TEXT NOT NULL, actor TEXT NOT NULL, depth INTEGER NOT NULL,
    record BLOB NOT NULL, has_memento INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_ticket ON sessions (ticket, status);
CREATE INDEX sessions_status ON sessions (status, depth DESC);

CREATE TABLE handoffs (
    id TEXT PRIMARY KEY, ticket TEXT NOT NULL, taken_by TEXT, depth INTEGER NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX handoffs_open ON handoffs (ticket, depth DESC) WHERE taken_by IS NULL;
CREATE INDEX handoffs_taken ON handoffs (taken_by) WHERE taken_by IS NOT NULL;

CREATE TABLE reflections (
    id TEXT PRIMARY KEY, scope TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL, rank INTEGER NOT NULL,
    tags TEXT NOT NULL, dismissed INTEGER NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX reflections_status ON reflections (dismissed, severity, rank, id);
CREATE INDEX reflections_scope ON reflections (scope, dismissed, severity, rank, id);

CREATE TABLE documents (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, fault TEXT) WITHOUT ROWID;
"""
