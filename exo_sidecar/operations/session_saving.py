"""Work that a session leaves in its checkout: put aside when it is suspended, and put back when it goes on.

First a ref names the work, then the ledger says so, then the checkout is cleared; a call that is killed in between is
gone on with by the next. What a ref names is dropped only once all of it is in the checkout again.
"""

import contextlib
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from exo_sidecar.git.oid import Oid
from exo_sidecar.host import live_sessions, restored_work, saved_work
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.host.restored_work import StashConflict
from exo_sidecar.host.saved_work import SavedWork, StashFailed
from exo_sidecar.model import instant
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_facts
from exo_sidecar.operations.context import Context

_NAMED_MAX = 5


@contextlib.contextmanager
def alone(ctx: Context) -> Iterator[None]:
    """Let one call at a time suspend or resume a session in a checkout; StashFailed for the second.

    Everything else here, but `clear_pending`, is called under it.
    """
    if ctx.dry_run:
        yield
        return
    with saved_work.alone_in(ctx.place):
        yield


def put_aside(ctx: Context, session: SessionRecord) -> Oid | None:
    """Keep the checkout's work under the session's ref, and return the commit; None when there is none.

    Work that was put aside before and not put back stays within reach of the new commit.
    """
    earlier = saved_work.read(ctx.repository, session.id)
    told = {each.saved for each in session.suspensions}
    # A commit of which the ledger knows nothing is of a call that was killed before it cleared anything.
    kept = earlier.commit if earlier is not None and earlier.commit in told else None
    at = instant.epoch_seconds(ctx.now)
    saving = saved_work.save(ctx.repository, session.id, at=at, kept=kept)
    if saving.foreign:
        names = _named(saving.foreign)
        ctx.warn("NOT_SAVED", f"submodules and repositories of their own stay as they are: {names}")
    if kept is not None:
        ctx.warn("SAVED_EARLIER", f"earlier saved work of {session.id} was never put back: git show {kept}")
    return saving.work.commit if saving.work is not None else kept


def clear(ctx: Context, live: LiveSession) -> None:
    """Take saved work out of the checkout; what cannot be done now stays for the next call."""
    if live.clearing is None:
        return
    try:
        work = saved_work.read(ctx.repository, live.session)
        left = saved_work.clear(ctx.place, work) if work is not None and work.commit == live.clearing else ()
    except StashFailed as error:
        ctx.warn_of(error)
        ctx.warn("WORK_NOT_CLEARED", f"the work of {live.session} is saved, and still in the checkout too")
        return
    if left:
        ctx.warn("WORK_LEFT", f"changed after it was saved, so it stays in the checkout: {_named(left)}")
    session_facts.change(ctx, live.session, lambda known: replace(known, clearing=None))


def clear_pending(ctx: Context, view: View) -> None:
    """Go on with what a killed call left: the work of a suspended session of this checkout is still to be cleared."""
    if ctx.dry_run or ctx.place.worktree is None or ctx.place.in_mount:
        return
    here = session_facts.in_worktree(live_sessions.listed(ctx.place.common).sessions, ctx.place.worktree)
    if not any(live.clearing for live in here):
        return
    try:
        with alone(ctx):
            go_on(ctx, view)
    except StashFailed as error:  # the call that is at it goes on by itself
        ctx.warn_of(error)


def go_on(ctx: Context, view: View) -> None:
    """As `clear_pending`, for a call that is alone in the checkout already."""
    worktree = session_facts.worktree_of(ctx)
    for live in session_facts.in_worktree(live_sessions.listed(ctx.place.common).sessions, worktree):
        record = session_facts.record_of(view, live) if live.clearing and not live_sessions.has_call(live) else None
        if record is not None and record.status == "suspended":
            clear(ctx, live)


def fitting(ctx: Context, session: SessionRecord) -> SavedWork | None:
    """Return the session's saved work, None when nothing was saved.

    Raises:
        StashConflict: it does not fit into the checkout, or is in another clone; nothing was changed.
    """
    work = saved_work.read(ctx.repository, session.id)
    if work is None:
        last = session.suspensions[-1] if session.suspensions else None
        if last is not None and last.saved is not None and session.status == "suspended":
            message = f"the saved work of {session.id} is not in this clone"
            hint = "resume in the clone where it was suspended, or leave --pop-stash away"
            raise StashConflict(message, hint=hint, session=session.id, commit=last.saved)
        return None
    restored_work.plan(ctx.place, work)
    return work


def put_back(ctx: Context, session: SessionRecord, work: SavedWork) -> None:
    """Put saved work back into the checkout and drop its ref; StashConflict, StashFailed, and then the ref stays."""
    restored_work.apply(ctx.repository, work, restored_work.plan(ctx.place, work))
    saved_work.drop(ctx.repository, session.id, work)


def tell_left(ctx: Context, session: SessionRecord) -> None:
    """Warn of saved work that a session leaves behind when it ends: nobody puts it back any more."""
    left = ctx.repository.refs.read(saved_work.ref_of(session.id)) if session.suspensions else None
    if left is not None:
        message = f"work of {session.id} that was put aside was never put back: git show {left} shows it"
        ctx.warn("SAVED_WORK_LEFT", message)


def _named(paths: Iterable[str]) -> str:
    found = [path.encode(errors="surrogateescape").decode(errors="backslashreplace") for path in paths]
    more = len(found) - _NAMED_MAX
    return ", ".join(found[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
