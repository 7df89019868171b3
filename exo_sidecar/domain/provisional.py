"""Provisional work: what a session writes that took its ticket offline (docs/leases.md, "Offline").

Its events carry the claim's nonce in place of an epoch. They move nothing until a lease adopts the claim.
"""

from collections.abc import Callable

from msgspec.structs import replace

from exo_sidecar.model.errors import LeaseLost, LeaseNotHeld
from exo_sidecar.model.event import (
    Draft,
    LeaseAcquired,
    LeaseReleased,
    LeaseTakenOver,
    TicketMoved,
    lease_ticket,
)
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import OfflineClaim
from exo_sidecar.model.view import View

Rule = Callable[[View], Outcome]


def ruled(rule: Rule, claim: OfflineClaim, *, caller: SessionId | None, is_end: bool = False) -> Rule:
    """Return `rule` as it holds for the session of the claim: it decides as if the claim counted, and writes under it.

    A rule of a session whose claim was lost is refused, unless it ends the session.
    """

    def provisional(view: View) -> Outcome:
        if claim.lost is not None and not is_end:
            return Outcome(refusal=lost(claim))
        return under(rule(view.supposing(claim)), claim, caller)

    return provisional


def under(outcome: Outcome, claim: OfflineClaim, caller: SessionId | None) -> Outcome:
    """Return `outcome` with what the claim's session writes about its ticket put under the claim."""
    events = tuple(
        _under(draft, claim) if (draft.session or caller) == claim.session else draft for draft in outcome.events
    )
    return Outcome(
        events=tuple(draft for draft in events if draft is not None),
        findings=outcome.findings,
        refusal=outcome.refusal,
    )


def lost(claim: OfflineClaim) -> LeaseLost:
    """Return the refusal for a session whose claim was not confirmed; it says how to go on."""
    message = f"{claim.session} took {claim.ticket} offline, and that was not confirmed: {claim.lost}"
    hint = (
        'your files are kept as they are; exo session-finish --summary "..." ends the session here, then '
        "exo ticket-create makes a ticket for what is left; "
        f"exo ticket-show {claim.ticket} --history shows the handoff record"
    )
    return LeaseLost(message, hint=hint, ticket=claim.ticket, session=claim.session)


def unconfirmed(session: SessionId, ticket: TicketId) -> LeaseNotHeld:
    """Return the refusal for what needs a lease, in a session that took its ticket offline."""
    message = f"{session} took {ticket} offline: provisional, not confirmed by the authority"
    return LeaseNotHeld(message, hint="exo sync asks for the lease", ticket=ticket, session=session)


def _under(draft: Draft, claim: OfflineClaim) -> Draft | None:
    """Return the draft under the claim; None for what only a lease can say."""
    if lease_ticket(draft.subject, draft.data) != claim.ticket:
        return None if _is_container_of(draft, claim.ticket) else draft
    if isinstance(draft.data, LeaseAcquired | LeaseReleased | LeaseTakenOver):
        return None
    return replace(draft, epoch=None, claim=claim.nonce)


def _is_container_of(draft: Draft, ticket: TicketId) -> bool:
    """Whether the draft starts a container because the ticket started: that waits for the lease, too."""
    data = draft.data
    return isinstance(data, TicketMoved) and data.end is Status.ACTIVE and data.reason == f"{ticket} started"
