"""Random work under leases: taken, given back, lost, taken over, in several clones at the same time."""

from exo_sidecar.model.drift import Drift
from exo_sidecar.model.event import (
    Draft,
    Fields,
    LeaseAcquired,
    LeaseExpired,
    LeaseLost,
    LeaseReleased,
    LeaseTakenOver,
    SessionFinished,
    SessionReserved,
    SessionStarted,
    TicketEdited,
)
from exo_sidecar.model.event_authority import AuthorityMoved, AuthoritySet
from exo_sidecar.model.event_pushes import PushGuarded
from exo_sidecar.model.session import Finish
from exo_sidecar.model.view import View
from tests.support.random_step import COMMIT, Step, living, nonce_of, ticket_of
from tests.support.stores import a_session


def acquire(step: Step, view: View) -> tuple[Draft, ...]:
    """A new holder: the ledger's highest epoch rises, here and perhaps in another clone at the same time."""
    ticket = ticket_of(step)
    session = a_session(step.value)
    epoch = view.highest_epoch(ticket) + 1
    lease = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=COMMIT, adopts=nonce_of(step))
    return (
        Draft(subject=ticket, data=lease, session=session, epoch=epoch),
        Draft(subject=session, data=SessionStarted(ticket=ticket), session=session, epoch=epoch),
    )


def finish(step: Step, view: View) -> tuple[Draft, ...]:
    ticket = ticket_of(step)
    session = living(view, ticket) or a_session(step.value)
    epoch = max(view.highest_epoch(ticket), 1)
    drift = Drift(
        score=88, scope_compliance=1000, files=1, files_max=4, committed=1, out_of_scope=(f"lib/{step.value}",)
    )
    said = Finish(summary=f"Did {step.value}", ticket_status="review", drift=drift)
    end = SessionFinished(ticket=ticket, finish=said)
    released = LeaseReleased(ticket=ticket, epoch=epoch, session=session)
    return (
        Draft(subject=session, data=end, session=session, epoch=epoch),
        Draft(subject=ticket, data=released, session=session, epoch=epoch),
    )


def provisional(step: Step, _: View) -> tuple[Draft, ...]:
    session = a_session(step.value)
    claim = nonce_of(step)
    return (
        Draft(
            subject=session,
            data=SessionReserved(ticket=ticket_of(step), owner="human:jane"),
            session=session,
            claim=claim,
        ),
        Draft(
            subject=ticket_of(step),
            data=TicketEdited(fields=Fields(title=f"Offline {step.value}")),
            session=session,
            claim=claim,
        ),
    )


def take_over(step: Step, view: View) -> tuple[Draft, ...]:
    """A holder that did not release is followed by another, here and perhaps in another clone at the same time."""
    ticket = ticket_of(step)
    previous = living(view, ticket)
    if previous is None:
        return ()
    session = a_session(step.value + 100)
    epoch = view.highest_epoch(ticket) + 1
    acquired = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=COMMIT)
    over = LeaseTakenOver(
        ticket=ticket,
        session=session,
        previous=previous,
        previous_actor="human:jane",
        previous_epoch=max(epoch - 1, 1),
        forced=bool(step.value % 2),
        reason="silent" if step.value % 2 else None,
    )
    return (
        Draft(subject=ticket, data=acquired, session=session, epoch=epoch),
        Draft(subject=ticket, data=over, session=session, epoch=epoch),
        Draft(subject=session, data=SessionStarted(ticket=ticket), session=session, epoch=epoch),
    )


def expire(step: Step, _: View) -> tuple[Draft, ...]:
    ticket = ticket_of(step)
    return (Draft(subject=ticket, data=LeaseExpired(ticket=ticket, value=f"{step.value:040x}")),)


def lose(step: Step, _: View) -> tuple[Draft, ...]:
    ticket = ticket_of(step)
    data = LeaseLost(ticket=ticket, session=a_session(step.value), claim=nonce_of(step), summary=f"Did {step.value}")
    return (Draft(subject=ticket, data=data),)


def push(step: Step, view: View) -> tuple[Draft, ...]:
    ticket = ticket_of(step)
    session = living(view, ticket) or a_session(step.value)
    data = PushGuarded(
        ticket=ticket, session=session, branch=f"b{step.value}", remote="origin", end=COMMIT, guard="atomic"
    )
    return (Draft(subject=ticket, data=data, session=session, epoch=max(view.highest_epoch(ticket), 1)),)


def authority(step: Step, view: View) -> tuple[Draft, ...]:
    """Leases are decided elsewhere from now on; or somebody who knew of no authority has begun one of his own."""
    known = view.authority()
    fresh = f"{step.which + 1}{step.value:031x}"
    if known is None or step.value % 3 == 0:
        return (Draft(subject="authority", data=AuthoritySet(id=fresh, remote="origin")),)
    floor = view.top_epoch() + 1
    return (Draft(subject="authority", data=AuthorityMoved(id=fresh, previous=known.id, floor=floor, mode="branch")),)
