"""Validate-hierarchy: whether tickets stand where they may, and what they name is there."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.domain import hierarchy
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import TicketFilter, View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

_PAGE: Final = 1000
_SCANNED_MAX: Final = 100_000
_SHOWN_MAX: Final = 1000


class ValidateHierarchy(Params, frozen=True, kw_only=True):
    """Parameters of `validate-hierarchy`."""

    id: Annotated[
        str | None,
        param("Only this ticket; left away: all of them", positional=True, metavar="ID", completes="ticket"),
    ] = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one ticket's place is valid."""

    id: TicketId
    valid: bool
    reasons: tuple[str, ...]


class HierarchyValidated(Result, frozen=True, kw_only=True):
    """What was found."""

    verdict: Literal["pass", "fail"]
    checked: int
    tickets: tuple[Placed, ...]
    """The ticket that was named; of all of them those that are not valid, up to 1000."""


@operation(Panel.TICKETS, reads_only=True, idempotent=True)
def run(ctx: Context, params: ValidateHierarchy) -> HierarchyValidated:
    """Check where tickets stand: kinds, rings, parents and links that are missing, intents without a brain dump.

    A ticket that is not valid is listed and never handed out, and never stops the others. Exit 1 when there is one.
    """
    view = ctx.view()
    records = [view.find_ticket(params.id)] if params.id else _all(view)
    found: list[Placed] = []
    checked = 0
    for record in records:
        checked += 1
        reasons = hierarchy.faults(view, record)
        if params.id or (reasons and len(found) < _SHOWN_MAX):
            found.append(Placed(id=record.id, valid=not reasons, reasons=reasons))
    verdict: Literal["pass", "fail"] = "pass" if all(each.valid for each in found) else "fail"
    return HierarchyValidated(verdict=verdict, checked=checked, tickets=tuple(found))


def _all(view: View) -> Iterator[TicketRecord]:
    after: str | None = None
    for _ in range(_SCANNED_MAX // _PAGE):
        rows = view.tickets(TicketFilter(archived=True), sort="id", after=after, limit=_PAGE)
        yield from (record for row in rows if (record := view.ticket(row.id)) is not None)
        if len(rows) < _PAGE:
            return
        after = rows[-1].id
