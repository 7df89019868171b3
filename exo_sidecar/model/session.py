"""Sessions: the unit that works; two agents that share an actor name share nothing else."""

from typing import Literal

import msgspec

from exo_sidecar.model.ids import SessionId, TicketId

SessionStatus = Literal["reserved", "active", "suspended", "finished"]


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A session as the fold knows it."""

    id: SessionId
    ticket: TicketId
    actor: str
    status: SessionStatus
    clone: str
    """The writer that reserved or started it."""
    epoch: int | None = None
    role: str = "Builder"
    vendor: str = "unknown"
    model: str = "unknown"
    context_window: int | None = None
    task: str | None = None
    branch: str | None = None
    base: str | None = None
    """Commit that was checked out at the start."""
    started_at: str | None = None
    finished_at: str | None = None
    finish: "Finish | None" = None
    claim: str | None = None
    """Nonce of a claim made offline, while no lease confirms it: what the session writes is provisional."""


class OfflineClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for a ticket, made without its authority; the first sync asks for the lease."""

    session: SessionId
    ticket: TicketId
    nonce: str
    lost: str | None = None
    """Why it was not confirmed, once that is known."""


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """What a session says at its end; the memento is rendered from it."""

    summary: str
    ticket_status: str
    head: str | None = None
    branch: str | None = None
    commits: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()
    next_step: str | None = None
    artifacts: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    lesson: str | None = None
    errors: tuple[str, ...] = ()
