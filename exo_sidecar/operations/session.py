"""Sessions: the unit that works on a ticket, from its start to its finish."""

from typing import Annotated, Literal

from exo_sidecar.model.opening import Work
from exo_sidecar.operations import (
    session_finishing,
    session_handing_off,
    session_resuming,
    session_starting,
    session_suspending,
)
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, operation, param
from exo_sidecar.operations.session_checks import PassedOver
from exo_sidecar.operations.session_finishing import SessionFinished
from exo_sidecar.operations.session_handing_off import SessionHandedOff
from exo_sidecar.operations.session_resuming import SessionResumed
from exo_sidecar.operations.session_starting import SessionStarted
from exo_sidecar.operations.session_suspending import SessionSuspended


class SessionStart(Params, frozen=True, kw_only=True):
    """Parameters of `session-start`."""

    ticket_id: Annotated[
        str | None,
        param("Ticket to work on; left away: the one reserved here by next", metavar="ID", completes="ticket"),
    ] = None
    vendor: Annotated[str, param("Who makes the model that works")] = "unknown"
    model: Annotated[str, param("The model that works")] = "unknown"
    context_window: Annotated[int | None, param("The model's context window, in tokens", metavar="N")] = None
    role: Annotated[str, param("The role it works in", metavar="NAME")] = "Builder"
    task: Annotated[str | None, param("What to do in particular", stdin=True)] = None
    topic: Annotated[str, param("The topic it belongs to")] = "repo:default"
    hours: Annotated[int | None, param("How long the lease lives, in hours", metavar="N")] = None
    ttl: Annotated[str | None, param("How long the lease lives, like 30m or 4h", metavar="DUR")] = None
    branch: Annotated[
        Literal["off", "suggest", "switch", "worktree"] | None,
        param("The ticket's branch: named, checked out here, or in a worktree of its own; left away: as configured"),
    ] = None
    require_disjoint: Annotated[bool, param("Refuse where somebody at work may change the same files")] = False
    no_sync: Annotated[bool, param("Neither fetch before nor push after")] = False
    tokens: Annotated[int | None, param("Longest bootstrap, in tokens", metavar="N")] = None


class SessionFinish(Params, frozen=True, kw_only=True):
    """Parameters of `session-finish`."""

    summary: Annotated[str, param("What was done", stdin=True)] = ""
    ticket_id: Annotated[
        str | None, param("The session's ticket, to be sure of it", metavar="ID", completes="ticket")
    ] = None
    set_status: Annotated[
        Literal["keep", "review", "done", "todo", "blocked", "cancelled"], param("Where the ticket goes")
    ] = "review"
    reason: Annotated[str | None, param("Why, where the status asks for a reason", stdin=True)] = None
    next_step: Annotated[str | None, param("What should be done next", stdin=True)] = None
    artifact: Annotated[tuple[str, ...], param("A file that came of it", metavar="PATH")] = ()
    blocker: Annotated[tuple[str, ...], param("What stands in the way")] = ()
    error: Annotated[tuple[str, ...], param("An error met, as tool:message")] = ()
    lesson: Annotated[str | None, param("What the next one should know", stdin=True)] = None
    keep_lease: Annotated[bool, param("Do not release the lease")] = False
    skip_check: Annotated[bool, param("Do not run the checks; for done only by a person")] = False
    break_glass_reason: Annotated[str | None, param("Why the checks are passed over", stdin=True, metavar="T")] = None
    drift_threshold: Annotated[
        float | None, param("Drift above which it is told, from 0 to 1; left away: as configured", metavar="X")
    ] = None


class SessionSuspend(Params, frozen=True, kw_only=True):
    """Parameters of `session-suspend`."""

    reason: Annotated[str, param("Why the work is interrupted", stdin=True)] = ""
    ticket_id: Annotated[
        str | None, param("The session's ticket, to be sure of it", metavar="ID", completes="ticket")
    ] = None
    stash: Annotated[bool, param("Put the checkout's work aside, untracked files included")] = False
    keep_lease: Annotated[bool, param("Do not release the lease: it lives until its ttl ends")] = False


class SessionResume(Params, frozen=True, kw_only=True):
    """Parameters of `session-resume`."""

    session_id: Annotated[
        str | None,
        param("The session; left away: the one suspended in this worktree", positional=True, metavar="SESSION_ID"),
    ] = None
    pop_stash: Annotated[bool, param("Put the work back that --stash put aside")] = False
    here: Annotated[bool, param("Also in another worktree, on another branch or in another clone")] = False
    hours: Annotated[int | None, param("How long the lease lives, in hours", metavar="N")] = None
    ttl: Annotated[str | None, param("How long the lease lives, like 30m or 4h", metavar="DUR")] = None
    tokens: Annotated[int | None, param("Longest bootstrap, in tokens", metavar="N")] = None


class SessionHandoff(Params, frozen=True, kw_only=True):
    """Parameters of `session-handoff`."""

    to: Annotated[str, param("Who goes on; agent:* is any agent", metavar="ACTOR")]
    summary: Annotated[str, param("What was done", stdin=True)] = ""
    reason: Annotated[str | None, param("Why it is handed on", stdin=True)] = None
    next_step: Annotated[str | None, param("What should be done next", stdin=True)] = None
    failed: Annotated[tuple[str, ...], param("What was tried and did not work")] = ()
    ticket_id: Annotated[
        str | None, param("The session's ticket, to be sure of it", metavar="ID", completes="ticket")
    ] = None
    break_glass_reason: Annotated[str | None, param("Why the checks are passed over", stdin=True)] = None


@operation(Panel.SESSIONS, writes=True, network=True)
def start(ctx: Context, params: SessionStart) -> SessionStarted:
    """Start to work on a ticket: take its lease, write it down, and say what there is to know.

    Without --ticket-id it adopts what `exo next` reserved in this worktree. One session works in a worktree at a time;
    starting again on the same ticket returns the one that lives. --branch switch changes the branch of a clean checkout
    only; --branch worktree lets the session work in a worktree of its own, beside this one.
    """
    wish = session_starting.Wish(
        ticket=params.ticket_id,
        work=Work(params.role, params.vendor, params.model, params.context_window, params.task, params.topic),
        ttl=params.ttl,
        hours=params.hours,
        branch=params.branch,
        disjoint=params.require_disjoint,
        sync=not params.no_sync,
        tokens=params.tokens,
    )
    return session_starting.start(ctx, wish)


@operation(Panel.SESSIONS, writes=True, network=True)
def finish(ctx: Context, params: SessionFinish) -> SessionFinished:
    """Finish the session: write its memento, move its ticket and release its lease.

    The lease is confirmed first; a session that lost it is refused and nothing changes. What is written is written here
    first, then the governance branch and the release are pushed together.
    """
    wish = session_finishing.Wish(
        summary=params.summary,
        ticket=params.ticket_id,
        status=params.set_status,
        reason=params.reason,
        next_step=params.next_step,
        artifacts=params.artifact,
        blockers=params.blocker,
        errors=params.error,
        lesson=params.lesson,
        keep_lease=params.keep_lease,
        drift_threshold=params.drift_threshold,
        over=PassedOver(params.skip_check, params.break_glass_reason or params.reason),
    )
    return session_finishing.finish(ctx, wish)


@operation(Panel.SESSIONS, writes=True, checkout=True, network=True)
def suspend(ctx: Context, params: SessionSuspend) -> SessionSuspended:
    """Suspend the session: say why, pause its ticket and release its lease; exo session-resume goes on with it.

    --stash puts the whole work of the checkout aside, untracked files included, under refs/exo/saved/SESSION, apart
    from git's stash; then the checkout is clean. Ignored files, submodules and repositories inside stay as they are.
    """
    wish = session_suspending.Wish(params.reason, params.ticket_id, params.stash, params.keep_lease)
    return session_suspending.suspend(ctx, wish)


@operation(Panel.SESSIONS, writes=True, checkout=True, network=True)
def resume(ctx: Context, params: SessionResume) -> SessionResumed:
    """Go on with a suspended session: take its lease again, at a higher epoch, and say what there is to know.

    Where it was suspended, on the same branch, unless --here says otherwise. --pop-stash puts the saved work back to
    the byte; where that does not fit any more nothing is changed and the saved work stays.
    """
    wish = session_resuming.Wish(
        session=params.session_id,
        pop=params.pop_stash,
        here=params.here,
        hours=params.hours,
        ttl=params.ttl,
        tokens=params.tokens,
    )
    return session_resuming.resume(ctx, wish)


@operation(Panel.SESSIONS, writes=True, network=True)
def handoff(ctx: Context, params: SessionHandoff) -> SessionHandedOff:
    """Finish the session and leave its ticket to somebody: paused, released, and kept for the actor named.

    The first session of that actor takes it up, once, in whichever clone; until handoff.reserve_hours are over others
    are refused. Checks run and are reported. What is not committed and pushed stays in this clone.
    """
    wish = session_handing_off.Wish(
        to=params.to,
        summary=params.summary,
        reason=params.reason,
        next_step=params.next_step,
        failed=params.failed,
        ticket=params.ticket_id,
        break_glass_reason=params.break_glass_reason,
    )
    return session_handing_off.hand_off(ctx, wish)
