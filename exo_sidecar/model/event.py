"""Events: what happened, one line of the ledger each (docs/format.md, "Events").

The set of types is closed: a class here, its row in `TYPES`, its fold in store. An unknown type is quarantined.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.session import Finish
from exo_sidecar.model.ticket import COUNT_MAX, PRIORITY_MAX, PRIORITY_MIN, TEXT_MAX, TITLE_MAX, Kind, Profile, Risk

VERSION: Final = 1
LINE_BYTES_MAX: Final = 256 * 1024
SEEN_MAX: Final = 1000
REASON_MAX: Final = 2000
"""Characters of the reason for a redaction: it stands in the event that tells of it and in the line that is left."""
LOST_MAX: Final = 100

_Text = Annotated[str, Meta(max_length=TEXT_MAX)]
_Title = Annotated[str, Meta(min_length=1, max_length=TITLE_MAX)]
_Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
_Commit = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
_Nonce = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
_Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Id = Annotated[str, Meta(pattern=r"^[A-Z]+-[0-9A-Z]+(-[0-9A-Z]+)*\Z", max_length=40)]
_Ticket = Annotated[TicketId, Meta(pattern=r"^[A-Z]+-[0-9A-Z]+(-[0-9A-Z]+)*\Z", max_length=40)]
_Session = Annotated[SessionId, Meta(pattern=r"^SES(-[0-9A-Z]+)+\Z", max_length=40)]
_Writer = Annotated[str, Meta(pattern=r"^[0-9a-z]{16}(-[0-9a-f]{8})*\Z", max_length=200)]
_Seq = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
EventName = Annotated[str, Meta(pattern=r"^[0-9a-z]{16}(-[0-9a-f]{8})*:[1-9][0-9]{0,15}\Z", max_length=200)]
"""`<writer>:<seq>`."""
_Members = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=1024)], ...], Meta(max_length=1000)]


class Fields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Scalar fields of a ticket that an event writes; what is unset is not written."""

    kind: Kind | UnsetType = UNSET
    title: _Title | UnsetType = UNSET
    priority: Annotated[int, Meta(ge=PRIORITY_MIN, le=PRIORITY_MAX)] | UnsetType = UNSET
    type: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    parent: _Id | UnsetType | None = UNSET
    checks: _Members | UnsetType = UNSET
    brain_dump: _Text | UnsetType = UNSET
    boundary: _Text | UnsetType = UNSET
    success_condition: _Text | UnsetType = UNSET
    risk: Risk | UnsetType = UNSET
    resource_profile: Profile | UnsetType = UNSET
    created_by: _Id | UnsetType | None = UNSET
    max_files_changed: _Count | UnsetType = UNSET
    max_loc_changed: _Count | UnsetType = UNSET
    max_steps: _Count | UnsetType = UNSET
    max_depth: _Count | UnsetType = UNSET
    max_duration_seconds: _Count | UnsetType = UNSET
    consumer: _Text | UnsetType = UNSET
    pain_point: _Text | UnsetType = UNSET
    expected_value: _Text | UnsetType = UNSET
    validation_path: _Text | UnsetType = UNSET


class Sets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Members of a ticket's set fields that an event adds or removes."""

    blockers: _Members = ()
    labels: _Members = ()
    links: _Members = ()
    scope_allow: _Members = ()
    scope_deny: _Members = ()


class _Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is common to all data: defaults are left out of the line."""


class TicketCreated(_Data, frozen=True):
    """A ticket came to be."""

    fields: Fields
    sets: Sets = Sets()
    status: Literal["backlog", "todo"] = "todo"
    notes: _Members = ()
    idem_key: Annotated[str, Meta(max_length=200)] | None = None
    absorbed: bool = False


class TicketEdited(_Data, frozen=True):
    """Fields of a ticket changed."""

    fields: Fields = Fields()
    add: Sets = Sets()
    remove: Sets = Sets()
    absorbed: bool = False


class TicketMoved(_Data, frozen=True):
    """A ticket's status changed."""

    start: Status = msgspec.field(name="from")
    end: Status = msgspec.field(name="to")
    operation: str
    reason: _Text | None = None
    tried: _Text | None = None
    evidence: _Members = ()
    resolution: Annotated[str, Meta(max_length=200)] | None = None
    absorbed: bool = False
    settles: bool = False
    """Whether it says of moves made in several clones at once which one holds; it is that move once more."""


class TicketNoted(_Data, frozen=True):
    """Somebody wrote a note on a ticket."""

    text: _Text
    absorbed: bool = False


class TicketRefused(_Data, frozen=True):
    """A move was asked for and refused."""

    operation: str
    start: Status = msgspec.field(name="from")
    end: Status = msgspec.field(name="to")
    code: str
    message: _Text


class SessionReserved(_Data, frozen=True):
    """A lease was taken for a session that has not started yet (`next`)."""

    ticket: _Ticket
    owner: str
    role: str = "Builder"


class SessionStarted(_Data, frozen=True):
    """A session began to work."""

    ticket: _Ticket
    role: str = "Builder"
    vendor: str = "unknown"
    model: str = "unknown"
    context_window: _Count | None = None
    task: _Text | None = None
    topic: str = "repo:default"
    branch: str | None = None
    base: str | None = None


class SessionFinished(_Data, frozen=True):
    """A session ended in order."""

    ticket: _Ticket
    finish: Finish


class LeaseAcquired(_Data, frozen=True):
    """A session became the holder of a ticket; the first event that a new holder writes."""

    ticket: _Ticket
    epoch: Annotated[int, Meta(ge=1, le=COUNT_MAX)]
    session: _Session
    commit: str
    """The lease ref's value: a commit id."""
    adopts: str | None = None


class LeaseReleased(_Data, frozen=True):
    """A holder gave its lease back."""

    ticket: _Ticket
    epoch: Annotated[int, Meta(ge=1, le=COUNT_MAX)]
    session: _Session


class LeaseExpired(_Data, frozen=True):
    """A clone has watched one value of a lease for so long that its holder counts as gone; others may rely on it."""

    ticket: _Ticket
    value: _Commit
    """The lease ref's value that stood still."""


class LeaseTakenOver(_Data, frozen=True):
    """A holder followed one that had not released; says whom, and why when a person forced it."""

    ticket: _Ticket
    session: _Session
    previous: _Session
    previous_actor: Annotated[str, Meta(max_length=80)]
    previous_epoch: Annotated[int, Meta(ge=1, le=COUNT_MAX)]
    forced: bool = False
    reason: _Text | None = None


class LeaseLost(_Data, frozen=True):
    """A claim made offline was not confirmed: another holds the ticket. What was done under it, for who goes on."""

    ticket: _Ticket
    session: _Session
    claim: _Nonce
    holder: _Session | None = None
    branch: Annotated[str, Meta(max_length=255)] | None = None
    head: _Commit | None = None
    summary: _Text = ""


class PushGuarded(_Data, frozen=True):
    """Code was pushed under a lease; `guard` says whether the server checked the lease in the same push."""

    ticket: _Ticket
    session: _Session
    branch: Annotated[str, Meta(max_length=255)]
    remote: Annotated[str, Meta(max_length=100)]
    end: _Commit
    guard: Literal["atomic", "checked"]
    start: _Commit | None = None
    """The branch there before; None: it was not there."""


class DocumentEdited(_Data, frozen=True):
    """An authored document got a new text."""

    base: _Digest
    """Digest of the text that was edited; 64 zeros for a new document."""
    text: Annotated[str, Meta(max_length=64 * 1024)]
    absorbed: bool = False
    settles: Annotated[tuple[Annotated[str, Meta(max_length=1024)], ...], Meta(max_length=1000)] = ()
    """Units in conflict that the text says the last word on, also where it leaves them as they stand."""


class AuthoritySet(_Data, frozen=True):
    """The place was chosen that decides who holds leases."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    remote: Annotated[str, Meta(max_length=100)] | None = None
    mode: Literal["refs", "branch"] = "refs"


class AuthorityMoved(_Data, frozen=True):
    """The place that decides who holds leases is another one now."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    previous: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    """The id of the authority until then."""
    floor: Annotated[int, Meta(ge=0, le=COUNT_MAX)]
    """The highest epoch known anywhere, plus one; every claim at the new place stands above it. The one more is for a
    claim whose advertisement came before the old place was retired: it may still land there, with just that epoch.
    """
    remote: Annotated[str, Meta(max_length=100)] | None = None
    mode: Literal["refs", "branch"] = "refs"


class EventRedacted(_Data, frozen=True):
    """What an event held was taken out of the ledger; from then on its line is the one that `kept` is the digest of."""

    event: EventName
    digest: _Digest
    """The event's own digest, which its successor names."""
    kept: _Digest
    """The digest of the line that stands in its place: nothing else of it can be changed on the way."""
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX)]


class SyncRewritten(_Data, frozen=True):
    """A person accepted that a remote's ledger lost or changed events that were verified here; none is lost here."""

    remote: Annotated[str, Meta(max_length=100)]
    before: _Commit | None
    """The remote's last tip that was verified here, None when that is not known."""
    after: _Commit
    reason: _Text
    lost: Annotated[tuple[EventName, ...], Meta(max_length=LOST_MAX)] = ()
    """The highest event of each writer that is not there any more, or is another."""


Data: TypeAlias = (
    AuthorityMoved
    | AuthoritySet
    | DocumentEdited
    | EventRedacted
    | LeaseAcquired
    | LeaseExpired
    | LeaseLost
    | LeaseReleased
    | LeaseTakenOver
    | PushGuarded
    | SessionFinished
    | SessionReserved
    | SessionStarted
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
    "document.edited": DocumentEdited,
    "event.redacted": EventRedacted,
    "lease.acquired": LeaseAcquired,
    "lease.expired": LeaseExpired,
    "lease.lost": LeaseLost,
    "lease.released": LeaseReleased,
    "lease.taken_over": LeaseTakenOver,
    "push.guarded": PushGuarded,
    "session.finished": SessionFinished,
    "session.reserved": SessionReserved,
    "session.started": SessionStarted,
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
    prev: _Digest
    seen: Annotated[dict[_Writer, tuple[_Seq, _Digest]], Meta(max_length=SEEN_MAX)] | UnsetType = UNSET
    at: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")]
    actor: Annotated[str, Meta(pattern=r"^(human|agent|ci|system):[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")]
    session: _Id | None
    op: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    params: msgspec.Raw | UnsetType = UNSET
    policy: _Digest | None
    type: Annotated[str, Meta(max_length=64)]
    subject: Annotated[str, Meta(min_length=1, max_length=200)]
    epoch: Annotated[int, Meta(ge=1, le=COUNT_MAX)] | UnsetType = UNSET
    claim: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")] | UnsetType = UNSET
    sig: str | UnsetType = UNSET
    data: msgspec.Raw | UnsetType = UNSET
    redacted: Annotated[str, Meta(max_length=REASON_MAX)] | UnsetType = UNSET
    digest: _Digest | UnsetType = UNSET


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
        case SessionReserved() | SessionStarted() | SessionFinished():
            return data.ticket
        case LeaseAcquired() | LeaseExpired() | LeaseLost() | LeaseReleased() | LeaseTakenOver() | PushGuarded():
            return data.ticket
        case TicketCreated() | TicketEdited() | TicketMoved() | TicketNoted() | TicketRefused():
            return TicketId(subject)
        case DocumentEdited() | AuthorityMoved() | AuthoritySet() | EventRedacted() | SyncRewritten():
            return None
