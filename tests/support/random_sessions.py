"""Random work of sessions that pause, go on and hand on; some of it under a token that is not theirs."""

from exo_sidecar.model.event import Draft, LeaseAcquired, LeaseReleased, SessionStarted
from exo_sidecar.model.event_sessions import (
    HandoffConsumed,
    HandoffCreated,
    SessionEvicted,
    SessionHandedOff,
    SessionResumed,
    SessionSuspended,
)
from exo_sidecar.model.handoff import Handoff
from exo_sidecar.model.session import Finish
from exo_sidecar.model.view import View
from tests.support.random_step import COMMIT, Step, holder_of, ticket_of
from tests.support.stores import a_session

HANDOFFS = 3


def suspend(step: Step, view: View) -> tuple[Draft, ...]:
    """Pause, under the lease; of a session that was overtaken without any."""
    ticket, session, epoch = holder_of(step, view)
    data = SessionSuspended(
        ticket=ticket,
        reason=f"why {step.value}",
        previous_status="active",
        keeps_lease=step.value % 4 == 0,
        saved=COMMIT if step.value % 2 else None,
        uncommitted=(f"file {step.value}",),
    )
    told = Draft(subject=session, data=data, session=session, epoch=epoch if step.value % 5 else None)
    if data.keeps_lease:
        return (told,)
    released = LeaseReleased(ticket=ticket, epoch=epoch, session=session)
    return told, Draft(subject=ticket, data=released, session=session, epoch=epoch)


def resume(step: Step, view: View) -> tuple[Draft, ...]:
    """Go on at a higher epoch, here and perhaps in another clone at the same time."""
    ticket = ticket_of(step)
    paused = view.sessions(ticket=ticket, statuses=("suspended",), limit=1)
    if not paused:
        return ()
    session, epoch = paused[0].id, view.highest_epoch(ticket) + 1
    acquired = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=COMMIT)
    resumed = SessionResumed(ticket=ticket, branch=f"b{step.value}", base=COMMIT)
    return (
        Draft(subject=ticket, data=acquired, session=session, epoch=epoch),
        Draft(subject=session, data=resumed, session=session, epoch=epoch),
    )


def evict(step: Step, view: View) -> tuple[Draft, ...]:
    """End a session that is held for dead: by its clone with its token, or by one that had none."""
    ticket, session, epoch = holder_of(step, view)
    heard = "2026-01-02T03:04:05Z" if step.value % 2 else None
    said = Finish(summary="", ticket_status="todo")
    data = SessionEvicted(ticket=ticket, reason=f"why {step.value}", last_heartbeat=heard, finish=said)
    ended = Draft(subject=session, data=data, session=session, epoch=epoch if step.value % 5 else None)
    released = LeaseReleased(ticket=ticket, epoch=epoch, session=session)
    return ended, Draft(subject=ticket, data=released, session=session, epoch=epoch)


def hand_on(step: Step, view: View) -> tuple[Draft, ...]:
    """End, and leave the ticket to somebody; several clones may make a handoff of one id."""
    ticket, session, epoch = holder_of(step, view)
    handoff = _handoff(step)
    content = Handoff(to="agent:*", summary=f"did {step.value}", reserved_until="2026-01-02T03:04:05Z")
    ended = SessionHandedOff(
        ticket=ticket, to="agent:*", handoff=handoff, finish=Finish(summary="s", ticket_status="paused")
    )
    made = HandoffCreated(ticket=ticket, session=session, content=content)
    return (
        Draft(subject=session, data=ended, session=session, epoch=epoch),
        Draft(subject=handoff, data=made, session=session, epoch=epoch),
    )


def take_up(step: Step, view: View) -> tuple[Draft, ...]:
    """Take up what waits, here and perhaps in another clone at the same time; or what there is not."""
    ticket = ticket_of(step)
    waiting = view.handoff(ticket)
    session, epoch = a_session(step.value + 200), view.highest_epoch(ticket) + 1
    acquired = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=COMMIT)
    late = step.value if step.value % 2 else None
    taken = HandoffConsumed(ticket=ticket, session=session, late_by_seconds=late)
    return (
        Draft(subject=ticket, data=acquired, session=session, epoch=epoch),
        Draft(subject=session, data=SessionStarted(ticket=ticket), session=session, epoch=epoch),
        Draft(subject=waiting.id if waiting else _handoff(step), data=taken, session=session, epoch=epoch),
    )


def _handoff(step: Step) -> str:
    return f"HND-{step.value % HANDOFFS:04}"
