"""Ticket-archive: closed tickets put away, out of lists and dispatch."""

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from exo_sidecar.domain import archiving, holding
from exo_sidecar.domain.archiving import Verdict
from exo_sidecar.model import duration
from exo_sidecar.model.errors import Usage, ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import TicketFilter, View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

ARCHIVED_MAX: Final = 1000
"""Most tickets of one call: each is an event and a file of one commit."""
_SKIPPED_MAX: Final = 100
_SCANNED_MAX: Final = 100_000


class TicketArchive(Params, frozen=True, kw_only=True):
    """Parameters of `ticket-archive`."""

    ids: Annotated[
        tuple[str, ...], param("Tickets to put away", positional=True, metavar="ID", completes="ticket")
    ] = ()
    all_closed: Annotated[bool, param("All that are done or cancelled")] = False
    older_than: Annotated[
        str | None, param("Only what nothing has happened to for so long, like 30d", metavar="DUR")
    ] = None


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that stays where it is."""

    id: TicketId
    reason: str


class TicketsArchived(Result, frozen=True, kw_only=True):
    """What was put away."""

    archived: tuple[TicketId, ...]
    skipped: tuple[Skipped, ...]
    """Up to 100 of them."""


class _Sorted:
    """What becomes of the tickets of one attempt."""

    def __init__(self) -> None:
        self.archived: list[TicketId] = []
        self.skipped: list[Skipped] = []
        self.outcome = Outcome()
        self.more = False

    def skip(self, ticket: TicketId, reason: str) -> None:
        """Note why a ticket stays, as long as people would read it."""
        if len(self.skipped) < _SKIPPED_MAX:
            self.skipped.append(Skipped(id=ticket, reason=reason))


@operation(Panel.TICKETS, writes=True, idempotent=True)
def run(ctx: Context, params: TicketArchive) -> TicketsArchived:
    """Put closed tickets away: out of lists, board and dispatch.

    The record stays, and its id stays taken; ticket-list --archived shows it. An idea still in the backlog may be put
    away too, when it is named. Of tickets that are named all are put away or none; with --all-closed what cannot be is
    skipped, and named with the reason.
    """
    if bool(params.ids) == params.all_closed:
        message = "ticket-archive needs tickets or --all-closed, and not both"
        raise Usage(message, hint="exo ticket-archive ID, or exo ticket-archive --all-closed --older-than 30d")
    seconds = _seconds(params.older_than)
    attempts: list[_Sorted] = []

    def rule(view: View) -> Outcome:
        attempts.append(_sorted(ctx, view, params, seconds))
        return attempts[-1].outcome

    ctx.transact(rule)
    found = attempts[-1]  # the transaction may have begun again: the last one counts
    if found.more:
        ctx.warn("MORE_TO_ARCHIVE", f"{ARCHIVED_MAX} were put away, and there are more: call it again")
    return TicketsArchived(archived=tuple(found.archived), skipped=tuple(found.skipped))


def _sorted(ctx: Context, view: View, params: TicketArchive, seconds: int) -> _Sorted:
    found = _Sorted()
    for record in _wanted(view, params):
        if not archiving.is_older(record, ctx.now, seconds):
            if params.ids:
                found.skip(record.id, f"it changed at {record.updated_at}")
            continue
        if len(found.archived) == ARCHIVED_MAX:
            found.more = True
            break
        standing = holding.standing(view, record.id, ctx.caller, human=ctx.is_person)
        _note(record, archiving.archived(view, record, standing), found, is_named=bool(params.ids))
    return found


def _note(record: TicketRecord, verdict: Verdict, found: _Sorted, *, is_named: bool) -> None:
    refusal = verdict.outcome.refusal
    if verdict.skipped is not None:
        found.skip(record.id, verdict.skipped)
    elif refusal is not None and not is_named:
        found.skip(record.id, refusal.message)
    elif refusal is not None:
        # All or none: what went before is not written, the refusal and its event are.
        found.outcome = Outcome(events=verdict.outcome.events, refusal=found.outcome.refusal or refusal)
    elif found.outcome.refusal is None:
        found.outcome += verdict.outcome
        found.archived.append(record.id)


def _wanted(view: View, params: TicketArchive) -> Iterator[TicketRecord]:
    if params.ids:
        yield from {record.id: record for record in map(view.find_ticket, params.ids)}.values()
        return
    closed = TicketFilter(statuses=(Status.DONE, Status.CANCELLED))
    for row in view.tickets(closed, sort="age", after=None, limit=_SCANNED_MAX):
        record = view.ticket(row.id)
        if record is not None:
            yield record


def _seconds(text: str | None) -> int:
    try:
        return duration.parse(text) if text and text.strip() != "0" else 0
    except ValueInvalid as error:
        error.details["parameter"] = "older_than"
        raise
