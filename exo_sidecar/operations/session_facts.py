"""Sessions of this clone, joined: what this machine knows of them and what the ledger says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from exo_sidecar.git.locate import Place, locate
from exo_sidecar.host import live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.errors import NotARepository
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lease import Lease
from exo_sidecar.model.session import SessionRecord, SessionStatus
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context


def worktree_of(ctx: Context) -> Path:
    """Return the checkout that the call was made in; NotARepository where there is none to work in."""
    return worktree_at(ctx.place)


def worktree_at(place: Place) -> Path:
    """Return the checkout of a place; NotARepository where there is none to work in."""
    if place.worktree is None or place.in_mount:
        message = f"{place.start} is in no checkout, and sessions work in one"
        raise NotARepository(message, hint="change into a worktree of the repository, or name one with --repo")
    return place.worktree


def place_of(ctx: Context, session: SessionId) -> Place:
    """Return the checkout that a session of this clone works in; where the call was made when that is not known."""
    live = live_sessions.read(ctx.place.common, session)
    is_here = live is None or (live.worktree == str(ctx.place.worktree) and not ctx.place.in_mount)
    return ctx.place if is_here or live is None else locate(Path(live.worktree))


def living(ctx: Context, view: View, status: SessionStatus) -> tuple[LiveSession, ...]:
    """Return this clone's sessions that the ledger has in `status`; facts of ended ones are forgotten.

    What a killed call left is brought to what the ledger says: that it had claimed, or that it had not.
    """
    common = ctx.place.common
    found: list[LiveSession] = []
    for listed in live_sessions.listed(common).sessions:
        is_claiming = live_sessions.is_claiming(common, listed.session)
        live = live_sessions.read(common, listed.session)
        if live is None or live.state == "lost":
            continue
        record = record_of(view, live)
        if is_claiming and (record is None or record.status != "active"):  # a start counts from its event on
            continue
        if record is None:  # it may have begun since the view was read
            record = record_of(ctx.view(), live)
        if live.state == "suspended" and record is not None and record.status == "active":
            if not ctx.dry_run:  # it goes on in another clone
                live_sessions.remove(common, live.session)
            continue
        if record is None or record.status == "finished":
            if not ctx.dry_run and (record is None or not (live.claim or _is_unconfirmed(live))):
                live_sessions.remove(common, live.session)
        elif record.status == status:
            found.append(_after_a_kill(ctx, live, record))
    return tuple(found)


def record_of(view: View, live: LiveSession) -> SessionRecord | None:
    """Return what the ledger says of a live session, also while its claim is provisional."""
    provisional = view.offline_session(live.session) if live.claim else None  # also one that a lease began before
    return provisional or view.session(live.session)


def unconfirmed(ctx: Context, view: View) -> tuple[LiveSession, ...]:
    """Return the sessions that have ended here, and whose lease may not have been given back."""
    found: list[LiveSession] = []
    for live in live_sessions.listed(ctx.place.common).sessions:
        if not _is_unconfirmed(live) or live_sessions.has_call(live):
            continue
        record = view.session(live.session)
        if record is not None and record.status in {"finished", "suspended"}:
            found.append(live)
    return tuple(found)


def _is_unconfirmed(live: LiveSession) -> bool:
    """Whether a call was about to give the session's lease back, as far as this machine knows."""
    is_ending = live.state not in {"claiming", "suspended"} and live.call is not None
    return live.state == "ended" or live.unreleased or is_ending


def _after_a_kill(ctx: Context, live: LiveSession, record: SessionRecord) -> LiveSession:
    """Return the facts of a living session, put right when the call that was changing them is dead."""
    if live.call is None or live_sessions.has_call(live):
        return live
    if live.claim is not None and record.claim is None:
        return live  # a lease confirmed it, and the next call that asks for leases goes on from there
    epoch = record.epoch if live.state == "claiming" else live.epoch
    state: Literal["active", "reserved", "suspended"] = "active" if record.status == "active" else "reserved"
    unreleased = live.unreleased
    if record.interruption is not None:
        state = "suspended"
        unreleased = unreleased or (live.state == "active" and not record.interruption.keeps_lease)
    whole = replace(live, state=state, ticket=record.ticket, epoch=epoch, call=None, unreleased=unreleased)
    if not ctx.dry_run:
        live_sessions.write(ctx.place.common, whole)
    return whole


def change(ctx: Context, session: SessionId, made: Callable[[LiveSession], LiveSession]) -> LiveSession | None:
    """Change what this machine knows of a session, and return it; None when it knows nothing.

    Read and written under the clone's lock: the calls of a session and its heartbeat in the background write one file.
    """
    with ctx.store.locked():
        live = live_sessions.read(ctx.place.common, session)
        if live is None:
            return None
        changed = made(live)
        live_sessions.write(ctx.place.common, changed)
        return changed


def beat(ctx: Context, live: LiveSession) -> LiveSession:
    """Record a sign of life of a session, and return the session as it is known then."""
    now = ctx.boot_clock()
    return change(ctx, live.session, lambda known: live_sessions.beaten(known, now)) or live


def count_on(ctx: Context, lease: Lease, sent: BootClock) -> None:
    """Let a session count on its lease from when the lease's new value was sent."""

    def counted(live: LiveSession) -> LiveSession:
        kept = replace(live, boot_id=sent.boot_id, heartbeat=sent.seconds, held_from=sent.seconds)
        return replace(kept, ttl_seconds=lease.ttl_seconds, epoch=lease.epoch)

    change(ctx, lease.holder.session, counted)


def in_worktree(sessions: Sequence[LiveSession], worktree: Path) -> tuple[LiveSession, ...]:
    """Return those that belong to one checkout."""
    return tuple(live for live in sessions if live.worktree == str(worktree))


def at_work(ctx: Context, view: View, worktree: Path, apart_from: SessionId | None = None) -> LiveSession | None:
    """Return the session that works in the checkout, None when nobody does; audits only look on."""
    others = in_worktree(living(ctx, view, "active"), worktree)
    return next((live for live in others if live.session != apart_from and not live.audit), None)


def on_ticket(sessions: Sequence[LiveSession], ticket: TicketId | None) -> tuple[LiveSession, ...]:
    """Return those on the ticket; all of them when none is named."""
    return tuple(live for live in sessions if ticket is None or live.ticket == ticket)
