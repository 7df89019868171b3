"""Drift of one session, as of now: what it would be told if it ended here."""

from typing import Annotated, Literal

from exo_sidecar.domain import drift as rules
from exo_sidecar.model.drift import Drift
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_drift, session_finishing, session_scan
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.session_drift import DriftShown


class DriftAsked(Params, frozen=True, kw_only=True):
    """Parameters of `drift`."""

    session_id: Annotated[
        str | None, param("The session; left away: the caller's", positional=True, metavar="SESSION_ID")
    ] = None


class DriftTold(Result, frozen=True, kw_only=True):
    """How far a session went from its fence."""

    verdict: Literal["pass", "warn", "none"]
    """`warn`: above the threshold. `none`: it could not be told."""
    session_id: SessionId
    ticket_id: TicketId
    session_drift: DriftShown


@operation(Panel.TRACEABILITY, reads_only=True, idempotent=True)
def run(ctx: Context, params: DriftAsked) -> DriftTold:
    """Show how far a session went from its fence: as of now when it works here, else as it was published."""
    view = ctx.view()
    record = _meant(ctx, view, params.session_id)
    shown = session_drift.shown(_found(ctx, view, record), view.config().drift.threshold)
    verdict: Literal["pass", "warn", "none"] = "warn" if shown.is_above else "pass"
    return DriftTold(
        verdict="none" if shown.score is None else verdict,
        session_id=record.id,
        ticket_id=record.ticket,
        session_drift=shown,
    )


def _found(ctx: Context, view: View, record: SessionRecord) -> Drift:
    if record.finish is not None:
        return record.finish.drift or Drift(error=f"{record.id} published none when it ended")
    live = next((live for live in ctx.live.sessions if live.session == record.id), None)
    if live is None:
        return rules.unknown(
            f"{record.id} works in another clone, or in a worktree that is not known here any more",
            session_drift.fence_of(view, record),
            record.base,
        )
    return session_drift.measure(ctx, view, record, live).drift


def _meant(ctx: Context, view: View, named: str | None) -> SessionRecord:
    session_id = named or ctx.caller.session
    if session_id is None:
        raise session_finishing.none_at_work(ctx, view)
    return session_scan.named(ctx, view, session_id)
