"""The ticket's lifecycle: one table, one reader (docs/reference/lifecycle.md is drawn from it)."""

from enum import StrEnum
from typing import Final, NamedTuple

from exo_sidecar.model.errors import Usage


class Status(StrEnum):
    """Where a ticket stands."""

    BACKLOG = "backlog"
    TODO = "todo"
    ACTIVE = "active"
    PAUSED = "paused"
    BLOCKED = "blocked"
    REVIEW = "review"
    DONE = "done"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


class Guard(StrEnum):
    """What must hold for a move, besides its row."""

    LEASE = "lease"  # the caller's session holds the lease
    BLOCKERS = "blockers"  # every blocker is satisfied
    HIERARCHY = "hierarchy"  # the ticket's place in the hierarchy is valid
    REASON = "reason"  # a reason is given
    FREE = "free"  # no other session holds the lease
    CHILDREN = "children"  # no child is open


class Who(StrEnum):
    """Who may make a move."""

    ANYONE = "anyone"
    HOLDER = "holder"
    NEW_HOLDER = "new holder"
    LAST_HOLDER = "last holder, human"
    CREATOR = "creator, human"
    REVIEWER = "reviewer"


class Move(NamedTuple):
    """One row of the table."""

    start: Status
    end: Status
    meaning: str
    guards: tuple[Guard, ...]
    who: Who


_S = Status
_G = Guard
_W = Who

TABLE: Final = (
    Move(_S.BACKLOG, _S.TODO, "ready to be worked", (), _W.ANYONE),
    Move(_S.BACKLOG, _S.ARCHIVED, "idea dropped", (), _W.CREATOR),
    Move(_S.TODO, _S.ACTIVE, "Work started", (_G.LEASE, _G.BLOCKERS, _G.HIERARCHY), _W.NEW_HOLDER),
    Move(_S.TODO, _S.BLOCKED, "blocked before start", (_G.REASON,), _W.ANYONE),
    Move(_S.TODO, _S.CANCELLED, "cancelled before start", (_G.REASON,), _W.CREATOR),
    Move(_S.ACTIVE, _S.REVIEW, "handed to review", (), _W.HOLDER),
    Move(_S.ACTIVE, _S.DONE, "Work completed", (_G.CHILDREN,), _W.HOLDER),
    Move(_S.ACTIVE, _S.PAUSED, "interrupted", (), _W.HOLDER),
    Move(_S.ACTIVE, _S.BLOCKED, "blocked while working", (_G.REASON,), _W.HOLDER),
    Move(_S.ACTIVE, _S.CANCELLED, "cancelled while working", (_G.REASON,), _W.HOLDER),
    Move(_S.PAUSED, _S.ACTIVE, "work goes on", (_G.LEASE, _G.BLOCKERS), _W.NEW_HOLDER),
    Move(_S.PAUSED, _S.TODO, "given back", (_G.FREE,), _W.LAST_HOLDER),
    Move(_S.PAUSED, _S.BLOCKED, "blocked while paused", (_G.REASON,), _W.ANYONE),
    Move(_S.PAUSED, _S.CANCELLED, "cancelled while paused", (_G.REASON,), _W.CREATOR),
    Move(_S.REVIEW, _S.DONE, "review passed", (_G.CHILDREN,), _W.REVIEWER),
    Move(_S.REVIEW, _S.ACTIVE, "changes asked for", (_G.LEASE,), _W.NEW_HOLDER),
    Move(_S.REVIEW, _S.BLOCKED, "blocked in review", (_G.REASON,), _W.ANYONE),
    Move(_S.REVIEW, _S.CANCELLED, "cancelled in review", (_G.REASON,), _W.CREATOR),
    Move(_S.BLOCKED, _S.ACTIVE, "unblocked, carry on", (_G.LEASE, _G.BLOCKERS), _W.NEW_HOLDER),
    Move(_S.BLOCKED, _S.TODO, "unblocked, start afresh", (), _W.ANYONE),
    Move(_S.BLOCKED, _S.CANCELLED, "cancelled while blocked", (_G.REASON,), _W.CREATOR),
    Move(_S.DONE, _S.ARCHIVED, "put away", (), _W.ANYONE),
    Move(_S.CANCELLED, _S.ARCHIVED, "put away", (), _W.ANYONE),
)

CLOSED: Final = frozenset({Status.DONE, Status.CANCELLED, Status.ARCHIVED})
_ROWS: Final = {(move.start, move.end): move for move in TABLE}
_ALSO: Final = {"in_progress": Status.ACTIVE, "in_review": Status.REVIEW}


class StatusUnknown(Usage):
    """A word is not a status."""

    code = "STATUS_UNKNOWN"
    advice = "statuses: " + ", ".join(Status)


def parse(text: str) -> Status:
    """Return `text` as a status; `in_progress` and `in_review` are taken too. StatusUnknown otherwise."""
    word = text.strip().lower()
    if word in _ALSO:
        return _ALSO[word]
    try:
        return Status(word)
    except ValueError as error:
        message = f"{text[:40]!r} is not a status"
        raise StatusUnknown(message) from error


def row(start: Status, end: Status) -> Move | None:
    """Return the table's row for the move, None when there is none."""
    return _ROWS.get((start, end))


def ways_out(start: Status) -> tuple[Move, ...]:
    """Return every move that leaves `start`."""
    return tuple(move for move in TABLE if move.start is start)
