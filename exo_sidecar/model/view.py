"""View: what a rule may ask of the state at one branch tip. Read-only; answers follow from the ledger alone."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from exo_sidecar.model.check_run import Verified
from exo_sidecar.model.config import Config
from exo_sidecar.model.document import Document
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.reflection import ReflectionFilter, ReflectionRecord
from exo_sidecar.model.session import OfflineClaim, SessionRecord, SessionStatus
from exo_sidecar.model.ticket import TicketRecord


class TicketFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tickets a listing wants; empty means all."""

    statuses: tuple[Status, ...] = ()
    kinds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    parent: TicketId | None = None
    ids: tuple[TicketId, ...] | None = None
    """Only these; None: all."""
    conflicted: bool = False
    ready: bool = False
    archived: bool = False


class TicketRow(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in a listing."""

    id: TicketId
    title: str
    kind: str
    type: str
    status: Status
    priority: int
    parent: TicketId | None
    score: int
    unblocks: int
    open_blockers: int
    conflict_fields: tuple[str, ...]


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as reports show it."""

    event: str
    """`<clone>:<seq>`."""
    type: str
    at: str
    actor: str
    session: str | None
    epoch: int | None
    subject: str
    summary: str
    quarantined: str | None = None
    """Why it does not count; None when it does."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """Events that do not count, by their first and their reason."""

    event: str
    reason: str
    count: int = 1


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits for somebody to look at it."""

    tickets: int = 0
    """Tickets with a field that was written in several clones at once."""
    documents: int = 0
    """Documents with a place that was."""
    quarantined: int = 0
    """Events that do not count."""


class View(Protocol):
    """The state that a rule decides on."""

    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        """Return the ticket, None when there is none."""

    def find_ticket(self, text: str) -> TicketRecord:
        """Return the ticket named by an id, a unique prefix, or the part after the dash.

        Raises:
            IdNotFound, IdAmbiguous, IdInvalid.
        """

    def tickets(self, wanted: TicketFilter, *, sort: str, after: str | None, limit: int) -> tuple[TicketRow, ...]:
        """Return rows in the order of `sort` (score, priority, age, updated, id), those after the id `after` only."""

    def counts(self) -> dict[str, int]:
        """Return the number of tickets by status; statuses without a ticket are left out."""

    def ticket_count(self) -> int:
        """Return how many tickets there are, whatever their status."""

    def children(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets whose parent this is, in id order."""

    def dependents(self, ticket_id: TicketId) -> tuple[TicketId, ...]:
        """Return the tickets that list this one as a blocker, in id order."""

    def candidates(
        self, *, after: TicketId | None = None, without: frozenset[str] = frozenset()
    ) -> Iterator[TicketRow]:
        """Yield tasks in `todo`, blockers satisfied, no conflict on what may be done, in dispatch order.

        Those behind the candidate `after` only, and none of the types `without`.
        """

    def session(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session, None when there is none."""

    def sessions(
        self, *, ticket: TicketId | None = None, statuses: tuple[SessionStatus, ...] = (), limit: int = 100
    ) -> tuple[SessionRecord, ...]:
        """Return sessions, the youngest first."""

    def handoff(self, ticket_id: TicketId) -> HandoffRecord | None:
        """Return what was handed on with the ticket and not taken up yet, the latest; None when nothing was."""

    def handoffs(self) -> tuple[HandoffRecord, ...]:
        """Return what was handed on and not taken up yet, of each ticket the latest."""

    def handoff_taken_by(self, session_id: SessionId) -> HandoffRecord | None:
        """Return what the session took up, None when it took up nothing."""

    def reflection(self, reflection_id: str) -> ReflectionRecord | None:
        """Return the learning, dismissed or not; None when there is none."""

    def find_reflection(self, text: str) -> ReflectionRecord:
        """Return the learning named by its id, a unique beginning of it, or the part after the dash.

        Raises:
            IdNotFound, IdAmbiguous, IdInvalid.
        """

    def reflections(
        self, wanted: ReflectionFilter, *, after: str | None = None, limit: int
    ) -> tuple[ReflectionRecord, ...]:
        """Return learnings by severity, how often they were recorded, and id; those after the id `after` only."""

    def offline_session(self, session_id: SessionId) -> SessionRecord | None:
        """Return a session whose claim, made offline, no lease has confirmed; None when there is none of that kind."""

    def is_lost(self, nonce: str) -> bool:
        """Whether a claim made offline is known to have been lost."""

    def supposing(self, claim: OfflineClaim) -> "View":
        """Return the state as it would be if the claim were confirmed: what its own session works on."""

    def with_tickets(self, records: tuple[TicketRecord, ...]) -> "View":
        """Return the state as it would be with these tickets: what several that are made at once are judged on."""

    def last_checks(self, subject: str) -> Verified | None:
        """Return the last run of a ticket's checks, or of those that belong to none (`check`); None: none ran."""

    def highest_epoch(self, ticket_id: TicketId) -> int:
        """Return the highest epoch that the ledger knows for the ticket, 0 when it was never held."""

    def is_expired(self, ticket_id: TicketId, value: str) -> bool:
        """Whether a clone has watched this very value of the lease for longer than its holder may be silent."""

    def writers(self) -> tuple[str, ...]:
        """Return who has written to the ledger: clone ids, and names of forks of their chains."""

    def top_epoch(self) -> int:
        """Return the highest epoch that the ledger knows of any ticket, 0 when none was ever held."""

    def document(self, name: str) -> Document | None:
        """Return an authored document."""

    def config(self) -> Config:
        """Return the settings in force."""

    def policy(self) -> PolicyRecord | None:
        """Return what the ledger says of the policy, None while nobody has compiled one."""

    def written_config(self) -> Config:
        """Return the settings as they are written, alike in every clone: what names things, not what lets them run."""

    def authority(self) -> Authority | None:
        """Return the lease authority that the ledger names."""

    def created_with(self, actor: str, idem_key: str) -> TicketId | None:
        """Return the ticket that this actor made under the key, None when there is none."""

    def history(self, subject: str, *, limit: int) -> tuple[HistoryEntry, ...]:
        """Return the events about a record in fold order, the last `limit` of them."""

    def findings(self) -> tuple[Finding, ...]:
        """Return what the fold noticed: cycles, conflicts, documents that do not parse."""

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return events that do not count, with their reasons."""

    def unsettled(self) -> Unsettled:
        """Return how much waits for somebody to look at it; exact, however much it is."""
