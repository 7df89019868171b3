"""Ingest: ledger lines into the index, chain by chain, in causal order (docs/format.md, "Events" and "Quarantine").

A writer's events count up to its first break. Depth and knowledge are computed here once; they depend on the set of
lines alone, not on the order of arrival: an event waits until what its `seen` names has been taken in.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from msgspec import UnsetType

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.event import (
    Data,
    Event,
    EventRedacted,
    LeaseAcquired,
    LeaseExpired,
    LeaseLost,
    TicketCreated,
    lease_ticket,
)
from exo_sidecar.model.event_authority import AuthorityMoved, AuthoritySet
from exo_sidecar.store import codec, form, redaction
from exo_sidecar.store.arriving import paired
from exo_sidecar.store.entry import Name
from exo_sidecar.store.index import Index
from exo_sidecar.store.layout import clone_of
from exo_sidecar.store.redaction import Redactions

Seen: TypeAlias = Mapping[str, tuple[int, str]]
"""What an event says that its writer has seen: per other writer the highest event, and its digest."""

NAMES_MAX: Final = 100_000
"""So many clones are remembered that somebody named; names of nobody are as many as he likes."""


class Touched(NamedTuple):
    """What an ingest may have changed: records by noun, and tickets whose epochs must be judged again."""

    subjects: set[tuple[str, str]]
    leases: set[str]


class _Head(NamedTuple):
    """Where a writer's verified chain ends."""

    first: int
    seq: int
    digest: str
    depth: int
    broken: str | None
    left_out: int


class _Resolved(NamedTuple):
    """A `seen` entry that names an event in the index."""

    writer: str
    seq: int
    depth: int


class _Unmet(NamedTuple):
    """A `seen` entry that names nothing in the index; `wait` when lines that may hold it are still to come."""

    other: str
    seq: int
    digest: str
    why: str
    wait: bool


class Ingest:
    """One run over newly arrived lines."""

    def __init__(self, index: Index, arrivals: Mapping[str, Sequence[bytes]]) -> None:
        self._db = index.db
        self._pending = {writer: paired(lines) for writer, lines in sorted(arrivals.items())}
        self._arrivals = arrivals
        self._waiting = {digest for lines in self._pending.values() for _, digest in lines if digest}
        self._awaited: dict[str, str] = {}
        """Per writer the line that its next one waits for."""
        self._sleepers: dict[str, list[str]] = defaultdict(list)
        """The same the other way round: who is tried again once a line was taken in, so that none is tried in vain."""
        self._heads: dict[str, _Head] = {}
        self._highest: dict[str, int] = {}
        """Per clone that was asked for, or has events in this run, the highest number among its events."""
        self._last: tuple[str, Seen] = ("", {})
        """The writer whose line was taken in last, and what it said to have seen."""
        self._touched = Touched(set(), set())

    @cached_property
    def _announced(self) -> Redactions:
        """Redactions that are still to be taken in: a writer redacts its own earlier events, too."""
        return redaction.announced(line for lines in self._arrivals.values() for line in lines)

    def run(self) -> Touched:
        """Take everything in and return what it touched."""
        while any(self._pending.values()):
            if not self._advance():
                self._give_up_waiting()
        for writer, head in self._heads.items():
            self._db.execute("INSERT OR REPLACE INTO writers VALUES (?, ?, ?, ?, ?, ?, ?)", (writer, *head))
        return self._touched

    def _advance(self) -> bool:
        """Take in what can be; return whether anything could."""
        pending = self._pending.items()
        ready = deque(writer for writer, lines in pending if lines and self._awaited.get(writer) not in self._waiting)
        progress = False
        while ready:
            for digest in self._proceed(ready.popleft()):
                progress = True
                self._waiting.discard(digest)
                ready.extend(self._sleepers.pop(digest, ()))
        return progress

    def _proceed(self, writer: str) -> Iterator[str]:
        """Take in a writer's lines up to the first that must wait; yield the digest of each that is done with."""
        lines = self._pending[writer]
        while lines and self._head(writer).broken is None and self._take(writer, *lines[0]):
            yield lines.popleft()[1]
        if lines and self._head(writer).broken is not None:
            self._break(writer, "", len(lines))
            while lines:
                yield lines.popleft()[1]

    def _give_up_waiting(self) -> None:
        """Stop waiting for what never comes: forks without the event that they follow, lines behind a break.

        What is left waits for lines that are properly linked, and digests do not link in a circle.
        """
        for writer, event in self._orphans():
            lines = self._pending[writer]
            self._break(writer, "the chain that it forks from is not here", len(lines))
            # It is looked for again when it comes.
            self._miss(writer, event.seq, [_Unmet(clone_of(writer), event.seq - 1, event.prev, "absent", wait=False)])
            lines.clear()
        left = {digest for lines in self._pending.values() for digest in _linked(lines)}
        # The digest that a redacted line names binds nothing: only such lines can be made to wait in a circle.
        self._waiting = left if left != self._waiting else set()

    def _orphans(self) -> list[tuple[str, Event]]:
        found = []
        for writer, lines in self._pending.items():
            if not lines or self._head(writer).seq or "-" not in writer:
                continue
            event = codec.decode(lines[0][0])
            if self._start(writer, self._head(writer), event) is None and event.prev not in self._waiting:
                found.append((writer, event))
        return found

    def _take(self, writer: str, line: bytes, digest: str) -> bool:
        """Take one line in; False when it must wait for another writer's."""
        head = self._head(writer)
        try:
            event = codec.decode(line)
        except codec.MalformedError as error:
            return self._break(writer, f"line {self._line(head)}: {error}", 1)
        start = self._start(writer, head, event)
        if start is None:
            return self._wait(writer, event.prev)
        fault = self._chain_fault(writer, start, event) or self._redaction_fault(event, line)
        if fault is not None:
            return self._break(writer, f"line {self._line(head)}: {fault}", 1)
        found = self._look_up_seen(event, writer)
        awaited = next((entry.digest for entry in found if isinstance(entry, _Unmet) and entry.wait), None)
        if awaited is not None:
            return self._wait(writer, awaited)
        depth = self._connect(writer, start, event, found)
        self._heads[writer] = _Head(head.first or event.seq, event.seq, digest, depth, None, 0)
        self._store(writer, event, line, digest, depth)
        # Once all waiting was given up, lines may still come of which it was said that they are not here.
        self._last = (writer, _seen(event) if self._waiting else {})
        return True

    def _wait(self, writer: str, digest: str) -> bool:
        self._awaited[writer] = digest
        self._sleepers[digest].append(writer)
        return False

    def _connect(self, writer: str, head: _Head, event: Event, found: Sequence[_Resolved | _Unmet]) -> int:
        """Write down what the event came to know and return its depth."""
        known = [entry for entry in found if isinstance(entry, _Resolved)]
        self._see(writer, event.seq, ((entry.writer, entry.seq) for entry in known))
        self._miss(writer, event.seq, (entry for entry in found if isinstance(entry, _Unmet)))
        return max((head.depth, *(entry.depth for entry in known))) + 1

    def _miss(self, writer: str, at: int, unmet: Iterable[_Unmet]) -> None:
        """Write down what the event `at` names and is not here."""
        self._db.executemany(
            "INSERT INTO unresolved VALUES (?, ?, ?, ?, ?, ?)", ((writer, at, *entry[:4]) for entry in unmet)
        )

    def _store(self, writer: str, event: Event, line: bytes, digest: str, depth: int) -> None:
        self._highest[event.clone] = max(event.seq, self._highest_of(event.clone))
        data, fault = form.data_of(event)
        ticket = lease_ticket(event.subject, data) if data is not None else None
        epoch = None if isinstance(event.epoch, UnsetType) else event.epoch
        claim = None if isinstance(event.claim, UnsetType) else event.claim
        self._db.execute(
            "INSERT INTO events (writer, seq, digest, depth, type, subject, ticket, epoch, claim, session, line, form)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(writer, event.seq, digest, depth, event.type, event.subject),
                *(ticket, epoch, claim, event.session, line, fault),
            ),
        )
        if data is None:
            return
        noun = event.type.partition(".")[0]
        self._touched.subjects.add((noun, event.subject))
        if ticket is not None and (epoch is not None or claim is not None):
            self._touched.leases.add(ticket)
        self._note(Name(writer, event.seq), depth, event, data)

    def _note(self, name: Name, depth: int, event: Event, data: Data) -> None:
        """Keep what is looked up by other keys than the subject."""
        match data:
            case LeaseAcquired():
                self._touched.leases.add(data.ticket)
                self._db.execute(
                    "INSERT INTO acquisitions VALUES (?, ?, ?, ?, ?, ?)",
                    (data.ticket, data.epoch, data.session, *name, data.adopts),
                )
            case EventRedacted():
                self._db.execute(
                    "INSERT INTO redactions VALUES (?, ?, ?, ?, ?, ?)",
                    (*name, data.event, data.digest, data.kept, data.reason),
                )
            case LeaseExpired():
                self._db.execute("INSERT OR IGNORE INTO expirations VALUES (?, ?)", (data.ticket, data.value))
            case LeaseLost():
                self._touched.leases.add(data.ticket)
                self._db.execute("INSERT INTO lost VALUES (?, ?, ?, ?)", (data.claim, data.ticket, *name))
            case TicketCreated() if data.idem_key:
                self._db.execute(
                    "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)",
                    (event.actor, data.idem_key, depth, *name, event.subject),
                )
            case AuthoritySet() | AuthorityMoved():
                self._touched.subjects.add(("authority", event.subject))
            case _:
                pass

    def _head(self, writer: str) -> _Head:
        if writer not in self._heads:
            row = self._db.execute(
                "SELECT first, seq, digest, depth, broken, left_out FROM writers WHERE writer = ?", (writer,)
            ).fetchone()
            self._heads[writer] = _Head(*row) if row else _Head(0, 0, NO_DIGEST, 0, None, 0)
        return self._heads[writer]

    def _start(self, writer: str, head: _Head, event: Event) -> _Head | None:
        """Return the head that the event must follow: a fork's first follows its parent's; None to wait for it."""
        if head.seq or "-" not in writer or event.seq == 1:
            return head
        before = self._find(clone_of(writer), event.seq - 1, event.prev)
        if before is None:
            return None
        self._inherit(writer, before.writer, event.seq)
        return _Head(0, event.seq - 1, event.prev, before.depth, None, 0)

    def _inherit(self, writer: str, parent: str, seq: int) -> None:
        """Give a fork what its parent knew at the fork."""
        known = self._db.execute(
            "SELECT other, MAX(seq) FROM seen WHERE writer = ? AND at < ? GROUP BY other", (parent, seq)
        ).fetchall()
        self._see(writer, seq, (*known, (parent, seq - 1)))

    def _see(self, writer: str, at: int, known: Iterable[tuple[str, int]]) -> None:
        """Write down that the event `at` knows others up to these numbers, where that is more than its writer knew."""
        self._db.executemany(
            "INSERT OR REPLACE INTO seen SELECT ?1, ?2, ?3, ?4 WHERE ?4 > COALESCE((SELECT seq FROM seen"
            " WHERE writer = ?1 AND other = ?2 AND at <= ?3 ORDER BY at DESC LIMIT 1), 0)",
            ((writer, other, at, seq) for other, seq in known),
        )

    def _chain_fault(self, writer: str, head: _Head, event: Event) -> str | None:
        if event.clone != clone_of(writer):
            return f"it names the clone {event.clone}"
        if event.seq != head.seq + 1:
            return f"its number is {event.seq}, not {head.seq + 1}"
        if event.prev != head.digest:
            return f"event {event.seq} does not follow the one before it (wrong prev)"
        return None

    def _redaction_fault(self, event: Event, line: bytes) -> str | None:
        if not codec.is_redacted(event):
            return None
        known = redaction.known(self._db, str(event.digest))
        if redaction.is_allowed(event, line, known) or redaction.is_allowed(event, line, self._announced):
            return None
        return f"event {event.seq} {redaction.UNANNOUNCED}"

    def _look_up_seen(self, event: Event, writer: str) -> list[_Resolved | _Unmet]:
        """Find what the event says to have seen, without what the one before it said: that was found out then.

        Nobody who writes with exo says a thing twice; a thousand entries said a thousand times are not looked up anew.
        """
        last, before = self._last
        said = before if last == writer else {}
        named = ((other, entry) for other, entry in sorted(_seen(event).items()) if said.get(other) != entry)
        return [self._look_up(other, *entry) for other, entry in named if other != writer]

    def _look_up(self, other: str, seq: int, digest: str) -> _Resolved | _Unmet:
        """Find the event that a `seen` entry names, by digest: it may stand in a fork of the named writer.

        Waiting for a line by its digest never runs in a circle, because a digest binds what the line knew.
        """
        if seq > self._highest_of(clone_of(other)):
            return _Unmet(other, seq, digest, "absent", digest in self._waiting)
        return self._find(other, seq, digest) or _Unmet(other, seq, digest, "different", digest in self._waiting)

    def _highest_of(self, clone: str) -> int:
        """Return the highest number of a clone's events; each below it is here, too: a fork begins behind an event."""
        found = self._highest.get(clone)
        if found is None:
            row = self._db.execute(
                "SELECT MAX(seq) FROM writers WHERE writer >= ? AND writer < ?", (clone, f"{clone}.")
            ).fetchone()
            found = int(row[0] or 0)
            if len(self._highest) < NAMES_MAX:
                self._highest[clone] = found
        return found

    def _find(self, name: str, seq: int, digest: str) -> _Resolved | None:
        """Return the event of that number and digest: the writer's own before one of its clone or of a fork of it."""
        clone = clone_of(name)
        row = self._db.execute(
            "SELECT writer, seq, depth FROM events WHERE digest = ? AND seq = ? AND writer >= ? AND writer < ?"
            " ORDER BY writer != ?, writer LIMIT 1",
            (digest, seq, clone, f"{clone}.", name),
        ).fetchone()
        return _Resolved(*row) if row else None

    def _line(self, head: _Head) -> int:
        return (head.seq - head.first + 1 if head.first else 0) + 1

    def _break(self, writer: str, reason: str, lines: int) -> bool:
        head = self._head(writer)
        self._heads[writer] = head._replace(broken=head.broken or reason, left_out=head.left_out + lines)
        return True


def _seen(event: Event) -> Seen:
    return {} if isinstance(event.seen, UnsetType) else event.seen


def _linked(lines: Iterable[tuple[bytes, str]]) -> Iterator[str]:
    """Yield the digests of those lines from the first on that name the one before them."""
    before: str | None = None
    for line, digest in lines:
        try:
            event = codec.decode(line)
        except codec.MalformedError:
            return
        if before is not None and event.prev != before:
            return
        yield digest
        before = digest
