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
_HOLDING: Final[tuple[SessionStatus, ...]] = (*LIVING, "suspended")
"""And of one that may have kept its lease."""
_HOLDERS_MAX: Final = 10_000


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
    return _holding(view, ticket, _holders(view, ticket))


def holders(view: View) -> tuple[SessionRecord, ...]:
    """Return the sessions that hold a ticket as far as the ledger of this clone knows; nobody is asked."""
    found = view.sessions(statuses=_HOLDING, limit=_HOLDERS_MAX)
    return tuple(each for each in found if _can_hold(each) and not is_overtaken(view, each))


def standing(view: View, ticket: TicketId, caller: Asker, *, human: bool | None = None) -> Standing:
    """Return how the caller stands to the ticket; `human` overrides what the actor's kind claims."""
    living = _holders(view, ticket)
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
    return not session.is_audit and session.claim is None and view.highest_epoch(session.ticket) > (session.epoch or 0)


def lease_held(ticket: TicketId, holder: Holding) -> LeaseHeld:
    """Return the refusal that names who holds the ticket."""
    message = f"{ticket} is held by {holder.actor} in session {holder.session} (epoch {holder.epoch or 0})"
    return LeaseHeld(message, ticket=ticket, holder=holder.session, actor=holder.actor, epoch=holder.epoch)


def session_fenced(ticket: TicketId, session: SessionId | None) -> SessionFenced:
    """Return the refusal for a session that was overtaken."""
    message = f"session {session} no longer holds {ticket}: another session took its lease"
    return SessionFenced(message, ticket=ticket, session=session)


def elsewhere(session: SessionRecord) -> SessionFenced:
    """Return the refusal to act for a session that works in another clone."""
    message = f"session {session.id} works on {session.ticket} in another clone, and not here"
    hint = "do it there, or start a session here"
    return SessionFenced(message, hint=hint, ticket=session.ticket, session=session.id)


def _holders(view: View, ticket: TicketId) -> tuple[SessionRecord, ...]:
    """Return the sessions that can hold the ticket: those that live, and suspended ones that kept their lease."""
    return tuple(each for each in view.sessions(ticket=ticket, statuses=_HOLDING) if _can_hold(each))


def _can_hold(session: SessionRecord) -> bool:
    """Whether it works on its ticket, or is suspended and kept the lease."""
    if session.is_audit or session.status != "suspended":
        return not session.is_audit
    return session.interruption is not None and session.interruption.keeps_lease


def _holding(view: View, ticket: TicketId, living: tuple[SessionRecord, ...]) -> Holding | None:
    highest = view.highest_epoch(ticket)
    for session in living:
        if session.claim is not None or (session.epoch or 0) >= highest:
            return Holding(session.id, session.actor, session.epoch)
    return None
