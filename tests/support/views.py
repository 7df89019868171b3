"""A view made of dictionaries, and tickets to fill it: rules are tested without a repository."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from exo_sidecar.model.actor import Actor
from exo_sidecar.model.check_run import Verified
from exo_sidecar.model.config import Config
from exo_sidecar.model.document import Document
from exo_sidecar.model.errors import IdAmbiguous, IdNotFound
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.ids import CloneId, SessionId, TicketId
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.reflection import ReflectionFilter, ReflectionRecord
from exo_sidecar.model.session import OfflineClaim, SessionRecord, SessionStatus
from exo_sidecar.model.ticket import Kind, Scope, Ticket, TicketRecord, Version
from exo_sidecar.model.view import HistoryEntry, Quarantined, TicketFilter, TicketRow, Unsettled

AT = "2026-01-02T03:04:05Z"
JANE = Actor("human:jane")
CLAUDE = Actor("agent:claude")
CODEX = Actor("agent:codex")


class Asking(NamedTuple):
    """Who calls."""

    actor: Actor = JANE
    session: SessionId | None = None


class FakeView:
    """State held in dictionaries; implements `model.view.View`."""

    def __init__(self, *records: TicketRecord, config: Config | None = None) -> None:
        self.records = {record.id: record for record in records}
        self.session_records: list[SessionRecord] = []
        self.handed_on: list[HandoffRecord] = []
        self.epochs: dict[TicketId, int] = {}
        self.documents: dict[str, Document] = {}
        self.settings = config or Config()
        self.keys: dict[tuple[str, str], TicketId] = {}
        self.lease_authority: Authority | None = None
        self.expired: set[tuple[TicketId, str]] = set()
        self.verified: dict[str, Verified] = {}
        self.compiled: PolicyRecord | None = None
        self.learnt: list[ReflectionRecord] = []

    def put(self, *records: TicketRecord) -> None:
        """Add records, or replace those of the same id."""
        self.records |= {record.id: record for record in records}

    def works(self, session: SessionRecord) -> SessionRecord:
        """Add a session as the youngest; its epoch becomes the highest of its ticket when it is."""
        self.session_records.insert(0, session)
        self.epochs[session.ticket] = max(self.epochs.get(session.ticket, 0), session.epoch or 0)
        return session

    def policy(self) -> PolicyRecord | None:
        """Return the policy, None while nobody has compiled one."""
        return self.compiled

    def last_checks(self, subject: str) -> Verified | None:
        """Return the last run of a ticket's checks."""
        return self.verified.get(subject)

    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        """Return the ticket, None when there is none."""
        return self.records.get(ticket_id)

    def find_ticket(self, text: str) -> TicketRecord:
        """Return the ticket named by an id, a unique prefix, or the part after the dash."""
        wanted = text.strip().upper()
        if wanted in self.records:
            return self.records[TicketId(wanted)]
        found = [key for key in self.records if key.startswith(wanted) or key.split("-", 1)[1] == wanted]
        if len(found) > 1:
            message = f"{text} fits several"
            raise IdAmbiguous(message)
        if not found:
            message = f"there is no ticket {text}"
            raise IdNotFound(message)
        return self.records[found[0]]

    def tickets(self, wanted: TicketFilter, *, sort: str, after: str | None, limit: int) -> tuple[TicketRow, ...]:
        """Return rows in id order; a fake sorts by nothing else."""
        del sort
        rows = (self._row(record) for record in sorted(self.records.values(), key=lambda record: record.id))
        named = (row for row in rows if wanted.ids is None or row.id in wanted.ids)
        kept = (row for row in named if not wanted.statuses or row.status in wanted.statuses)
        return tuple(row for row in kept if after is None or row.id > after)[:limit]

    def counts(self) -> dict[str, int]:
        """Return the number of tickets by status."""
        statuses = [str(record.ticket.status) for record in self.records.values()]
        return {status: statuses.count(status) for status in statuses}

    def ticket_count(self) -> int:
        """Return how many tickets there are."""
        return len(self.records)

    def children(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets whose parent this is."""
        return tuple(sorted(key for key, record in self.records.items() if record.ticket.parent == ticket_id))

    def dependents(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets that list this one as a blocker."""
        return tuple(sorted(key for key, record in self.records.items() if ticket_id in record.ticket.blockers))

    def candidates(
        self, *, after: TicketId | None = None, without: frozenset[str] = frozenset()
    ) -> Iterator[TicketRow]:
        """Yield tasks in `todo`."""
        rows = self.tickets(TicketFilter(statuses=(Status.TODO,)), sort="id", after=after, limit=1000)
        return (row for row in rows if row.kind == "task" and row.type not in without)

    def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session, None when there is none."""
        return next((session for session in self.session_records if session.id == session_id), None)

    def sessions(
        self, *, ticket: TicketId | None = None, statuses: tuple[SessionStatus, ...] = (), limit: int = 100
    ) -> tuple[SessionRecord, ...]:
        """Return sessions, the youngest first."""
        found = (session for session in self.session_records if ticket is None or session.ticket == ticket)
        return tuple(session for session in found if not statuses or session.status in statuses)[:limit]

    def handoff(self, ticket_id: TicketId) -> HandoffRecord | None:
        """Return what waits on the ticket."""
        return next((each for each in self.handed_on if each.ticket == ticket_id and each.taken_by is None), None)

    def handoffs(self) -> tuple[HandoffRecord, ...]:
        """Return what waits."""
        return tuple(each for each in self.handed_on if each.taken_by is None)

    def handoff_taken_by(self, session_id: SessionId) -> HandoffRecord | None:
        """Return what the session took up."""
        return next((each for each in self.handed_on if each.taken_by == session_id), None)

    def reflection(self, reflection_id: str) -> ReflectionRecord | None:
        """Return the learning."""
        return next((each for each in self.learnt if each.id == reflection_id), None)

    def find_reflection(self, text: str) -> ReflectionRecord:
        """Return the learning of that very id."""
        found = self.reflection(text)
        if found is None:
            message = f"there is no learning {text}"
            raise IdNotFound(message)
        return found

    def reflections(
        self, wanted: ReflectionFilter, *, after: str | None = None, limit: int
    ) -> tuple[ReflectionRecord, ...]:
        """Return the active learnings of a scope, in the order of the test."""
        del after
        return tuple(each for each in self.learnt if wanted.scope in {None, each.scope} and each.is_active)[:limit]

    def offline_session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session when its claim is provisional."""
        found = self.session(session_id)
        return found if found is not None and found.claim is not None else None

    def is_lost(self, nonce: str) -> bool:
        """Return that no claim was lost."""
        del nonce
        return False

    def supposing(self, claim: OfflineClaim) -> "FakeView":
        """Return the same state: a fake holds what its test puts there."""
        del claim
        return self

    def with_tickets(self, records: tuple[TicketRecord, ...]) -> "FakeView":
        """Return the same state with these tickets besides."""
        found = FakeView(*self.records.values(), config=self.settings)
        found.session_records, found.epochs = self.session_records, self.epochs
        found.put(*records)
        return found

    def highest_epoch(self, ticket_id: TicketId) -> int:
        """Return the highest epoch of the ticket."""
        return self.epochs.get(ticket_id, 0)

    def is_expired(self, ticket_id: TicketId, value: str) -> bool:
        """Whether the value of the ticket's lease is known to have stood still."""
        return (ticket_id, value) in self.expired

    def writers(self) -> tuple[str, ...]:
        """Return nobody: these records come from no ledger."""
        return ()

    def top_epoch(self) -> int:
        """Return the highest epoch of any ticket."""
        return max(self.epochs.values(), default=0)

    def document(self, name: str) -> Document | None:
        """Return an authored document."""
        return self.documents.get(name)

    def config(self) -> Config:
        """Return the settings."""
        return self.settings

    def written_config(self) -> Config:
        """Return the settings: nothing is held back."""
        return self.settings

    def authority(self) -> Authority | None:
        """Return the lease authority."""
        return self.lease_authority

    def created_with(self, actor: str, idem_key: str) -> TicketId | None:
        """Return the ticket that this actor made under the key."""
        return self.keys.get((actor, idem_key))

    def history(self, subject: str, *, limit: int) -> tuple[HistoryEntry, ...]:
        """Return nothing: a fake has no events."""
        del subject, limit
        return ()

    def findings(self) -> tuple[Finding, ...]:
        """Return nothing."""
        return ()

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return nothing."""
        return ()

    def unsettled(self) -> Unsettled:
        """Return how many tickets are in conflict."""
        return Unsettled(tickets=sum(1 for record in self.records.values() if record.conflicts))

    def _row(self, record: TicketRecord) -> TicketRow:
        ticket = record.ticket
        waiting = [key for key in ticket.blockers if key not in self.records or not self.records[key].is_satisfied]
        return TicketRow(
            id=ticket.id,
            title=ticket.title,
            kind=ticket.kind,
            type=ticket.type,
            status=ticket.status,
            priority=ticket.priority,
            parent=ticket.parent,
            score=0,
            unblocks=len(self.dependents(ticket.id)),
            open_blockers=len(waiting),
            conflict_fields=tuple(sorted(record.conflicts)),
        )


def a_ticket(  # noqa: PLR0913 - a builder names what a test cares about
    ticket_id: str = "TICKET-1",
    *,
    kind: Kind = "task",
    status: Status = Status.TODO,
    parent: str | None = "INTENT-1",
    blockers: tuple[str, ...] = (),
    allow: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
    checks: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    type: str = "feature",  # noqa: A002 - the field's name
) -> Ticket:
    """Return a ticket; a task below INTENT-1 unless told otherwise."""
    return Ticket(
        id=TicketId(ticket_id),
        kind=kind,
        title=f"Title of {ticket_id}",
        status=status,
        type=type,
        parent=TicketId(parent) if parent and kind != "intent" else None,
        blockers=tuple(TicketId(blocker) for blocker in blockers),
        labels=labels,
        scope=Scope(allow=allow or ("**",), deny=deny),
        checks=checks,
        notes=notes,
    )


def a_record(
    ticket: Ticket | None = None,
    *,
    creator: str = JANE,
    resolution: str | None = None,
    conflicts: dict[str, tuple[Version, ...]] | None = None,
) -> TicketRecord:
    """Return a ticket with what the fold knows of it."""
    return TicketRecord(
        ticket=ticket or a_ticket(),
        created_at=AT,
        creator=creator,
        updated_at=AT,
        resolution=resolution,
        conflicts=conflicts or {},
    )


def an_intent(
    ticket_id: str = "INTENT-1", *, status: Status = Status.TODO, allow: tuple[str, ...] = ()
) -> TicketRecord:
    """Return an intent."""
    return a_record(a_ticket(ticket_id, kind="intent", status=status, allow=allow))


def a_session(
    session_id: str = "SES-A",
    *,
    ticket: str = "TICKET-1",
    actor: str = CLAUDE,
    status: SessionStatus = "active",
    epoch: int | None = 1,
) -> SessionRecord:
    """Return a session that works on TICKET-1 unless told otherwise."""
    return SessionRecord(
        id=SessionId(session_id),
        ticket=TicketId(ticket),
        actor=actor,
        status=status,
        clone=CloneId("0123456789abcdef"),
        epoch=epoch,
    )


def with_status(record: TicketRecord, status: Status) -> TicketRecord:
    """Return the record in another status."""
    return msgspec.structs.replace(record, ticket=msgspec.structs.replace(record.ticket, status=status))
