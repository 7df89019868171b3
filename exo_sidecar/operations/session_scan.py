"""Every session that is not over: who works, where, and whether anybody still does."""

from collections import Counter
from typing import Annotated, Final

import msgspec

from exo_sidecar.host import live_sessions
from exo_sidecar.model import ids, instant
from exo_sidecar.model.errors import IdAmbiguous, IdNotFound
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.session import Finish, SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_facts, session_liveness, session_shown
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.session_liveness import Judged, Liveness
from exo_sidecar.operations.session_shown import SessionShown
from exo_sidecar.store import layout, memento

SESSIONS_MAX: Final = 1000
_SEARCHED_MAX: Final = 100_000
_PREFIX: Final = "SES-"


class SessionScan(Params, frozen=True, kw_only=True):
    """Parameters of `session-scan`."""

    session_id: Annotated[
        str | None, param("Show this one whole", positional=True, metavar="SESSION_ID", completes="session")
    ] = None
    stale_hours: Annotated[
        int | None, param("Silent for so many hours is stale; left away: as configured", metavar="N")
    ] = None
    finished: Annotated[int, param("Show so many of the last finished ones, too", metavar="N")] = 0


class ScannedLease(msgspec.Struct, frozen=True, kw_only=True):
    """A session's lease, as far as it is known here without asking anybody."""

    epoch: int | None
    deadline_in: int | None = None
    """Seconds that a session of this clone may still count on it."""
    seen_for: int | None = None
    """Seconds for which this clone has seen a foreign session's lease unchanged."""
    expired: bool = False
    """Whether anybody may take it over."""


class ScannedSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session."""

    id: str
    actor: str
    ticket_id: str
    status: str
    mode: str
    role: str
    worktree: str | None
    """None: it works in another clone, or that is not known."""
    branch: str | None
    age: int | None
    """Seconds since it started, by the clocks of people."""
    last_heartbeat: int | None
    """Seconds since its last sign of life; None: not known here."""
    liveness: Liveness
    stale_reason: str | None
    lease: ScannedLease | None


class WholeSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session with what it left."""

    session: SessionShown
    finish: Finish | None
    evicted: str | None
    finished_at: str | None
    memento_path: str | None
    memento: str | None


class SessionsScanned(Result, frozen=True, kw_only=True):
    """Sessions, joined with what this machine knows of its own."""

    items: tuple[ScannedSession, ...]
    counts: dict[str, int]
    """How many of each liveness."""
    session: WholeSession | None = None
    """The one that was named."""


@operation(Panel.SESSIONS, reads_only=True, idempotent=True)
def run(ctx: Context, params: SessionScan) -> SessionsScanned:
    """Show the sessions that are not over: living, stale, suspended, reserved here, or foreign.

    Stale: no sign of life for --stale-hours, or its agent's process has ended and it was silent for ten minutes. A
    session of another clone is judged by its lease alone, as this clone saw it last. With an id: that one, whole.
    """
    view = ctx.view()
    hours = view.config().sessions.stale_hours if params.stale_hours is None else max(1, params.stale_hours)
    if params.session_id is not None:
        record = named(ctx, view, params.session_id)
        item = _item(ctx, view, session_liveness.judge(ctx, view, record, hours))
        return SessionsScanned(items=(item,), counts={item.liveness: 1}, session=_whole(record))
    session_liveness.joined(ctx, view)
    judged = [session_liveness.judge(ctx, view, record, hours) for record in open_sessions(ctx, view)]
    if params.finished > 0:
        ended = view.sessions(statuses=("finished",), limit=min(params.finished, SESSIONS_MAX))
        judged += [session_liveness.judge(ctx, view, record, hours) for record in ended]
    items = tuple(_item(ctx, view, each) for each in judged)
    counts = Counter(str(item.liveness) for item in items)
    return SessionsScanned(items=items, counts=dict(sorted(counts.items())))


def open_sessions(ctx: Context, view: View) -> tuple[SessionRecord, ...]:
    """Return the sessions that have not ended, the youngest first, with those whose claim is not confirmed yet."""
    found = view.sessions(statuses=("reserved", "active", "suspended"), limit=SESSIONS_MAX)
    known = {record.id for record in found}
    claimed = (session_facts.record_of(view, live) for live in ctx.live.sessions if live.claim is not None)
    return (*(each for each in claimed if each is not None and each.id not in known), *found)


def named(ctx: Context, view: View, text: str) -> SessionRecord:
    """Return the session that is named by its id, a unique beginning of it, or the part after the dash."""
    wanted = ids.parse(text if text.strip().upper().startswith(_PREFIX) else f"{_PREFIX}{text.strip()}")
    live = live_sessions.read(ctx.place.common, SessionId(wanted))
    record = (session_facts.record_of(view, live) if live else None) or view.session(SessionId(wanted))
    if record is not None:
        return record
    every = view.sessions(limit=_SEARCHED_MAX)
    fitting = [each for each in every if each.id.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(each.id for each in fitting[:5])
        message = f"{len(fitting)} sessions begin so: {names}"
        raise IdAmbiguous(message, id=text)
    message = f"there is no session {wanted}"
    raise IdNotFound(message, hint="exo session-scan --finished 20 lists the last ones", id=text)


def _item(ctx: Context, view: View, judged: Judged) -> ScannedSession:
    record, live = judged.record, judged.live
    age = live.heartbeat_age(ctx.boot_clock()) if live is not None and record.status != "finished" else None
    return ScannedSession(
        id=record.id,
        actor=record.actor,
        ticket_id=record.ticket,
        status=record.status,
        mode=record.mode,
        role=record.role,
        worktree=live.worktree if live is not None else None,
        branch=record.branch,
        age=_age(ctx, record),
        last_heartbeat=None if age is None else int(age),
        liveness=judged.liveness,
        stale_reason=judged.stale_reason,
        lease=_lease(ctx, view, judged),
    )


def _age(ctx: Context, record: SessionRecord) -> int | None:
    if record.started_at is None or not instant.is_instant(record.started_at):
        return None
    return max(0, instant.seconds_between(record.started_at, ctx.now))


def _lease(ctx: Context, view: View, judged: Judged) -> ScannedLease | None:
    record, live = judged.record, judged.live
    if record.epoch is None or record.is_audit or judged.liveness in {"finished", "suspended"}:
        return None
    if live is not None:
        left = live.lease_seconds_left(ctx.boot_clock())
        return ScannedLease(epoch=record.epoch, deadline_in=None if left is None else int(left))
    seen = session_liveness.lease_value(ctx, record)
    if seen is None:
        return ScannedLease(epoch=record.epoch)
    expired = session_liveness.is_expired(ctx, view, seen)
    return ScannedLease(epoch=seen.lease.epoch, seen_for=session_liveness.seen_for(ctx, seen), expired=expired)


def _whole(record: SessionRecord) -> WholeSession:
    told = record.has_memento and record.claim is None
    return WholeSession(
        session=session_shown.shown(record),
        finish=record.finish,
        evicted=record.evicted,
        finished_at=record.finished_at,
        memento_path=layout.memento_path(record.id) if told else None,
        memento=memento.render(record) if told else None,
    )
