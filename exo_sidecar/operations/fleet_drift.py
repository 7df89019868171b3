"""Drift of all sessions: those at work now, and what the others said last."""

from typing import Annotated, Final

import msgspec

from exo_sidecar.host import live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model import instant
from exo_sidecar.model.drift import WHOLE
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionRecord, SessionStatus
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_drift, session_liveness
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

_LIVING_MAX: Final = 200
_FINISHED_MAX: Final = 1000
_AT_WORK: Final[tuple[SessionStatus, ...]] = ("active", "suspended")


class FleetDrift(Params, frozen=True, kw_only=True):
    """Parameters of `fleet-drift`."""

    include_finished: Annotated[int, param("How many of those that finished last", metavar="N")] = 10
    stale_hours: Annotated[int, param("Silence after which a session counts as left behind, in hours", metavar="N")] = (
        48
    )
    threshold: Annotated[
        float | None, param("Drift above which one is counted, from 0 to 1; left away: as configured", metavar="X")
    ] = None


class SessionDrift(msgspec.Struct, frozen=True, kw_only=True):
    """The drift of one session."""

    id: SessionId
    actor: str
    ticket_id: TicketId
    status: SessionStatus
    drift: float | None
    """None: it was not computed, `reason` says why."""
    computed_at: str | None
    age_seconds: int | None
    """How old the figure is, by the clocks of those who wrote it."""
    foreign: bool
    """Whether another clone's session it is: of those only what they published is known."""
    stale: bool = False
    reason: str | None = None


class FleetDrifted(Result, frozen=True, kw_only=True):
    """How far the sessions are from their fences."""

    sessions: tuple[SessionDrift, ...]
    threshold: float
    mean: float | None
    """Of those that are known, as is `max`."""
    max: float | None
    above_threshold: int
    stale: int


@operation(Panel.REPORTS, reads_only=True, idempotent=True)
def run(ctx: Context, params: FleetDrift) -> FleetDrifted:
    """Show how far each session went from its fence: as of now for those at work here, else as it was published."""
    view = ctx.view()
    here = {live.session: live for live in ctx.live.sessions}
    working = [each for each in view.sessions(statuses=_AT_WORK, limit=_LIVING_MAX) if not each.is_audit]
    ended = view.sessions(statuses=("finished",), limit=min(max(params.include_finished, 0), _FINISHED_MAX))
    finished = [each for each in ended if not each.is_audit]
    hours = max(params.stale_hours, 0)
    shown = [_at_work(ctx, view, record, here.get(record.id), hours) for record in working]
    shown += [_published(ctx, record, is_foreign=session_liveness.is_foreign(ctx, record)) for record in finished]
    known = [each.drift for each in shown if each.drift is not None]
    above = view.config().drift.threshold if params.threshold is None else params.threshold
    return FleetDrifted(
        sessions=tuple(shown),
        threshold=above,
        mean=round(sum(known) / len(known), 3) if known else None,
        max=max(known, default=None),
        above_threshold=sum(1 for each in known if each > above),
        stale=sum(1 for each in shown if each.stale),
    )


def _at_work(
    ctx: Context, view: View, record: SessionRecord, live: LiveSession | None, stale_hours: int
) -> SessionDrift:
    if live is None:
        is_foreign = session_liveness.is_foreign(ctx, record)
        where = "another clone" if is_foreign else "a worktree that is not known here any more"
        return _row(record, None, is_foreign=is_foreign, reason=f"it works in {where}")
    is_stale = live_sessions.is_stale(live, ctx.boot_clock(), stale_hours)
    worker = _works_there(ctx, view, live)
    if record.status == "suspended" and worker is not None:
        return _row(record, None, is_stale=is_stale, reason=f"{worker} works in its worktree")
    found = session_drift.measure(ctx, view, record, live).drift
    return _row(record, found.score, at=ctx.now, age=0, is_stale=is_stale, reason=found.error)


def _works_there(ctx: Context, view: View, live: LiveSession) -> SessionId | None:
    """Return the session that is at work in the worktree of another one, None when nobody is."""
    for other in ctx.live.sessions:
        record = view.session(other.session) if other.worktree == live.worktree else None
        if record is not None and other.session != live.session and record.status == "active" and not other.audit:
            return other.session
    return None


def _published(ctx: Context, record: SessionRecord, *, is_foreign: bool) -> SessionDrift:
    found = record.finish.drift if record.finish is not None else None
    if found is None:
        return _row(record, None, is_foreign=is_foreign, reason="it published none")
    age = None
    if record.finished_at is not None and instant.is_instant(record.finished_at):
        age = max(0, instant.seconds_between(record.finished_at, ctx.now))
    return _row(record, found.score, at=record.finished_at, age=age, is_foreign=is_foreign, reason=found.error)


def _row(  # noqa: PLR0913 - a row of a table
    record: SessionRecord,
    score: int | None,
    *,
    at: str | None = None,
    age: int | None = None,
    is_foreign: bool = False,
    is_stale: bool = False,
    reason: str | None = None,
) -> SessionDrift:
    return SessionDrift(
        id=record.id,
        actor=record.actor,
        ticket_id=record.ticket,
        status=record.status,
        drift=None if score is None else score / WHOLE,
        computed_at=at,
        age_seconds=age,
        foreign=is_foreign,
        stale=is_stale,
        reason=reason,
    )
