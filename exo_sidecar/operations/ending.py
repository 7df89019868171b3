"""Ends that are written here and that the lease's authority may not have heard of.

A call that gives a lease back notes it with the session's live facts before its transaction, and drops the note once
the authority has confirmed. What is killed or unanswered in between is made up for by the next call that asks for
leases, and by `exo sync`.
"""

import contextlib
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.host.ancestry import ProcessFacts
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import ExoError, Held
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.operations import session_facts
from exo_sidecar.operations.context import Context

Release = Callable[[TicketId, SessionId, Actor], object]


@contextlib.contextmanager
def noted(ctx: Context, session: SessionRecord, *, gives_back: bool) -> Iterator[None]:
    """Keep in mind, around the transaction that ends a session, that its lease is to be given back then."""
    ours, before = ancestry.this_process(), list[ProcessFacts | None]()

    def mark(live: LiveSession) -> LiveSession:
        before.append(live.call)
        return replace(live, call=ours)

    def unmark(live: LiveSession) -> LiveSession:
        return replace(live, call=before[0]) if live.call == ours else live

    if ctx.dry_run or not gives_back or session_facts.change(ctx, session.id, mark) is None:
        yield
        return
    try:
        yield
    except ExoError:  # another call that ends the session may have come first, and is still at it
        session_facts.change(ctx, session.id, unmark)
        raise


def forget(ctx: Context, session: SessionRecord, *, confirmed: bool) -> None:
    """Forget what this machine knows of an ended session; what is not confirmed stays to be made up for."""
    if ctx.dry_run:
        return
    if not confirmed:
        session_facts.change(ctx, session.id, lambda live: replace(live, state="ended", call=None))
        return
    with ctx.store.locked():  # a heartbeat in the background writes the same file
        if live_sessions.read(ctx.place.common, session.id) is not None:
            live_sessions.remove(ctx.place.common, session.id)


def is_any_open(ctx: Context) -> bool:
    """Whether there are ends to make up for, as far as this machine knows; nothing is asked for."""
    return bool(session_facts.unconfirmed(ctx, ctx.view()))


def make_up(ctx: Context, release: Release) -> None:
    """Give back the leases of sessions that have ended here; what cannot be told now stays for the next call."""
    for live in session_facts.unconfirmed(ctx, ctx.view()):
        try:
            _given_back(ctx, live, release)
        except ExoError as error:
            # What the call was made for does not depend on it.
            ctx.warn_of(error)


def _given_back(ctx: Context, live: LiveSession, release: Release) -> None:
    record = ctx.view().session(live.session)
    if record is None:
        return
    with contextlib.suppress(Held):  # nobody holds it any more, or somebody else does: either way it is not ours
        release(record.ticket, record.id, Actor(record.actor))
        what = "suspension" if record.status == "suspended" else "end"
        ctx.warn(
            "END_CONFIRMED", f"the {what} of {record.id} is confirmed now: the lease of {record.ticket} is given back"
        )
    if record.status == "suspended":
        session_facts.change(ctx, record.id, _paused)
    else:
        live_sessions.remove(ctx.place.common, record.id)


def _paused(live: LiveSession) -> LiveSession:
    return replace(live, state="suspended", call=None, unreleased=False)
