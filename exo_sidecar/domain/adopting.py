"""Adopting: what a claim made offline becomes once its authority has been asked (docs/leases.md, "Offline")."""

from typing import NamedTuple

from exo_sidecar.domain import moves
from exo_sidecar.domain.holding import Holding, Standing
from exo_sidecar.domain.moves import TicketClosed
from exo_sidecar.model.actor import is_agent
from exo_sidecar.model.errors import LeaseNotHeld
from exo_sidecar.model.event import Draft, LeaseAcquired, LeaseLost, LeaseReleased
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.lifecycle import CLOSED
from exo_sidecar.model.opening import Grant, taken_over
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.session import OfflineClaim
from exo_sidecar.model.view import View


class Handoff(NamedTuple):
    """What was done under a claim that was not confirmed, for whoever goes on."""

    holder: SessionId | None
    """Who holds the ticket; None when nobody does, because it is closed."""
    branch: str | None
    head: str | None
    summary: str


def adopt(view: View, claim: OfflineClaim, grant: Grant, operation: str, *, ends: bool) -> Outcome:
    """Return the events by which a lease that was won adopts the claim; none when it has done so already.

    `ends`: the session finished offline, so the lease is given back right after.
    """
    if view.session(claim.session) is not None and view.offline_session(claim.session) is None:
        return Outcome()
    record = view.ticket(claim.ticket)
    if record is None or record.ticket.status in CLOSED:
        what = f"{claim.ticket} is {record.ticket.status} by now" if record else f"there is no ticket {claim.ticket}"
        return refused(TicketClosed(what, ticket=claim.ticket))
    if grant.epoch <= view.highest_epoch(claim.ticket):
        message = f"epoch {grant.epoch} of {claim.ticket} is not above what the ledger knows"
        return refused(LeaseNotHeld(message, hint="exo sync asks for it again", ticket=claim.ticket))
    acquired = LeaseAcquired(
        ticket=claim.ticket, epoch=grant.epoch, session=claim.session, commit=grant.commit, adopts=claim.nonce
    )
    drafts = [Draft(subject=claim.ticket, data=acquired, session=claim.session, epoch=grant.epoch)]
    drafts += taken_over(claim.ticket, grant)
    if ends:
        released = LeaseReleased(ticket=claim.ticket, epoch=grant.epoch, session=claim.session)
        drafts.append(Draft(subject=claim.ticket, data=released, session=claim.session, epoch=grant.epoch))
    held = Holding(claim.session, grant.actor, grant.epoch)
    standing = Standing(grant.actor, claim.session, human=not is_agent(grant.actor), holding=held)
    return Outcome(events=tuple(drafts)) + moves.containers_start(view, record, operation, standing)


def lose(view: View, claim: OfflineClaim, handoff: Handoff) -> Outcome:
    """Return the handoff record of a claim that was not confirmed; nothing when it is written already."""
    if view.is_lost(claim.nonce):
        return Outcome()
    data = LeaseLost(ticket=claim.ticket, session=claim.session, claim=claim.nonce, **handoff._asdict())
    return Outcome(events=(Draft(subject=claim.ticket, data=data, session=claim.session),))
