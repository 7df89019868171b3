"""Opening: how a session comes to work under a lease that was won for it; what the ledger is told of it."""

from typing import NamedTuple

from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import Draft, LeaseAcquired, LeaseTakenOver, SessionReserved, SessionStarted
from exo_sidecar.model.event_sessions import SessionResumed
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.session import SessionRecord


class Overtaken(NamedTuple):
    """The holder that a session followed without a release."""

    session: SessionId
    actor: str
    epoch: int
    reason: str | None = None
    """Why a person forced it; None: the holder had been silent for too long."""


class Grant(NamedTuple):
    """A lease that was won for a session."""

    session: SessionId
    actor: Actor
    epoch: int
    commit: str
    """The lease ref's value: a commit id."""
    over: Overtaken | None = None
    """Whom it was taken from; None: it was free."""


class Work(NamedTuple):
    """What a session says about itself when it starts."""

    role: str = "Builder"
    vendor: str = "unknown"
    model: str = "unknown"
    context_window: int | None = None
    task: str | None = None
    topic: str = "repo:default"
    branch: str | None = None
    base: str | None = None


class Opening(NamedTuple):
    """A wish to work on a ticket, and all that is known about it."""

    ticket: TicketId
    grant: Grant
    begins: SessionReserved | SessionStarted | SessionResumed | None
    """How; None: it has begun already, and says so again."""
    known: SessionRecord | None
    """The session as the ledger has it."""
    highest_epoch: int
    """The highest epoch of the ticket that the ledger knows."""
    obstacle: ExoError | None = None
    """What stands against work on the ticket, or against this session's."""
    verdict: Verdict = "ok"
    """How the policy stands, as `verify_governance` says."""


def acquired(ticket_id: TicketId, grant: Grant) -> tuple[Draft, ...]:
    """Return the event of a change of holder, and whom it was taken from when that was no release."""
    data = LeaseAcquired(ticket=ticket_id, epoch=grant.epoch, session=grant.session, commit=grant.commit)
    draft = Draft(subject=ticket_id, data=data, session=grant.session, epoch=grant.epoch)
    return draft, *taken_over(ticket_id, grant)


def taken_over(ticket_id: TicketId, grant: Grant) -> tuple[Draft, ...]:
    """Return the event that says whom a lease was taken from; none when it was free."""
    if grant.over is None:
        return ()
    taken = LeaseTakenOver(
        ticket=ticket_id,
        session=grant.session,
        previous=grant.over.session,
        previous_actor=grant.over.actor,
        previous_epoch=grant.over.epoch,
        forced=grant.over.reason is not None,
        reason=grant.over.reason,
    )
    return (Draft(subject=ticket_id, data=taken, session=grant.session, epoch=grant.epoch),)
