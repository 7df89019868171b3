"""A session at work as results show it: what its end says of it is told by its memento and by `ticket-show`."""

import msgspec

from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionMode, SessionRecord, SessionStatus, Suspension


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is at work."""

    id: SessionId
    ticket: TicketId
    actor: str
    status: SessionStatus
    mode: SessionMode
    epoch: int | None
    role: str
    vendor: str
    model: str
    context_window: int | None
    task: str | None
    branch: str | None
    base: str | None
    """Commit that was checked out at the start, whatever happened since."""
    part_base: str | None
    """Commit that was checked out when it was resumed last; None: it never was."""
    suspensions: tuple[Suspension, ...]
    """Its interruptions, the oldest first."""
    started_at: str | None
    claim: str | None
    """Nonce of a claim made offline, while no lease confirms it."""


def shown(session: SessionRecord) -> SessionShown:
    """Return what a result shows of a session."""
    return SessionShown(**{name: getattr(session, name) for name in SessionShown.__struct_fields__})
