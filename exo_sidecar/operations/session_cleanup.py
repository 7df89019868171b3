"""Sessions that nobody works in any more, ended by their own clone; their work stays where it is."""

from typing import Annotated

from exo_sidecar.operations import session_evicting
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, operation, param
from exo_sidecar.operations.session_evicting import SessionsCleaned


class SessionCleanup(Params, frozen=True, kw_only=True):
    """Parameters of `session-cleanup`."""

    session_id: Annotated[
        tuple[str, ...],
        param("These only; left away: all that are stale", positional=True, metavar="SESSION_ID", completes="session"),
    ] = ()
    stale_hours: Annotated[
        int | None, param("Silent for so many hours is stale; left away: as configured", metavar="N")
    ] = None
    force: Annotated[bool, param("Also those that live; for people only")] = False


@operation(Panel.SESSIONS, writes=True, network=True, destructive=True)
def run(ctx: Context, params: SessionCleanup) -> SessionsCleaned:
    """End this clone's stale sessions: a memento of each, its lease released, its ticket back to todo.

    The memento says that it was evicted and why, with commits, changed files and the last sign of life. Branches and
    files stay as they are. A lease is released only when it is provably the session's. One bad record stops no other. A
    session of another clone is left to exo lease-takeover. Saved work of ended sessions goes, too, where branches have
    all of it, unless sessions are named.
    """
    return session_evicting.clean(ctx, session_evicting.Wish(params.session_id, params.stale_hours, params.force))
