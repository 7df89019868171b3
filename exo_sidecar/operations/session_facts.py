"""Sessions of this clone, joined: what this machine knows of them and what the ledger says."""

from collections.abc import Sequence
from pathlib import Path

from exo_sidecar.host import live_sessions
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.errors import NotARepository
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import SessionStatus
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context


def worktree_of(ctx: Context) -> Path:
    """Return the checkout that the call was made in; NotARepository where there is none to work in."""
    if ctx.place.worktree is None or ctx.place.in_mount:
        message = f"{ctx.place.start} is in no checkout, and sessions work in one"
        raise NotARepository(message, hint="change into a worktree of the repository, or name one with --repo")
    return ctx.place.worktree


def living(ctx: Context, view: View, status: SessionStatus) -> tuple[LiveSession, ...]:
    """Return this clone's sessions that the ledger has in `status`; facts of ended ones are forgotten."""
    common = ctx.place.common
    found: list[LiveSession] = []
    for live in live_sessions.listed(common).sessions:
        if live.state == "claiming":
            continue
        record = view.session(live.session)
        if record is None or record.status == "finished":
            if not ctx.dry_run:
                live_sessions.remove(common, live.session)
        elif record.status == status:
            found.append(live)
    return tuple(found)


def in_worktree(sessions: Sequence[LiveSession], worktree: Path) -> tuple[LiveSession, ...]:
    """Return those that belong to one checkout."""
    return tuple(live for live in sessions if live.worktree == str(worktree))


def at_work(ctx: Context, view: View, worktree: Path, apart_from: SessionId | None = None) -> LiveSession | None:
    """Return the session that works in the checkout, None when nobody does."""
    others = in_worktree(living(ctx, view, "active"), worktree)
    return next((live for live in others if live.session != apart_from), None)


def on_ticket(sessions: Sequence[LiveSession], ticket: TicketId | None) -> tuple[LiveSession, ...]:
    """Return those on the ticket; all of them when none is named."""
    return tuple(live for live in sessions if ticket is None or live.ticket == ticket)
