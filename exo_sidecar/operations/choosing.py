"""Choosing: which tickets may be handed out, in which order, and why the others may not; from the ledger alone."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from exo_sidecar.domain import dispatch, lanes, sessions
from exo_sidecar.domain.dispatch import HeldBack, Reason
from exo_sidecar.domain.holding import holding, lease_held
from exo_sidecar.domain.lanes import Gate
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import TicketFilter, TicketRow, View

OFFERS_MAX: Final = 64
"""Most candidates of one claim: the best ones, so that a hundred agents at once find different ones."""
HELD_BACK_MAX: Final = 20
_SCANNED_MAX: Final = 2000
_TYPES_MAX: Final = 200
"""Most types that one query leaves out; people have a handful."""
_OPEN: Final = tuple(status for status in Status if status not in CLOSED and status is not Status.BACKLOG)


class Filter(NamedTuple):
    """Which tickets the caller wants."""

    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    lane: str | None = None


Place: TypeAlias = tuple[int, int, int]


class Offers(NamedTuple):
    """Tickets to hand out, the best first, and those that are ready and kept back all the same."""

    rows: tuple[TicketRow, ...]
    kept: tuple[HeldBack, ...]
    order: Mapping[TicketId, Place]
    """Of both, where they stand in dispatch order."""


class Offer(NamedTuple):
    """A ticket to hand out, and those that would have come before it."""

    row: TicketRow
    passed_over: tuple[HeldBack, ...]


def offers(view: View, wanted: Filter, gate: Gate, *, may_be_had: Callable[[TicketId], bool] | None = None) -> Offers:
    """Return the tickets that may be handed out, the best first, and what `gate` keeps back of them.

    Active ones are among them only where `may_be_had` says so of their lease.
    """
    sieve = _Sieve(view, wanted, gate)
    rows = islice(sieve.candidates(), OFFERS_MAX)
    active = _active(view, wanted) if may_be_had is not None else ()
    again = (row for row in active if may_be_had is not None and may_be_had(row.id) and sieve.passes(row))
    # Sorting keeps the order of equals, and candidates come in dispatch order, the oldest first.
    found = tuple(sorted([*rows, *again], key=_rank))[:OFFERS_MAX]
    return Offers(found, tuple(sieve.kept), sieve.order)


def passed_over(offered: Offers, row: TicketRow, held: tuple[HeldBack, ...] = ()) -> tuple[HeldBack, ...]:
    """Return what would have come before the ticket that was chosen: kept back, or `held` by somebody else."""
    before = (told for told in (*offered.kept, *held) if offered.order[told.ticket] < offered.order[row.id])
    return tuple(sorted(before, key=lambda told: offered.order[told.ticket]))[:HELD_BACK_MAX]


def raise_no_room(offered: Offers) -> None:
    """Raise LaneFull or ConcurrencyLimit when tickets are ready and nothing but that keeps them back."""
    found = [(told.ticket, reason) for told in offered.kept for reason in told.reasons if lanes.is_about_room(reason)]
    if not found:
        return
    error = lanes.error_of(found[0][1])
    error.details["held_back"] = tuple(f"{ticket}: {reason.message}" for ticket, reason in found)
    raise error


def refusal(view: View, ticket: TicketId) -> ExoError | None:
    """Return why this very ticket cannot be handed out, None when it can as far as the ledger knows."""
    not_ready = sessions.readiness(view, ticket, dispatched=True)
    holder = holding(view, ticket)
    if not_ready is not None or holder is None:
        return not_ready
    return lease_held(ticket, holder)


def held_back(view: View, wanted: Filter, gate: Gate | None = None) -> tuple[HeldBack, ...]:
    """Return open tasks that are not handed out, with their reasons, the most urgent first, HELD_BACK_MAX at most."""
    rows = view.tickets(_filter(wanted, _OPEN), sort="score", after=None, limit=_SCANNED_MAX)
    if wanted.lane is not None:
        scheduler = view.config().scheduler
        lane = lanes.named(scheduler, wanted.lane)
        rows = tuple(row for row in rows if lanes.lane_of(scheduler, row.type) == lane)
    found = (_explained(view, row, gate) for row in rows)
    return tuple(islice((each for each in found if each is not None and each.reasons), HELD_BACK_MAX))


def row_of(view: View, record: TicketRecord) -> TicketRow:
    """Return a ticket as listings show it."""
    ticket = record.ticket
    unblocks = dispatch.unblocks(view, record.id)
    return TicketRow(
        id=record.id,
        title=ticket.title,
        kind=ticket.kind,
        type=ticket.type,
        status=ticket.status,
        priority=ticket.priority,
        parent=ticket.parent,
        score=dispatch.score(ticket.priority, unblocks),
        unblocks=unblocks,
        open_blockers=0,
        conflict_fields=tuple(record.conflicts),
    )


class _Sieve:
    """Lets candidates through; types of which none can pass any more are left out of the query, however many wait."""

    def __init__(self, view: View, wanted: Filter, gate: Gate) -> None:
        self._view = view
        self._wanted = wanted
        self._gate = gate
        self._scheduler = view.config().scheduler
        self._lane = lanes.named(self._scheduler, wanted.lane) if wanted.lane else None
        self._without: set[str] = set()
        self._is_over = False
        """Whether nothing at all passes any more."""
        self.kept: list[HeldBack] = []
        self.order: dict[TicketId, Place] = {}

    def candidates(self) -> Iterator[TicketRow]:
        """Yield the candidates that pass, in dispatch order."""
        after: TicketId | None = None
        while True:
            for row in self._view.candidates(after=after, without=frozenset(self._without)):
                if self.passes(row):
                    yield row
                if self._is_over:
                    return
                if row.type in self._without:
                    after = row.id
                    break
            else:
                return

    def passes(self, row: TicketRow) -> bool:
        """Whether the ticket may be handed out; what the gate keeps back of those that are wanted is noted."""
        if not self._is_wanted(row.type):
            return self._leave_out(row.type)
        reason = self._gate(row.id, row.type)
        if reason is not None and len(self.kept) >= HELD_BACK_MAX:
            return self._leave_out(row.type, reason)
        if not _fits(self._view, row, self._wanted):
            return False
        self.order[row.id] = (*_rank(row), len(self.order))
        if reason is not None:
            self.kept.append(HeldBack(row.id, (reason,)))
        return reason is None

    def _is_wanted(self, ticket_type: str) -> bool:
        if self._wanted.types and ticket_type not in self._wanted.types:
            return False
        return self._lane is None or lanes.lane_of(self._scheduler, ticket_type) == self._lane

    def _leave_out(self, ticket_type: str, reason: Reason | None = None) -> bool:
        """Note what no ticket of the type, or none at all, can get by; what is about one ticket says nothing more."""
        if reason is not None and lanes.is_about_all(reason):
            self._is_over = True
        elif (reason is None or lanes.is_about_room(reason)) and len(self._without) < _TYPES_MAX:
            self._without.add(ticket_type)
        return False


def _explained(view: View, row: TicketRow, gate: Gate | None) -> HeldBack | None:
    record = view.ticket(row.id)
    if record is None:
        return None
    found = dispatch.explain(view, record)
    reason = gate(row.id, row.type) if gate is not None and not found.reasons else None
    return found if reason is None else HeldBack(row.id, (reason,))


def _active(view: View, wanted: Filter) -> tuple[TicketRow, ...]:
    return view.tickets(_filter(wanted, (Status.ACTIVE,)), sort="score", after=None, limit=_SCANNED_MAX)


def _filter(wanted: Filter, statuses: tuple[Status, ...]) -> TicketFilter:
    return TicketFilter(statuses=statuses, kinds=("task",), types=wanted.types, labels=wanted.labels)


def _fits(view: View, row: TicketRow, wanted: Filter) -> bool:
    """Whether the ticket is of a wanted sort, and its place in the hierarchy lets it be worked on."""
    if wanted.types and row.type not in wanted.types:
        return False
    if wanted.labels:
        record = view.ticket(row.id)
        if record is None or not set(wanted.labels) <= set(record.ticket.labels):
            return False
    return _is_ready(view, row)


def _is_ready(view: View, row: TicketRow) -> bool:
    return sessions.readiness(view, row.id, dispatched=True) is None


def _rank(row: TicketRow) -> tuple[int, int]:
    return -row.score, row.priority
