"""How many leases one actor may hold (`leases.per_actor`): as the authority shows them, or as far as is known here."""

from exo_sidecar.domain import holding
from exo_sidecar.host import live_sessions
from exo_sidecar.leases import rules
from exo_sidecar.leases.refs import Survey
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context


def over(survey: Survey, view: View, owner: str, apart_from: SessionId | None = None) -> ExoError | None:
    """Return the refusal when `owner` holds as many leases as one actor may, not counting those of one session."""
    leases = (seen.lease for seen in survey.leases.values() if seen.lease.holder.session != apart_from)
    return rules.check_quota(leases, owner, view.config().leases.per_actor)


def over_as_known(ctx: Context, view: View, owner: str, apart_from: SessionId) -> ExoError | None:
    """Return the refusal when `owner` holds its share by the ledger and by claims made offline here; nobody is asked.

    Claims made offline elsewhere are not known here: the authority counts anew before one is confirmed.
    """
    known = holding.holders(view)
    tickets = {session.ticket for session in known if session.actor == owner and session.id != apart_from}
    tickets |= {
        live.ticket
        for live in live_sessions.listed(ctx.place.common).sessions
        if live.claim is not None
        and live.actor == owner
        and live.session != apart_from
        and live.state not in {"lost", "ended"}
    }
    return rules.over_limit(owner, len(tickets), view.config().leases.per_actor)
