"""Handoffs: a ticket left to an actor in particular, once, in whichever clone that one works (docs/guides/sessions.md).

Until its time is over nobody else takes the ticket. That time is counted by the wall clock of whoever asks: it is a
courtesy between sessions, and the lease alone decides who holds.
"""

from typing import Final, NamedTuple

from msgspec.structs import replace

from exo_sidecar.domain import sessions
from exo_sidecar.domain.sessions import Ending
from exo_sidecar.model import instant
from exo_sidecar.model.actor import is_actor
from exo_sidecar.model.errors import Refused
from exo_sidecar.model.event import Draft, SessionFinished, TicketMoved
from exo_sidecar.model.event_sessions import HandoffConsumed, HandoffCreated, SessionHandedOff
from exo_sidecar.model.handoff import Handoff, HandoffRecord
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.opening import Grant
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import COUNT_MAX
from exo_sidecar.model.view import View

_ANY: Final = ":*"
OPERATION: Final = "session-handoff"


class HandoffReserved(Refused):
    """The ticket was handed on to somebody else, whose time to take it up is not over."""

    code = "HANDOFF_RESERVED"


class Handing(NamedTuple):
    """What is handed on, and under which id."""

    id: str
    content: Handoff


def is_addressee(text: str) -> bool:
    """Whether `text` can be handed to: an actor, or `agent:*` and its like."""
    return is_actor(text.removesuffix("*") + "x") if text.endswith(_ANY) else is_actor(text)


def names(to: str, actor: str) -> bool:
    """Whether `to` names the actor: itself, whatever the session, or every actor of its kind."""
    return actor.startswith(to.removesuffix("*")) if to.endswith(_ANY) else actor == to


def seconds_late(record: HandoffRecord, now: Instant) -> int:
    """Return how long the reservation has been over; negative while it lasts."""
    return instant.seconds_between(record.content.reserved_until, now)


def refusal(view: View, ticket_id: TicketId, actor: str, now: Instant) -> HandoffReserved | None:
    """Return why the actor may not take the ticket yet, None when it may."""
    waiting = view.handoff(ticket_id)
    if waiting is None or names(waiting.content.to, actor) or seconds_late(waiting, now) >= 0:
        return None
    return HandoffReserved(
        waiting.told,
        hint="exo next finds other work; from then on anybody may take it",
        ticket=ticket_id,
        to=waiting.content.to,
        handoff=waiting.id,
        reserved_until=waiting.content.reserved_until,
    )


def kept_from(view: View, actor: str, now: Instant) -> frozenset[TicketId]:
    """Return the tickets that the actor may not take yet."""
    others = (each for each in view.handoffs() if not names(each.content.to, actor) and seconds_late(each, now) < 0)
    return frozenset(each.ticket for each in others)


def taken(view: View, ticket_id: TicketId, grant: Grant, now: Instant) -> Outcome:
    """Return the event by which a session that starts takes up what waits for it, none when nothing does."""
    waiting = view.handoff(ticket_id)
    if waiting is None:
        return Outcome()
    late = None if names(waiting.content.to, grant.actor) else min(COUNT_MAX, max(0, seconds_late(waiting, now)))
    data = HandoffConsumed(ticket=ticket_id, session=grant.session, late_by_seconds=late)
    return Outcome(events=(Draft(subject=waiting.id, data=data, session=grant.session, epoch=grant.epoch),))


def hand_on(view: View, session_id: SessionId, ending: Ending, handing: Handing) -> Outcome:
    """Return the events by which a session ends and leaves its ticket to somebody: as a finish, and the record."""
    outcome = sessions.finish(view, session_id, ending)
    session = view.session(session_id)
    if outcome.refusal is not None or session is None:
        return outcome
    made = HandoffCreated(ticket=session.ticket, session=session.id, content=handing.content)
    record = Draft(subject=handing.id, data=made, session=session.id, epoch=session.epoch)
    drafts: list[Draft] = []
    for draft in outcome.events:
        if isinstance(draft.data, SessionFinished):
            said = SessionHandedOff(
                ticket=session.ticket,
                to=handing.content.to,
                handoff=handing.id,
                finish=draft.data.finish,
                seal=draft.data.seal,
            )
            # The record comes before the release, because whatever a holder writes counts only until then.
            drafts += [replace(draft, data=said), record]
        elif isinstance(draft.data, TicketMoved):
            drafts.append(replace(draft, data=replace(draft.data, operation=OPERATION)))
        else:
            drafts.append(draft)
    return replace(outcome, events=tuple(drafts))


def status_after(view: View, ticket_id: TicketId) -> str:
    """Return where the ticket goes: paused, unless somebody moved it away from active already."""
    record = view.ticket(ticket_id)
    return str(Status.PAUSED) if record is not None and record.ticket.status is Status.ACTIVE else sessions.KEEP
