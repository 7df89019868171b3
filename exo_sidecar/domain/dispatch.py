"""Dispatch: in which order tickets are offered, and why one is held back (docs/guides/tickets.md, "What comes next").

No clock takes part, so every clone has the same order. The lease ref itself is asked by whoever claims.
"""

from typing import Final

import msgspec

from exo_sidecar.domain import blockers, hierarchy
from exo_sidecar.domain.holding import holding
from exo_sidecar.model.hierarchy import CONTAINERS
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import PRIORITY_MAX, PRIORITY_MIN, SETTLED_FIRST, TicketRecord
from exo_sidecar.model.view import View

_PRIORITY_WEIGHT: Final = 100
_UNBLOCKS_WEIGHT: Final = 30


class Reason(msgspec.Struct, frozen=True):
    """One reason why a ticket is not offered."""

    code: str
    """not_task, status, handoff, held, blocked_by, blocker_cancelled, hierarchy or conflict."""
    message: str


class HeldBack(msgspec.Struct, frozen=True):
    """A ticket with all that holds it back."""

    ticket: TicketId
    reasons: tuple[Reason, ...]

    @property
    def told(self) -> str:
        """All of it in one line that names the ticket once."""
        said = "; ".join(reason.message for reason in self.reasons)
        return said if said.startswith(f"{self.ticket} ") else f"{self.ticket}: {said}"


def score(priority: int, unblocks: int) -> int:
    """Return the rank of a ticket: urgency first, then how many open tickets wait for it."""
    urgency = PRIORITY_MAX + 1 - min(max(priority, PRIORITY_MIN), PRIORITY_MAX)
    return _PRIORITY_WEIGHT * urgency + _UNBLOCKS_WEIGHT * unblocks


def unblocks(view: View, ticket_id: TicketId) -> int:
    """Return how many open tickets list this one as a blocker, directly."""
    waiting = (view.ticket(dependent) for dependent in view.dependents(ticket_id))
    return sum(1 for record in waiting if record is not None and record.is_open)


def explain(view: View, record: TicketRecord) -> HeldBack:
    """Return what holds the ticket back; no reason at all means that it is a candidate."""
    return HeldBack(record.id, tuple(_reasons(view, record)))


def _reasons(view: View, record: TicketRecord) -> list[Reason]:
    ticket = record.ticket
    if ticket.kind in CONTAINERS:
        return [Reason("not_task", f"{record.id} is an {ticket.kind}; only tasks are worked on")]
    if ticket.status not in {Status.TODO, Status.ACTIVE}:
        return [_stands(view, record)]
    found: list[Reason] = []
    holder = holding(view, record.id)
    if holder is not None:
        found.append(Reason("held", f"{record.id} is held by {holder.actor} in session {holder.session}"))
    for blocker in blockers.unsatisfied(view, ticket):
        cancelled = blocker.state == "blocker_cancelled"
        what = "is cancelled" if cancelled else f"is {blocker.state}"
        found.append(Reason("blocker_cancelled" if cancelled else "blocked_by", f"blocker {blocker.id} {what}"))
    fault = hierarchy.fault(view, record)
    if fault is not None:
        found.append(Reason("hierarchy", fault))
    conflicted = [name for name in SETTLED_FIRST if name in record.conflicts]
    if conflicted:
        several = f"{record.id} has several values of {', '.join(conflicted)}"
        found.append(Reason("conflict", f"{several}; exo resolve {record.id} settles them"))
    return found


def _stands(view: View, record: TicketRecord) -> Reason:
    """Return the reason of a ticket whose status nobody is offered: what was handed on rests for somebody."""
    waiting = view.handoff(record.id) if record.ticket.status is Status.PAUSED else None
    if waiting is None:
        return Reason("status", f"{record.id} is {record.ticket.status}")
    return Reason("handoff", waiting.told)
