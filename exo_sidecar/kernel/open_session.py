"""A session opens: what the ledger is told, and in which order (docs/kernel.md)."""

from exo_sidecar.model.errors import SessionFenced
from exo_sidecar.model.event import Draft
from exo_sidecar.model.opening import Opening, acquired
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import BARRING, Verification


def open_session(opening: Opening) -> Outcome:
    """Return the events by which a session works from now on, or why it does not.

    `lease.acquired` comes first, because whatever a holder writes counts only after it; it is written once for a
    session and an epoch. Nobody begins where something stands against it, under a policy that bars work, or with a
    lease older than one that the ledger knows.
    """
    grant = opening.grant
    if opening.obstacle is not None:
        return refused(opening.obstacle)
    if opening.verdict in BARRING:
        return Outcome(
            refusal=Verification(verdict=opening.verdict, reasons=(f"the policy is {opening.verdict}",)).refusal
        )
    if grant.epoch < opening.highest_epoch:
        message = f"epoch {grant.epoch} of {opening.ticket} is over: the ledger knows epoch {opening.highest_epoch}"
        return refused(SessionFenced(message, ticket=opening.ticket, session=grant.session))
    events = () if _is_told(opening) else acquired(opening.ticket, grant)
    if opening.begins is not None:
        begun = Draft(subject=grant.session, data=opening.begins, session=grant.session, epoch=grant.epoch)
        events = (*events, begun)
    return Outcome(events=events)


def _is_told(opening: Opening) -> bool:
    """Whether the ledger has this session's `lease.acquired` under this epoch."""
    known = opening.known
    return known is not None and known.epoch == opening.grant.epoch == opening.highest_epoch
