"""Who holds a ticket, as far as the ledger knows (docs/leases.md).

The holder is the living session that acquired the ticket's lease at the highest epoch. A living session of a lower
epoch was overtaken: it is fenced, and counts as nobody. The lease ref itself is judged by the lease room.
"""

from typing import Final, NamedTuple, Protocol

from exo_sidecar.model.actor import Actor, is_agent
from exo_sidecar.model.errors import LeaseHeld, Refused, SessionFenced
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionRecord, SessionStatus
from exo_sidecar.model.view import View

LIVING: Final[tuple[SessionStatus, ...]] = ("reserved", "active")
"""States of a session in which it can hold a ticket."""


class HumanRequired(Refused):
    """Only a person may do this."""

    code = "HUMAN_REQUIRED"
    advice = "ask a person to do it"


class Asker(Protocol):
    """Who calls: what a rule needs of the caller."""

    @property
    def actor(self) -> Actor:
        """Who acts."""

    @property
    def session(self) -> SessionId | None:
        """The session that the call belongs to."""


class Holding(NamedTuple):
    """A lease as the ledger knows it."""

    session: SessionId
    actor: str
    epoch: int | None


class Standing(NamedTuple):
    """How the caller stands to one ticket."""

    actor: Actor
    session: SessionId | None
    human: bool
    holding: Holding | None
    """Who holds the ticket; None when nobody does."""
    fenced: bool = False
    """Whether the caller's session held the ticket and was overtaken."""

    @property
    def holds(self) -> bool:
        """Whether the caller's session holds the ticket."""
        return self.holding is not None and self.holding.session == self.session

    @property
    def epoch(self) -> int | None:
        """The fencing token under which the caller writes about the ticket, None when it holds nothing."""
        return self.holding.epoch if self.holding is not None and self.holds else None


def holding(view: View, ticket: TicketId) -> Holding | None:
    """Return who holds the ticket, None when nobody does."""
    return _holding(view, ticket, view.sessions(ticket=ticket, statuses=LIVING))


def standing(view: View, ticket: TicketId, caller: Asker, *, human: bool | None = None) -> Standing:
    """Return how the caller stands to the ticket; `human` overrides what the actor's kind claims."""
    living = view.sessions(ticket=ticket, statuses=LIVING)
    holder = _holding(view, ticket, living)
    own = caller.session is not None and any(session.id == caller.session for session in living)
    return Standing(
        actor=caller.actor,
        session=caller.session,
        human=not is_agent(caller.actor) if human is None else human,
        holding=holder,
        fenced=own and (holder is None or holder.session != caller.session),
    )


def is_overtaken(view: View, session: SessionRecord) -> bool:
    """Whether the ledger knows a holder after the session; for a provisional one that is still to be found out."""
    return session.claim is None and view.highest_epoch(session.ticket) > (session.epoch or 0)


def lease_held(ticket: TicketId, holder: Holding) -> LeaseHeld:
    """Return the refusal that names who holds the ticket."""
    message = f"{ticket} is held by {holder.actor} in session {holder.session} (epoch {holder.epoch or 0})"
    return LeaseHeld(message, ticket=ticket, holder=holder.session, actor=holder.actor, epoch=holder.epoch)


def session_fenced(ticket: TicketId, session: SessionId | None) -> SessionFenced:
    """Return the refusal for a session that was overtaken."""
    message = f"session {session} no longer holds {ticket}: another session took its lease"
    return SessionFenced(message, ticket=ticket, session=session)


def _holding(view: View, ticket: TicketId, living: tuple[SessionRecord, ...]) -> Holding | None:
    highest = view.highest_epoch(ticket)
    for session in living:
        if session.claim is not None or (session.epoch or 0) >= highest:
            return Holding(session.id, session.actor, session.epoch)
    return None
