"""Events of what was sent: code pushed under a lease, and remotes whose history was replaced."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from exo_sidecar.model.event_parts import Commit, EventData, EventName, Session, Text, Ticket

LOST_MAX: Final = 100


class PushGuarded(EventData, frozen=True):
    """Code was pushed under a lease; `guard` says whether the server checked the lease in the same push."""

    ticket: Ticket
    session: Session
    branch: Annotated[str, Meta(max_length=255)]
    remote: Annotated[str, Meta(max_length=100)]
    end: Commit
    guard: Literal["atomic", "checked"]
    start: Commit | None = None
    """The branch there before; None: it was not there."""


class SyncRewritten(EventData, frozen=True):
    """A person accepted that a remote's ledger lost or changed events that were verified here; none is lost here."""

    remote: Annotated[str, Meta(max_length=100)]
    before: Commit | None
    """The remote's last tip that was verified here, None when that is not known."""
    after: Commit
    reason: Text
    lost: Annotated[tuple[EventName, ...], Meta(max_length=LOST_MAX)] = ()
    """The highest event of each writer that is not there any more, or is another."""
