"""Sessions that are to share no file: a start that is refused where another's scope overlaps. Pure."""

from typing import Final

from exo_sidecar.domain import advisories, fence, holding
from exo_sidecar.model.errors import ExoError, Refused
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View

_LIVING_MAX: Final = 10_000


class ScopeOverlap(Refused):
    """Somebody at work may change the same files."""

    code = "SCOPE_OVERLAP"
    advice = "wait until that session has ended, narrow the scope of one ticket, or start without --require-disjoint"


def refusal(view: View, ticket_id: TicketId) -> ExoError | None:
    """Return why nobody is to begin on the ticket now, None when its scope overlaps that of no session at work."""
    record = view.ticket(ticket_id)
    if record is None:
        return None
    scope = fence.scope(view, record)
    for session in view.sessions(statuses=holding.LIVING, limit=_LIVING_MAX):
        other = view.ticket(session.ticket)
        if other is None or other.id == ticket_id or session.is_audit or holding.is_overtaken(view, session):
            continue
        shared = advisories.overlap(scope, fence.scope(view, other))
        if shared is not None:
            ours, theirs = shared
            message = f"{ticket_id} and {other.id}, which {session.actor} works on, may change the same files"
            return ScopeOverlap(
                f"{message}: {ours} and {theirs}", ticket=other.id, session=session.id, ours=ours, theirs=theirs
            )
    return None
