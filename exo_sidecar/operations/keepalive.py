"""Keeping leases alive: any call of a session is the occasion for its heartbeat (docs/leases.md, "Heartbeats").

Nobody has to remember, and no call waits for the network: what is due is done by another process, `exo
lease-heartbeat`, one at a time per session and at most one a minute. What became of it is noted, and the next call of
the session tells when it went wrong.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from exo_sidecar.host import heartbeats, live_sessions
from exo_sidecar.host.heartbeats import Note
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model import duration
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.errors import ExoError, Held, SessionFenced
from exo_sidecar.model.ids import SessionId
from exo_sidecar.operations.context import Context, Warned
from exo_sidecar.operations.registry import Operation

DUE_BELOW: Final = 1 / 3
"""A heartbeat is due when less than this part of the lease's life is left."""
PAUSE_SECONDS: Final = 60.0
"""Neither a heartbeat nor a sign of life is written down more often than this."""
MARGIN_SECONDS_MAX: Final = 30.0
MARGIN_PART: Final = 1 / 10
"""The holder's own deadline comes this much of the ttl, or MARGIN_SECONDS_MAX, before the lease's end."""
OFF_VARIABLE: Final = "EXO_NO_HEARTBEAT"
_LIVING: Final = frozenset({"active", "reserved"})
_UNSET: Final = frozenset({"", "0", "false", "no"})
_OWN: Final = frozenset({"lease-heartbeat", "lease-renew", "lease-release", "session-finish"})
"""They speak to the lease's authority themselves, or give the lease back."""

Step = Literal["nothing", "sign", "heartbeat"]


class Trouble(NamedTuple):
    """A heartbeat that went wrong, and after which nothing went right."""

    code: str
    message: str
    is_lost: bool


def is_due(live: LiveSession, now: BootClock) -> bool:
    """Whether less than a third of the lease's life is left, or nobody knows how much."""
    left = live.lease_seconds_left(now)
    return left is None or live.ttl_seconds is None or left < live.ttl_seconds * DUE_BELOW


def decide(live: LiveSession, note: Note | None, now: BootClock) -> Step:
    """Return what a call of the session is the occasion for."""
    if live.state not in _LIVING:
        return "nothing"
    # Who gave the lease back knows no ttl, and has nothing to keep; after a loss a heartbeat brings nothing back.
    holds = live.epoch is not None and live.ttl_seconds is not None and not _is_lost(live, note)
    if holds and is_due(live, now) and _is_past(note.tried_age(now) if note else None):
        return "heartbeat"
    ages = (live.heartbeat_age(now), note.alive_age(now) if note else None)
    return "sign" if all(_is_past(age) for age in ages) else "nothing"


def trouble_of(live: LiveSession, note: Note | None, now: BootClock) -> Trouble | None:
    """Return what is wrong with the session's lease as far as heartbeats told; None when it was put right since."""
    if note is None or (note.epoch, note.held_from) != (live.epoch, live.held_from):
        return None
    if note.outcome == "lost":
        return Trouble(note.code, f"the lease of {live.ticket} is lost: {note.message}", is_lost=True)
    if note.outcome == "failed":
        return Trouble(note.code, f"the lease of {live.ticket} could not be kept alive: {note.message}", is_lost=False)
    if note.outcome == "started" and _is_past(note.tried_age(now)):
        message = f"the last heartbeat of {live.ticket} has not come to its end; exo lease-heartbeat shows why"
        return Trouble("HEARTBEAT_UNFINISHED", message, is_lost=False)
    return None


def seconds_past_deadline(live: LiveSession, now: BootClock) -> float | None:
    """Return for how long the holder should have stopped counting on its lease; None while it may, or if unknown."""
    left = live.lease_seconds_left(now)
    if left is None or live.ttl_seconds is None:
        return None
    past = min(MARGIN_SECONDS_MAX, live.ttl_seconds * MARGIN_PART) - left
    return past if past > 0 else None


def warnings_of(live: LiveSession, note: Note | None, now: BootClock, *, writes: bool) -> tuple[Warned, ...]:
    """Return what the session must hear; the deadline only when it writes (a courtesy, the token is the safety)."""
    if live.state not in _LIVING:
        return ()
    if found := trouble_of(live, note, now):
        return (Warned(found.code, found.message),)
    past = seconds_past_deadline(live, now) if writes else None
    if past is None:
        return ()
    message = (
        f"the lease of {live.ticket} should have been renewed {duration.show(int(past))} ago, and others may "
        "soon take it: run exo lease-heartbeat before you go on"
    )
    return (Warned("LEASE_DEADLINE_PASSED", message),)


def tell(ctx: Context, operation: Operation) -> None:
    """Warn the caller when its lease is lost, could not be kept alive, or is past the holder's own deadline."""
    if operation.name == "lease-heartbeat" or not ctx.is_placed:
        return
    writes = operation.writes and not ctx.dry_run
    # What cannot be read here is found and named by whoever needs it; a call that went well stays well.
    with contextlib.suppress(ExoError, OSError):
        common, now = ctx.place.common, ctx.boot_clock()

        def warned(live: LiveSession | None) -> tuple[Warned, ...]:
            return warnings_of(live, heartbeats.read(common, live.session), now, writes=writes) if live else ()

        if any(warned(live) for live in ctx.live.sessions) and ctx.caller.session:
            ctx.warnings.extend(warned(live_sessions.read(common, ctx.caller.session)))


def refused(ctx: Context, error: ExoError) -> None:
    """Note what a refusal told of the session's lease: that another has it, so that later calls say so, too."""
    session = error.details.get("session")
    if not isinstance(error, SessionFenced) or not isinstance(error.details.get("epoch"), int) or session is None:
        return
    # As above: the refusal is what counts, and it is told in any case.
    with contextlib.suppress(ExoError, OSError):
        common, now = ctx.place.common, ctx.boot_clock()
        live = live_sessions.read(common, SessionId(str(session)))
        if live is None or live.epoch is None or live.state not in _LIVING:
            return
        with heartbeats.only(common, live.session) as alone:
            if alone:
                note = _tried(_renewed(heartbeats.read(common, live.session), now), live, now)
                said = error.message[: heartbeats.TEXT_MAX]
                heartbeats.write(common, live.session, replace(note, outcome="lost", code=error.code, message=said))


def keep(ctx: Context, operation: Operation) -> None:
    """Note that the caller's session is alive, and start its heartbeat when that is due; never waits for either."""
    if operation.name not in _OWN:
        beat(ctx)


def beat(ctx: Context) -> None:
    """Do so in the middle of a call that takes long; every operation may."""
    if ctx.dry_run or ctx.offline or _is_off(ctx.environ) or not ctx.is_placed:
        return
    # A disk that takes no note, or a program that does not start, is no fault of the call that was made.
    with contextlib.suppress(ExoError, OSError):
        common, now = ctx.place.common, ctx.boot_clock()
        if all(decide(live, heartbeats.read(common, live.session), now) == "nothing" for live in ctx.live.sessions):
            return
        session = ctx.caller.session
        live = live_sessions.read(common, session) if session else None
        if live is not None and _noted_step(ctx, live, now) == "heartbeat":
            _start(ctx, live)


@contextlib.contextmanager
def noted(ctx: Context, live: LiveSession | None, *, alone: bool) -> Iterator[None]:
    """Write down what becomes of the heartbeat that is sent in the block; `alone` says whether notes are ours now."""
    if live is None or not alone:
        yield
        return
    common, now = ctx.place.common, ctx.boot_clock()
    note = _tried(_renewed(heartbeats.read(common, live.session), now), live, now)
    try:
        yield
    except ExoError as error:
        text = f"{error.message}{f' ({error.hint})' if error.hint else ''}"[: heartbeats.TEXT_MAX]
        outcome: heartbeats.Outcome = "lost" if isinstance(error, Held) else "failed"
        heartbeats.write(common, live.session, replace(note, outcome=outcome, code=error.code, message=text))
        raise
    heartbeats.write(common, live.session, replace(note, outcome="kept", code="", message=""))


def trouble(ctx: Context, session: SessionId) -> Trouble | None:
    """Return what is wrong with the lease of a session of this clone, as far as its heartbeats told."""
    live = live_sessions.read(ctx.place.common, session)
    return trouble_of(live, heartbeats.read(ctx.place.common, session), ctx.boot_clock()) if live else None


def _noted_step(ctx: Context, live: LiveSession, now: BootClock) -> Step:
    """Write down what this call is the occasion for and return it; nothing when another process is at it."""
    common = ctx.place.common
    with heartbeats.only(common, live.session) as alone:
        if not alone:
            return "nothing"
        # Read anew: of two calls that came at once the second finds what the first has noted.
        known = heartbeats.read(common, live.session)
        step = decide(live, known, now)
        note = _renewed(known, now)
        if step == "heartbeat":
            note = _tried(note, live, now)
        if step != "nothing":
            heartbeats.write(common, live.session, note)
        return step


def _renewed(note: Note | None, now: BootClock) -> Note:
    """Return the note with a sign of life; readings of another boot mean nothing."""
    if note is None:
        return Note(boot_id=now.boot_id, alive=now.seconds)
    tried = note.tried if note.boot_id == now.boot_id else None
    return replace(note, boot_id=now.boot_id, alive=now.seconds, tried=tried)


def _tried(note: Note, live: LiveSession, now: BootClock) -> Note:
    """Return the note of a heartbeat that starts now; what went wrong with this lease is told until one goes right."""
    of = (live.epoch, live.held_from)
    if (note.epoch, note.held_from) == of and note.outcome in {"lost", "failed"}:
        return replace(note, tried=now.seconds)
    return replace(
        note, tried=now.seconds, outcome="started", code="", message="", epoch=live.epoch, held_from=live.held_from
    )


def _start(ctx: Context, live: LiveSession) -> None:
    from exo_sidecar.host import process  # noqa: PLC0415  6 ms that only the call pays that starts something

    # -P: no folder in which we happen to be can stand in for the package.
    words = (sys.executable, "-P", "-m", "exo_sidecar", "lease-heartbeat", "--quiet")
    whose = ("--session", live.session, "--actor", live.actor, "--repo", str(ctx.place.start))
    process.start_detached((*words, *whose), environ=ctx.environ)


def _is_lost(live: LiveSession, note: Note | None) -> bool:
    return note is not None and note.outcome == "lost" and (note.epoch, note.held_from) == (live.epoch, live.held_from)


def _is_past(age: float | None) -> bool:
    return age is None or age >= PAUSE_SECONDS


def _is_off(environ: Mapping[str, str]) -> bool:
    return environ.get(OFF_VARIABLE, "").lower() not in _UNSET
