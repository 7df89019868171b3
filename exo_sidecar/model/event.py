"""Events: what happened, one line of the ledger each (docs/format.md, "Events").

The set of types is closed: a class here, its row in `TYPES`, its fold in store. An unknown type is quarantined.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from exo_sidecar.model.event_authority import AuthorityMoved, AuthoritySet
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.event_memory import ReflectionDismissed, ReflectionRecorded
from exo_sidecar.model.event_parts import (
    Commit,
    Count,
    Digest,
    Epoch,
    EventData,
    EventName,
    Id,
    Members,
    Nonce,
    Session,
    Text,
    Ticket,
    Title,
)
from exo_sidecar.model.event_plans import SpecRecorded
from exo_sidecar.model.event_policy import PolicyAccepted, PolicyCompiled, PolicySealed, PolicyTampered
from exo_sidecar.model.event_pushes import PushGuarded, SyncRewritten
from exo_sidecar.model.event_sessions import (
    HandoffConsumed,
    HandoffCreated,
    SessionEvicted,
    SessionHandedOff,
    SessionResumed,
    SessionSuspended,
)
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.session import Finish, SessionMode
from exo_sidecar.model.ticket import COUNT_MAX, PRIORITY_MAX, PRIORITY_MIN, Kind, Profile, Risk

VERSION: Final = 1
LINE_BYTES_MAX: Final = 256 * 1024
SEEN_MAX: Final = 1000
REASON_MAX: Final = 2000
"""Characters of the reason for a redaction: it stands in the event that tells of it and in the line that is left."""

_Writer = Annotated[str, Meta(pattern=r"^[0-9a-z]{16}(-[0-9a-f]{8})*\Z", max_length=200)]
_Seq = Annotated[int, Meta(ge=1, le=COUNT_MAX)]


class Fields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Scalar fields of a ticket that an event writes; what is unset is not written."""

    kind: Kind | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    priority: Annotated[int, Meta(ge=PRIORITY_MIN, le=PRIORITY_MAX)] | UnsetType = UNSET
    type: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    parent: Id | UnsetType | None = UNSET
    checks: Members | UnsetType = UNSET
    brain_dump: Text | UnsetType = UNSET
    boundary: Text | UnsetType = UNSET
    success_condition: Text | UnsetType = UNSET
    risk: Risk | UnsetType = UNSET
    resource_profile: Profile | UnsetType = UNSET
    created_by: Id | UnsetType | None = UNSET
    max_files_changed: Count | UnsetType = UNSET
    max_loc_changed: Count | UnsetType = UNSET
    max_steps: Count | UnsetType = UNSET
    max_depth: Count | UnsetType = UNSET
    max_duration_seconds: Count | UnsetType = UNSET
    consumer: Text | UnsetType = UNSET
    pain_point: Text | UnsetType = UNSET
    expected_value: Text | UnsetType = UNSET
    validation_path: Text | UnsetType = UNSET


class Sets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Members of a ticket's set fields that an event adds or removes."""

    blockers: Members = ()
    labels: Members = ()
    links: Members = ()
    scope_allow: Members = ()
    scope_deny: Members = ()


class TicketCreated(EventData, frozen=True):
    """A ticket came to be."""

    fields: Fields
    sets: Sets = Sets()
    status: Literal["backlog", "todo"] = "todo"
    notes: Members = ()
    idem_key: Annotated[str, Meta(max_length=200)] | None = None
    absorbed: bool = False


class TicketEdited(EventData, frozen=True):
    """Fields of a ticket changed."""

    fields: Fields = Fields()
    add: Sets = Sets()
    remove: Sets = Sets()
    absorbed: bool = False


class TicketMoved(EventData, frozen=True):
    """A ticket's status changed."""

    start: Status = msgspec.field(name="from")
    end: Status = msgspec.field(name="to")
    operation: str
    reason: Text | None = None
    tried: Text | None = None
    evidence: Members = ()
    resolution: Annotated[str, Meta(max_length=200)] | None = None
    absorbed: bool = False
    settles: bool = False
    """Whether it says of moves made in several clones at once which one holds; it is that move once more."""


class TicketNoted(EventData, frozen=True):
    """Somebody wrote a note on a ticket."""

    text: Text
    absorbed: bool = False


class TicketRefused(EventData, frozen=True):
    """A move was asked for and refused."""

    operation: str
    start: Status = msgspec.field(name="from")
    end: Status = msgspec.field(name="to")
    code: str
    message: Text


class SessionReserved(EventData, frozen=True):
    """A lease was taken for a session that has not started yet (`next`)."""

    ticket: Ticket
    owner: str
    role: str = "Builder"


class SessionStarted(EventData, frozen=True):
    """A session began to work."""

    ticket: Ticket
    role: str = "Builder"
    vendor: str = "unknown"
    model: str = "unknown"
    context_window: Count | None = None
    task: Text | None = None
    topic: str = "repo:default"
    branch: str | None = None
    base: str | None = None
    mode: SessionMode = "work"


class SessionFinished(EventData, frozen=True):
    """A session ended in order."""

    ticket: Ticket
    finish: Finish
    seal: Digest | None = None
    """The kernel's digest over the session and its end."""


class LeaseAcquired(EventData, frozen=True):
    """A session became the holder of a ticket; the first event that a new holder writes."""

    ticket: Ticket
    epoch: Epoch
    session: Session
    commit: str
    """The lease ref's value: a commit id."""
    adopts: str | None = None


class LeaseReleased(EventData, frozen=True):
    """A holder gave its lease back."""

    ticket: Ticket
    epoch: Epoch
    session: Session


class LeaseExpired(EventData, frozen=True):
    """A clone has watched one value of a lease for so long that its holder counts as gone; others may rely on it."""

    ticket: Ticket
    value: Commit
    """The lease ref's value that stood still."""


class LeaseTakenOver(EventData, frozen=True):
    """A holder followed one that had not released; says whom, and why when a person forced it."""

    ticket: Ticket
    session: Session
    previous: Session
    previous_actor: Annotated[str, Meta(max_length=80)]
    previous_epoch: Epoch
    forced: bool = False
    reason: Text | None = None


class LeaseLost(EventData, frozen=True):
    """A claim made offline was not confirmed: another holds the ticket. What was done under it, for who goes on."""

    ticket: Ticket
    session: Session
    claim: Nonce
    holder: Session | None = None
    branch: Annotated[str, Meta(max_length=255)] | None = None
    head: Commit | None = None
    summary: Text = ""


class DocumentEdited(EventData, frozen=True):
    """An authored document got a new text."""

    base: Digest
    """Digest of the text that was edited; 64 zeros for a new document."""
    text: Annotated[str, Meta(max_length=64 * 1024)]
    absorbed: bool = False
    settles: Annotated[tuple[Annotated[str, Meta(max_length=1024)], ...], Meta(max_length=1000)] = ()
    """Units in conflict that the text says the last word on, also where it leaves them as they stand."""


class EventRedacted(EventData, frozen=True):
    """What an event held was taken out of the ledger; from then on its line is the one that `kept` is the digest of."""

    event: EventName
    digest: Digest
    """The event's own digest, which its successor names."""
    kept: Digest
    """The digest of the line that stands in its place: nothing else of it can be changed on the way."""
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX)]


Data: TypeAlias = (
    AuthorityMoved
    | AuthoritySet
    | ChecksRan
    | DocumentEdited
    | EventRedacted
    | HandoffConsumed
    | HandoffCreated
    | LeaseAcquired
    | LeaseExpired
    | LeaseLost
    | LeaseReleased
    | LeaseTakenOver
    | PolicyAccepted
    | PolicyCompiled
    | PolicySealed
    | PolicyTampered
    | PushGuarded
    | ReflectionDismissed
    | ReflectionRecorded
    | SessionEvicted
    | SessionFinished
    | SessionHandedOff
    | SessionReserved
    | SessionResumed
    | SessionStarted
    | SessionSuspended
    | SpecRecorded
    | SyncRewritten
    | TicketCreated
    | TicketEdited
    | TicketMoved
    | TicketNoted
    | TicketRefused
)

TYPES: Final[dict[str, type[Data]]] = {
    "authority.moved": AuthorityMoved,
    "authority.set": AuthoritySet,
    "check.ran": ChecksRan,
    "document.edited": DocumentEdited,
    "event.redacted": EventRedacted,
    "handoff.consumed": HandoffConsumed,
    "handoff.created": HandoffCreated,
    "lease.acquired": LeaseAcquired,
    "lease.expired": LeaseExpired,
    "lease.lost": LeaseLost,
    "lease.released": LeaseReleased,
    "lease.taken_over": LeaseTakenOver,
    "policy.accepted": PolicyAccepted,
    "policy.compiled": PolicyCompiled,
    "policy.sealed": PolicySealed,
    "policy.tampered": PolicyTampered,
    "push.guarded": PushGuarded,
    "reflection.dismissed": ReflectionDismissed,
    "reflection.recorded": ReflectionRecorded,
    "session.evicted": SessionEvicted,
    "session.finished": SessionFinished,
    "session.handed_off": SessionHandedOff,
    "session.reserved": SessionReserved,
    "session.resumed": SessionResumed,
    "session.started": SessionStarted,
    "session.suspended": SessionSuspended,
    "spec.recorded": SpecRecorded,
    "sync.rewritten": SyncRewritten,
    "ticket.created": TicketCreated,
    "ticket.edited": TicketEdited,
    "ticket.moved": TicketMoved,
    "ticket.noted": TicketNoted,
    "ticket.refused": TicketRefused,
}
NAMES: Final = {data: name for name, data in TYPES.items()}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of an event, as docs/format.md lists it; `data` is read by its type.

    A redacted one has `redacted` and `digest`, its own, in the place of `params` and `data`.
    """

    v: Literal[1]
    clone: Annotated[str, Meta(pattern=r"^[0-9a-z]{16}\Z")]
    seq: _Seq
    prev: Digest
    seen: Annotated[dict[_Writer, tuple[_Seq, Digest]], Meta(max_length=SEEN_MAX)] | UnsetType = UNSET
    at: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")]
    actor: Annotated[str, Meta(pattern=r"^(human|agent|ci|system):[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")]
    session: Id | None
    op: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    params: msgspec.Raw | UnsetType = UNSET
    policy: Digest | None
    type: Annotated[str, Meta(max_length=64)]
    subject: Annotated[str, Meta(min_length=1, max_length=200)]
    epoch: Epoch | UnsetType = UNSET
    claim: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")] | UnsetType = UNSET
    sig: str | UnsetType = UNSET
    data: msgspec.Raw | UnsetType = UNSET
    redacted: Annotated[str, Meta(max_length=REASON_MAX)] | UnsetType = UNSET
    digest: Digest | UnsetType = UNSET


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The last event of a writer, which the next one follows."""

    seq: int
    """0 before the first."""
    digest: str
    """Of the event's line; 64 zeros before the first."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a rule wants written; the store adds writer, counter, chain, time and what the writer knew."""

    subject: str
    data: Data
    session: SessionId | None = None
    epoch: int | None = None
    claim: str | None = None


def lease_ticket(subject: str, data: Data) -> TicketId | None:
    """Return the ticket whose lease an event of this subject and data stands under, None when under none."""
    match data:
        case SessionReserved() | SessionStarted() | SessionFinished() | SessionEvicted():
            return data.ticket
        case SessionSuspended() | SessionResumed() | SessionHandedOff() | HandoffCreated() | HandoffConsumed():
            return data.ticket
        case LeaseAcquired() | LeaseExpired() | LeaseLost() | LeaseReleased() | LeaseTakenOver() | PushGuarded():
            return data.ticket
        case ChecksRan():
            return data.ticket
        case TicketCreated() | TicketEdited() | TicketMoved() | TicketNoted() | TicketRefused():
            return TicketId(subject)
        case PolicyAccepted() | PolicyCompiled() | PolicySealed() | PolicyTampered():
            return None
        case ReflectionDismissed() | ReflectionRecorded():
            return None
        case DocumentEdited() | AuthorityMoved() | AuthoritySet() | EventRedacted() | SyncRewritten() | SpecRecorded():
            return None
