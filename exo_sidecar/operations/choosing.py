"""Choosing: which tickets may be handed out, in which order, and why the others may not; from the ledger alone."""

from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from exo_sidecar.domain import dispatch, sessions
from exo_sidecar.domain.dispatch import HeldBack
from exo_sidecar.domain.holding import holding, lease_held
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import TicketFilter, TicketRow, View

OFFERS_MAX: Final = 64
"""Most candidates of one claim: the best ones, so that a hundred agents at once find different ones."""
HELD_BACK_MAX: Final = 20
_SCANNED_MAX: Final = 2000
_OPEN: Final = tuple(status for status in Status if status not in CLOSED and status is not Status.BACKLOG)


class Filter(NamedTuple):
    """Which tickets the caller wants."""

    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Offer(NamedTuple):
    """A ticket to hand out, and those that would have come before it."""

    row: TicketRow
    passed_over: tuple[HeldBack, ...]


def offers(
    view: View, wanted: Filter, *, may_be_had: Callable[[TicketId], bool] | None = None
) -> tuple[TicketRow, ...]:
    """Return the tickets that may be handed out, the best first.

    Active ones are among them only where `may_be_had` says so of their lease.
    """
    rows = islice((row for row in view.candidates() if _fits(view, row, wanted)), OFFERS_MAX)
    active = _active(view, wanted) if may_be_had is not None else ()
    again = (row for row in active if may_be_had is not None and may_be_had(row.id) and _is_ready(view, row))
    # Sorting keeps the order of equals, and candidates come in dispatch order, the oldest first.
    return tuple(sorted([*rows, *again], key=_rank))[:OFFERS_MAX]


def refusal(view: View, ticket: TicketId) -> ExoError | None:
    """Return why this very ticket cannot be handed out, None when it can as far as the ledger knows."""
    not_ready = sessions.readiness(view, ticket, dispatched=True)
    holder = holding(view, ticket)
    if not_ready is not None or holder is None:
        return not_ready
    return lease_held(ticket, holder)


def held_back(view: View, wanted: Filter) -> tuple[HeldBack, ...]:
    """Return open tasks that are not handed out, with their reasons, the most urgent first, HELD_BACK_MAX at most."""
    rows = view.tickets(_filter(wanted, _OPEN), sort="score", after=None, limit=_SCANNED_MAX)
    found = (dispatch.explain(view, record) for row in rows if (record := view.ticket(row.id)) is not None)
    return tuple(islice((each for each in found if each.reasons), HELD_BACK_MAX))


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
