"""Events of interrupted sessions and of handoffs: suspended, resumed, handed on to somebody else."""

from typing import Annotated, Final

from msgspec import Meta

from exo_sidecar.model.event_parts import (
    ActorName,
    Branch,
    Commit,
    Count,
    Digest,
    EventData,
    Id,
    Members,
    Session,
    Text,
    Ticket,
)
from exo_sidecar.model.handoff import Handoff
from exo_sidecar.model.session import Finish

_STATUS_MAX: Final = 40
_Status = Annotated[str, Meta(max_length=_STATUS_MAX)]
Instant = Annotated[str, Meta(max_length=_STATUS_MAX)]


class SessionSuspended(EventData, frozen=True):
    """A session was interrupted; it can be resumed."""

    ticket: Ticket
    reason: Text
    previous_status: _Status
    """The ticket's status until then."""
    keeps_lease: bool = False
    branch: Branch | None = None
    head: Commit | None = None
    saved: Commit | None = None
    """The commit that holds the work that was taken out of the checkout; only its own clone has it."""
    uncommitted: Members = ()


class SessionResumed(EventData, frozen=True):
    """A suspended session goes on."""

    ticket: Ticket
    branch: Branch | None = None
    base: Commit | None = None
    """Commit that is checked out where the new part of the work begins."""


class SessionHandedOff(EventData, frozen=True):
    """A session ended and named who is to go on."""

    ticket: Ticket
    to: ActorName
    handoff: Id
    finish: Finish
    seal: Digest | None = None
    """The kernel's digest over the session and its end."""


class SessionEvicted(EventData, frozen=True):
    """A session that gave no sign of life was ended by its clone; what is known of its work stands in `finish`."""

    ticket: Ticket
    reason: Text
    finish: Finish
    last_heartbeat: Instant | None = None
    """When it last gave a sign of life, by its machine's clock; None: not known."""
    seal: Digest | None = None
    """The kernel's digest over the session and its end."""


class HandoffCreated(EventData, frozen=True):
    """A ticket waits for somebody in particular; the handoff's id is the subject."""

    ticket: Ticket
    session: Session
    content: Handoff


class HandoffConsumed(EventData, frozen=True):
    """A session took up what was handed to its actor, or to another one who did not come in time."""

    ticket: Ticket
    session: Session
    late_by_seconds: Count | None = None
    """How long the reservation for another actor had been over; None: it was for this one."""
