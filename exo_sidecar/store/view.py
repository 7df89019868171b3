"""The view of one index: what rules and reports ask, answered by indexed queries (implements `model.view.View`)."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import msgspec

from exo_sidecar.base.override import override
from exo_sidecar.model import ids
from exo_sidecar.model.check_run import Verified
from exo_sidecar.model.config import Config
from exo_sidecar.model.document import Document
from exo_sidecar.model.errors import IdAmbiguous, IdInvalid, IdNotFound
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.reflection import ReflectionFilter, ReflectionRecord
from exo_sidecar.model.session import OfflineClaim, SessionRecord, SessionStatus
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import HistoryEntry, Quarantined, TicketFilter, TicketRow, Unsettled
from exo_sidecar.store import handoffs, history, listing, reflections, supposing, troubles
from exo_sidecar.store.authority import authority_of
from exo_sidecar.store.index import Index

_TICKET: Final = msgspec.json.Decoder(TicketRecord)
_SESSION: Final = msgspec.json.Decoder(SessionRecord)
_DOCUMENT: Final = msgspec.json.Decoder(Document)
_SUGGESTIONS_MAX: Final = 3

Restrain: TypeAlias = Callable[[Config], Config]
"""Leaves out of the settings what this clone does not let a pulled policy loosen; passed in by operations."""


def _as_they_stand(config: Config) -> Config:
    return config


class IndexView:
    """One state of the ledger; valid while the context that handed it out is open."""

    def __init__(self, index: Index, restrain: Restrain = _as_they_stand) -> None:
        self.index = index
        self._db: sqlite3.Connection = index.db
        self._restrain = restrain

    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        """Return the ticket, None when there is none."""
        row = self._db.execute("SELECT record FROM tickets WHERE id = ?", (ticket_id,)).fetchone()
        return _TICKET.decode(row[0]) if row else None

    def find_ticket(self, text: str) -> TicketRecord:
        """Return the ticket named by an id, a unique prefix, or the part after the dash."""
        record = self.ticket(TicketId(self._resolve(text)))
        if record is None:
            message = f"there is no ticket {text}"
            raise IdNotFound(message, id=text)
        return record

    def tickets(self, wanted: TicketFilter, *, sort: str, after: str | None, limit: int) -> tuple[TicketRow, ...]:
        """Return rows in the order of `sort`, those after the id `after` only."""
        return listing.rows(self._db, wanted, sort=sort, after=after, limit=limit)

    def counts(self) -> dict[str, int]:
        """Return the number of tickets by status."""
        return {
            str(status): number
            for status, number in self._db.execute("SELECT status, COUNT(*) FROM tickets GROUP BY status")
        }

    def ticket_count(self) -> int:
        """Return how many tickets there are."""
        return int(self._db.execute("SELECT COUNT(*) FROM tickets").fetchone()[0])

    def children(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets whose parent this is; an edge that closes a ring does not count."""
        rows = self._db.execute("SELECT id FROM tickets WHERE parent = ? AND cycle = 0 ORDER BY id", (ticket_id,))
        return tuple(TicketId(row[0]) for row in rows)

    def dependents(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets that list this one as a blocker."""
        rows = self._db.execute("SELECT ticket FROM blockers WHERE blocker = ? ORDER BY ticket", (ticket_id,))
        return tuple(TicketId(row[0]) for row in rows)

    def candidates(
        self, *, after: TicketId | None = None, without: frozenset[str] = frozenset()
    ) -> Iterator[TicketRow]:
        """Yield free tasks in dispatch order, those behind `after` only, none of the types `without`."""
        return listing.candidates(self._db, after, without)

    def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session, None when there is none."""
        row = self._db.execute("SELECT record FROM sessions WHERE id = ?", (session_id,)).fetchone()
        return _SESSION.decode(row[0]) if row else None

    def sessions(
        self, *, ticket: TicketId | None = None, statuses: tuple[SessionStatus, ...] = (), limit: int = 100
    ) -> tuple[SessionRecord, ...]:
        """Return sessions, the youngest first."""
        terms = ["1"]
        values: list[str | int] = []
        if ticket is not None:
            terms.append("ticket = ?")
            values.append(ticket)
        if statuses:
            # A ticket has few sessions: with + they are not looked for among all that have the status.
            apart = "+" if ticket is not None else ""
            terms.append(f"{apart}status IN ({', '.join('?' * len(statuses))})")
            values += statuses
        rows = self._db.execute(
            f"SELECT record FROM sessions WHERE {' AND '.join(terms)} ORDER BY depth DESC, id LIMIT ?",  # noqa: S608 - fixed words
            (*values, limit),
        )
        return tuple(_SESSION.decode(row[0]) for row in rows)

    def handoff(self, ticket_id: TicketId) -> HandoffRecord | None:
        """Return what was handed on with the ticket and not taken up yet, the latest; None when nothing was."""
        return handoffs.waiting(self._db, ticket_id)

    def handoffs(self) -> tuple[HandoffRecord, ...]:
        """Return what was handed on and not taken up yet, of each ticket the latest."""
        return handoffs.every_waiting(self._db)

    def handoff_taken_by(self, session_id: SessionId) -> HandoffRecord | None:
        """Return what the session took up, None when it took up nothing."""
        return handoffs.taken_by(self._db, session_id)

    def reflection(self, reflection_id: str) -> ReflectionRecord | None:
        """Return the learning, dismissed or not; None when there is none."""
        return reflections.by_id(self._db, reflection_id)

    def find_reflection(self, text: str) -> ReflectionRecord:
        """Return the learning named by its id, a unique beginning of it, or the part after the dash."""
        return reflections.named(self._db, text)

    def reflections(
        self, wanted: ReflectionFilter, *, after: str | None = None, limit: int
    ) -> tuple[ReflectionRecord, ...]:
        """Return learnings by severity, how often they were recorded, and id."""
        return reflections.listed(self._db, wanted, after=after, limit=limit)

    def offline_session(self, session_id: SessionId) -> SessionRecord | None:
        """Return a session whose claim, made offline, no lease has confirmed; None when there is none of that kind."""
        return supposing.offline_session(self.index, session_id)

    def is_lost(self, nonce: str) -> bool:
        """Whether a claim made offline is known to have been lost."""
        return self._db.execute("SELECT 1 FROM lost WHERE claim = ?", (nonce,)).fetchone() is not None

    def supposing(self, claim: OfflineClaim) -> "IndexView":
        """Return the state as it would be if the claim were confirmed: what its own session works on."""
        return SupposingView(self.index, claim, self._restrain)

    def with_tickets(self, records: tuple[TicketRecord, ...]) -> "IndexView":
        """Return the state as it would be with these tickets: what several that are made at once are judged on."""
        return PlannedView(self, records, self._restrain)

    def last_checks(self, subject: str) -> Verified | None:
        """Return the last run of a ticket's checks, or of those that belong to none."""
        return history.last_checks(self._db, subject)

    def highest_epoch(self, ticket_id: TicketId) -> int:
        """Return the highest epoch that the ledger knows for the ticket."""
        row = self._db.execute("SELECT MAX(epoch) FROM acquisitions WHERE ticket = ?", (ticket_id,)).fetchone()
        return int(row[0] or 0)

    def is_expired(self, ticket_id: TicketId, value: str) -> bool:
        """Whether a clone has watched this very value of the lease for longer than its holder may be silent."""
        statement = "SELECT 1 FROM expirations WHERE ticket = ? AND value = ?"
        return self._db.execute(statement, (ticket_id, value)).fetchone() is not None

    def writers(self) -> tuple[str, ...]:
        """Return who has written to the ledger: clone ids, and names of forks of their chains."""
        return tuple(row[0] for row in self._db.execute("SELECT writer FROM writers WHERE seq > 0 ORDER BY writer"))

    def top_epoch(self) -> int:
        """Return the highest epoch that the ledger knows of any ticket, 0 when none was ever held."""
        return int(self._db.execute("SELECT MAX(epoch) FROM acquisitions").fetchone()[0] or 0)

    def document(self, name: str) -> Document | None:
        """Return an authored document."""
        row = self._db.execute("SELECT record FROM documents WHERE name = ?", (name,)).fetchone()
        return _DOCUMENT.decode(row[0]) if row else None

    def config(self) -> Config:
        """Return the settings in force here."""
        return self._restrain(self.written_config())

    def written_config(self) -> Config:
        """Return the settings as the last text that can be read has them, alike in every clone."""
        row = self._db.execute("SELECT value FROM settings WHERE name = 'config.yaml'").fetchone()
        return msgspec.json.decode(row[0], type=Config) if row else Config()

    def policy(self) -> PolicyRecord | None:
        """Return what the ledger says of the policy, None while nobody has compiled one."""
        row = self._db.execute("SELECT value FROM settings WHERE name = 'policy'").fetchone()
        return msgspec.json.decode(row[0], type=PolicyRecord) if row else None

    def authority(self) -> Authority | None:
        """Return the lease authority that the ledger names."""
        return authority_of(self.index)

    def created_with(self, actor: str, idem_key: str) -> TicketId | None:
        """Return the ticket that this actor made under the key."""
        row = self._db.execute(
            "SELECT ticket FROM keys WHERE actor = ? AND key = ? ORDER BY depth, writer, seq LIMIT 1", (actor, idem_key)
        ).fetchone()
        return TicketId(row[0]) if row else None

    def last_guard(self) -> str | None:
        """Return how the last guarded push was guarded, `atomic` or `checked`; None when there was none."""
        return history.last_guard(self._db)

    def history(self, subject: str, *, limit: int) -> tuple[HistoryEntry, ...]:
        """Return the events about a record in fold order, the last `limit` of them."""
        return history.entries(self._db, subject, limit=limit)

    def findings(self) -> tuple[Finding, ...]:
        """Return what the fold noticed."""
        return troubles.findings(self._db)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return events that do not count, with their reasons."""
        return troubles.quarantined(self._db)

    def unsettled(self) -> Unsettled:
        """Return how much waits for somebody to look at it."""
        return troubles.unsettled(self._db)

    def _resolve(self, text: str) -> str:
        """Return the one id that `text` names."""
        wanted = text.strip().upper()
        if (
            not wanted
            or len(wanted) > ids.LENGTH_MAX
            or not all(c.isalnum() or c == "-" for c in wanted)
            or not wanted.isascii()
        ):
            message = f"{text[:60]!r} is not an id"
            raise IdInvalid(message)
        if self._db.execute("SELECT 1 FROM tickets WHERE id = ?", (wanted,)).fetchone():
            return wanted
        found = self._starting(wanted) or self._own_part(wanted)
        if len(found) > 1:
            more = " and more" if len(found) > _SUGGESTIONS_MAX else ""
            message = f"{text} fits {', '.join(found[:_SUGGESTIONS_MAX])}{more}"
            raise IdAmbiguous(message, id=text, matches=tuple(found))
        if not found:
            message = f"there is no ticket {text}"
            raise IdNotFound(message, id=text)
        return found[0]

    def _starting(self, prefix: str) -> list[str]:
        rows = self._db.execute(
            "SELECT id FROM tickets WHERE id >= ? AND id < ? ORDER BY id LIMIT 5", (prefix, prefix + "\x7f")
        )
        return [row[0] for row in rows]

    def _own_part(self, part: str) -> list[str]:
        """Return the ids whose part after the dash starts with `part`; an exact one wins alone."""
        exact: list[str] = []
        found: list[str] = []
        for kind in ("TICKET", "INTENT", "EPIC"):
            candidates = self._starting(f"{kind}-{part}")
            exact += [candidate for candidate in candidates if candidate == f"{kind}-{part}"]
            found += candidates
        return exact or found


class SupposingView(IndexView):
    """The state as the session of a claim made offline sees it: its ticket and itself as if the claim counted."""

    def __init__(self, index: Index, claim: OfflineClaim, restrain: Restrain = _as_they_stand) -> None:
        super().__init__(index, restrain)
        self._claim = claim

    @override
    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        """Return the ticket; the claim's with what was written under it."""
        if ticket_id == self._claim.ticket:
            return supposing.ticket(self.index, self._claim)
        return super().ticket(ticket_id)

    @override
    def last_checks(self, subject: str) -> Verified | None:
        """Return the last run of a ticket's checks; those of the claim's session as well."""
        return history.last_checks(self._db, subject, self._claim.nonce)

    @override
    def handoff_taken_by(self, session_id: SessionId) -> HandoffRecord | None:
        """Return what the session took up, the claim's also under its claim."""
        own = supposing.handoff_taken(self.index, self._claim) if session_id == self._claim.session else None
        return own or super().handoff_taken_by(session_id)

    @override
    def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session, the claim's as well."""
        own = self.offline_session(session_id) if session_id == self._claim.session else None
        return own or super().session(session_id)

    @override
    def sessions(
        self, *, ticket: TicketId | None = None, statuses: tuple[SessionStatus, ...] = (), limit: int = 100
    ) -> tuple[SessionRecord, ...]:
        """Return sessions, the claim's first."""
        found = super().sessions(ticket=ticket, statuses=statuses, limit=limit)
        own = self.offline_session(self._claim.session)
        fits = own is not None and ticket in {None, own.ticket} and (not statuses or own.status in statuses)
        return (own, *found)[:limit] if own is not None and fits else found


class PlannedView(IndexView):
    """The state as it would be with tickets that are yet to be written: found by id, and below their parents."""

    def __init__(self, base: IndexView, records: tuple[TicketRecord, ...], restrain: Restrain = _as_they_stand) -> None:
        super().__init__(base.index, restrain)
        self._base = base
        self._planned = {record.id: record for record in records}

    @override
    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        """Return the ticket, a planned one before one that is there."""
        return self._planned.get(ticket_id) or self._base.ticket(ticket_id)

    @override
    def find_ticket(self, text: str) -> TicketRecord:
        """Return the ticket that `text` names, a planned one by its whole id."""
        return self._planned.get(TicketId(text.strip().upper())) or self._base.find_ticket(text)

    @override
    def children(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets whose parent this is or will be."""
        there = (child for child in self._base.children(ticket_id) if child not in self._planned)
        planned = (key for key, record in self._planned.items() if record.ticket.parent == ticket_id)
        return tuple(sorted((*there, *planned)))
