"""Handoffs: work that one session leaves to an actor that it names, in whichever clone that one works."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from exo_sidecar.model.event_parts import Branch, Commit, Members, Text
from exo_sidecar.model.ids import SessionId, TicketId

ADDRESSEE: Final = r"^(human|agent|ci|system):([A-Za-z0-9][A-Za-z0-9._@+-]{0,63}|\*)\Z"
"""An actor, or `agent:*` and its like: any actor of that kind."""


class Handoff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is handed on, in the words of the one who hands it on."""

    to: Annotated[str, Meta(pattern=ADDRESSEE)]
    summary: Text
    reserved_until: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")]
    """Until then only an actor that `to` names takes the ticket: by the wall clock of whoever asks. A courtesy, which
    decides about no lease."""
    reason: Text | None = None
    next_step: Text | None = None
    failed: Members = ()
    """What was tried and did not work."""
    branch: Branch | None = None
    head: Commit | None = None
    uncommitted: Members = ()
    """Files that were left changed and not committed, in the clone of the one who hands on."""
    allow: Members = ()
    deny: Members = ()
    checks: Members = ()
    """Checks that ran at the end, as `id: outcome`."""


class HandoffRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A handoff as the fold knows it."""

    id: str
    ticket: TicketId
    session: SessionId
    """The session that handed on."""
    actor: str
    """Who handed on."""
    created_at: str
    content: Handoff
    taken_by: SessionId | None = None
    """The session that took it up; None while it waits."""
    taken_at: str | None = None
    late_by_seconds: int | None = None
    """How long the reservation for another was over then."""

    @property
    def told(self) -> str:
        """For whom the ticket is kept, in a sentence that is true before that time and after it."""
        kept = f"kept for them until {self.content.reserved_until}"
        return f"{self.ticket} was handed to {self.content.to} by {self.actor}, {kept}"
