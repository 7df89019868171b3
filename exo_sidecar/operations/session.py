"""Sessions: the unit that works on a ticket, from its start to its finish."""

from typing import Annotated, Literal

from exo_sidecar.operations import session_finishing, session_starting
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, operation, param
from exo_sidecar.operations.session_finishing import SessionFinished
from exo_sidecar.operations.session_starting import SessionStarted


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
    task: Annotated[str | None, param("What to do in particular; - reads standard input", stdin=True)] = None
    topic: Annotated[str, param("The topic it belongs to")] = "repo:default"
    hours: Annotated[int | None, param("How long the lease lives, in hours", metavar="N")] = None
    ttl: Annotated[str | None, param("How long the lease lives, like 30m or 4h", metavar="DUR")] = None
    branch: Annotated[Literal["off", "suggest"], param("Whether to name a branch for the work")] = "suggest"
    no_sync: Annotated[bool, param("Neither fetch before nor push after")] = False
    tokens: Annotated[int | None, param("Longest bootstrap, in tokens", metavar="N")] = None


class SessionFinish(Params, frozen=True, kw_only=True):
    """Parameters of `session-finish`."""

    summary: Annotated[str, param("What was done; - reads standard input", stdin=True)] = ""
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


@operation(Panel.SESSIONS, writes=True, network=True)
def start(ctx: Context, params: SessionStart) -> SessionStarted:
    """Start to work on a ticket: take its lease, write it down, and say what there is to know.

    Without --ticket-id it adopts what `exo next` reserved in this worktree. One session works in a worktree at a time;
    starting again on the same ticket returns the one that lives.
    """
    wish = session_starting.Wish(
        ticket=params.ticket_id,
        role=params.role,
        vendor=params.vendor,
        model=params.model,
        context_window=params.context_window,
        task=params.task,
        topic=params.topic,
        ttl=params.ttl,
        hours=params.hours,
        suggest_branch=params.branch == "suggest",
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
    )
    return session_finishing.finish(ctx, wish)
