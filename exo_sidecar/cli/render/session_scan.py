"""The page of `session-scan`: one row for each session, or one session whole."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece, Prose, Table, Tone
from exo_sidecar.cli.render.tones import NOTHING, identifier, optional, status
from exo_sidecar.model import duration
from exo_sidecar.model.session import model_of
from exo_sidecar.operations.session_scan import ScannedSession, SessionsScanned, WholeSession

_COLUMNS = ("SESSION", "TICKET", "ACTOR", "STATE", "BRANCH", "WORKTREE", "STARTED", "LAST SIGN")
_TONES: Final[dict[str, Tone]] = {
    "living": "good",
    "stale": "bad",
    "suspended": "warn",
    "reserved": "warn",
    "foreign": "dim",
    "finished": "dim",
}


def run(result: SessionsScanned) -> Page:
    """Show the sessions as a table, and why some are stale; of one that was named, all there is."""
    if result.session is not None:
        return _one(result.items[0], result.session)
    if not result.items:
        return Page((Headline((Cell("no sessions", "dim"),)),), ("exo next claims a ticket",))
    counted = ", ".join(f"{number} {word}" for word, number in result.counts.items())
    stale = [item for item in result.items if item.stale_reason]
    reasons = tuple(f"{item.id} ({item.ticket_id}): {item.stale_reason}" for item in stale)
    listed = (Listing("Stale", tuple(Cell(each, "warn") for each in reasons)),) if reasons else ()
    is_own = any(item.liveness == "stale" for item in stale)
    hints = ("exo session-cleanup ends the stale ones of this clone",) if is_own else ()
    table = Table(_COLUMNS, tuple(map(_row, result.items)), grows=5)
    return Page((Headline((counted,)), table, *listed), hints)


def _row(item: ScannedSession) -> tuple[Piece, ...]:
    return (
        identifier(item.id),
        item.ticket_id,
        f"{item.actor} ({item.mode})" if item.mode == "audit" else item.actor,
        Cell(item.liveness, _TONES.get(item.liveness, "")),
        optional(item.branch),
        optional(item.worktree),
        _ago(item.age),
        _ago(item.last_heartbeat),
    )


def _one(item: ScannedSession, whole: WholeSession) -> Page:
    session = whole.session
    headline = Headline((identifier(session.id), " on ", identifier(session.ticket), ": ", status(session.status)))
    return Page((headline, Facts(tuple(_facts(item, whole))), *_memento(whole)))


def _facts(item: ScannedSession, whole: WholeSession) -> Iterator[tuple[str, Piece]]:
    session = whole.session
    yield "actor", f"{session.actor} as {session.role}"
    yield "model", optional(model_of(session.model, session.vendor))
    yield "state", Cell(item.liveness, _TONES.get(item.liveness, ""))
    if item.stale_reason is not None:
        yield "why", Cell(item.stale_reason, "warn")
    yield "branch", optional(session.branch)
    yield "worktree", optional(item.worktree)
    yield "started", _ago(item.age)
    yield "last sign", _ago(item.last_heartbeat)
    yield "token", optional(session.epoch)
    if whole.finished_at is not None:
        yield "finished", whole.finished_at
    if whole.evicted is not None:
        yield "evicted", Cell(whole.evicted, "warn")


def _memento(whole: WholeSession) -> tuple[Prose, ...]:
    return (Prose("Memento", whole.memento.rstrip("\n")),) if whole.memento is not None else ()


def _ago(seconds: int | None) -> Piece:
    return NOTHING if seconds is None else f"{duration.show(seconds)} ago"
