"""How far a session went from its fence: asked when it ends, and of sessions that still work."""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.domain import drift, fence, hierarchy
from exo_sidecar.domain.drift import Changed, Fence
from exo_sidecar.git.locate import Place, locate
from exo_sidecar.host import live_sessions, session_changes
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.host.session_changes import Apart, Changes, Session
from exo_sidecar.model.config import Config
from exo_sidecar.model.drift import WHOLE, Drift
from exo_sidecar.model.errors import Environment, ExoError, Integrity, NotFound
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import Budgets, Scope
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context

COMMITS_SHOWN_MAX: Final = 200
PATHS_SHOWN_MAX: Final = 200
PATH_LENGTH_MAX: Final = 500
"""Together they keep the event's line far below its limit."""
_MOUNT: Final = ".exo"


class Measured(NamedTuple):
    """What a session changed, and how far that is from its fence."""

    drift: Drift
    changes: Changes | None
    """None: it could not be told; the drift says why."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a budget is used."""

    used: int
    max: int


class DriftShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far a session went from its fence: 0 is none, 1 is all the way."""

    score: float | None
    """None: it could not be told, `error` says why."""
    scope_compliance: float | None
    """The share of the changed files that lies in the scope."""
    files: Used
    loc: Used
    """Lines: told, not scored."""
    out_of_scope: tuple[str, ...]
    """The first of them."""
    boundary_hits: tuple[str, ...]
    committed: int
    uncommitted: int
    base: str | None
    intent_root: str | None
    threshold: float
    is_above: bool
    error: str | None = None


def measure(ctx: Context, view: View, session: SessionRecord, live: LiveSession | None = None) -> Measured:
    """Return what a session of this clone changed until now; what stands in the way of an answer stands in it."""
    live = live or live_sessions.read(ctx.place.common, session.id)
    fenced = fence_of(view, session)
    try:
        found = _changes(ctx, view, session, live)
    except (Environment, Integrity, NotFound) as error:
        return Measured(drift.unknown(_cause(error), fenced, session.base), None)
    if live is not None and len(live.dirty) >= live_sessions.DIRTY_MAX:
        message = f"{live_sessions.DIRTY_MAX} files or more were changed before the session began, not all are known"
        return Measured(drift.unknown(message, fenced, session.base), found)
    changed = Changed(found.committed, found.uncommitted, found.lines, session.base)
    return Measured(drift.measure(changed, fenced), found)


def untouched(view: View, session: SessionRecord) -> Measured:
    """Return the measure of a session that changed nothing, because it only looked on."""
    return Measured(drift.measure(Changed((), (), 0, session.base), fence_of(view, session)), None)


def told(ctx: Context, view: View, found: Drift, status: str, threshold: float | None) -> DriftShown:
    """Return the drift of a session that ends in `status`, with a warning when it is above the threshold or unknown.

    Raises:
        DriftBlocked: `drift.block_above` does not let it end so.
    """
    settings = view.config().drift
    blocked = drift.blocked(found, status, settings.block_above)
    if blocked is not None:
        raise blocked
    above = shown(found, settings.threshold if threshold is None else threshold)
    if found.error is not None:
        ctx.warn("DRIFT_UNKNOWN", f"the drift of the session cannot be told: {found.error}")
    elif above.is_above:
        outside = f", {found.out_of_scope_count} of {found.files} files out of scope" if found.out_of_scope else ""
        ctx.warn("DRIFT_HIGH", f"drift {above.score:.3f} is above {above.threshold:g}{outside}")
    return above


def left_behind(measured: Measured) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the session's commits, the youngest first, and the files that it leaves uncommitted; the first of each."""
    found = measured.changes
    if found is None:
        return (), ()
    paths = tuple(path for path in found.uncommitted if len(path) <= PATH_LENGTH_MAX)
    return tuple(commit.id for commit in found.commits[:COMMITS_SHOWN_MAX]), paths[:PATHS_SHOWN_MAX]


def shown(found: Drift, above: float) -> DriftShown:
    """Return the drift as reports show it."""
    return DriftShown(
        score=_fraction(found.score),
        scope_compliance=_fraction(found.scope_compliance),
        files=Used(used=found.files, max=found.files_max),
        loc=Used(used=found.lines, max=found.lines_max),
        out_of_scope=found.out_of_scope,
        boundary_hits=found.boundary_hits,
        committed=found.committed,
        uncommitted=found.uncommitted,
        base=found.base,
        intent_root=found.intent_root,
        threshold=above,
        is_above=drift.is_above(found, above),
        error=found.error,
    )


def apart(place: Place, config: Config) -> Apart:
    """Return what is nobody's work in the checkout: what comes from the base branch, and the mount."""
    remotes = tuple(dict.fromkeys((config.leases.remote, *config.sync.remotes)))
    branch = session_changes.base_branch(place, config.git_controls.base_branch, remotes)
    return Apart(branch, remotes, (_MOUNT,))


def _changes(ctx: Context, view: View, session: SessionRecord, live: LiveSession | None) -> Changes:
    place = ctx.place
    if live is not None and (place.in_mount or live.worktree != str(place.worktree)):
        place = locate(Path(live.worktree))
    if place.in_mount:
        message = f"{place.start} is where records are kept, and it is not known which checkout {session.id} works in"
        raise CheckoutUnreadable(message)
    asked = Session(session.id, session.base, live.dirty if live else {}, lambda name: _is_known(view, name))
    return session_changes.of_session(place, asked, apart(place, view.config()))


def _is_known(view: View, name: str) -> bool:
    found = SessionId(name)
    return view.session(found) is not None or view.offline_session(found) is not None


def fence_of(view: View, session: SessionRecord) -> Fence:
    """Return what the changes of a session are measured by."""
    record = view.ticket(session.ticket)
    ignored = view.config().git_controls.ignore_paths
    if record is None:  # a session of a ticket that the ledger does not have is refused long before
        return Fence(Scope(allow=()), Budgets(), "", None, ignored)
    above = hierarchy.ancestors(view, record.ticket)
    root = above[-1].id if above else None
    return Fence(fence.scope(view, record), fence.budgets(record), fence.boundary(view, record), root, ignored)


def _cause(error: ExoError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _fraction(thousandths: int | None) -> float | None:
    return None if thousandths is None else thousandths / WHOLE
