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

    LEASE = "lease"
    BLOCKERS = "blockers"
    HIERARCHY = "hierarchy"
    REASON = "reason"
    FREE = "free"
    CHILDREN = "children"
    VERIFY = "verify"
    DONE = "checks"


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
    by: tuple[str, ...]
    """The operations that make it; `resolve` may choose among moves that were made at once, whatever they are."""


GUARD_MEANINGS: Final = {
    Guard.LEASE: "the caller's session holds the lease",
    Guard.BLOCKERS: "every blocker is satisfied",
    Guard.HIERARCHY: "the ticket's place in the hierarchy is valid",
    Guard.REASON: "a reason is given",
    Guard.FREE: "no other session holds the lease",
    Guard.CHILDREN: "no child is open",
    Guard.VERIFY: "the ticket's checks did not fail",
    Guard.DONE: "the ticket's checks passed on its work as it is, or a person passed them over; tickets of a type in"
    " lifecycle.no_check_types need none, only none that failed",
}

_S = Status
_G = Guard
_W = Who

_MOVE: Final = ("ticket-move",)
_BLOCK: Final = ("ticket-move", "escalate")
_FINISH: Final = ("session-finish", "ticket-move")
_TAKE: Final = ("next", "session-start", "lease-takeover", "ticket-move")
_PAUSE: Final = ("session-suspend", "session-handoff", "session-finish", "session-cleanup", "lease-release", "hook")
"""`session-finish` only on the way to `todo`: two moves in one."""
_ARCHIVE: Final = ("ticket-archive", "gc")

TABLE: Final = (
    Move(_S.BACKLOG, _S.TODO, "ready to be worked", (), _W.ANYONE, _MOVE),
    Move(_S.BACKLOG, _S.ARCHIVED, "idea dropped", (), _W.CREATOR, _ARCHIVE),
    Move(_S.TODO, _S.ACTIVE, "Work started", (_G.LEASE, _G.BLOCKERS, _G.HIERARCHY), _W.NEW_HOLDER, _TAKE),
    Move(_S.TODO, _S.BLOCKED, "blocked before start", (_G.REASON,), _W.ANYONE, _BLOCK),
    Move(_S.TODO, _S.CANCELLED, "cancelled before start", (_G.REASON,), _W.CREATOR, _MOVE),
    Move(_S.ACTIVE, _S.REVIEW, "handed to review", (_G.VERIFY,), _W.HOLDER, _FINISH),
    Move(_S.ACTIVE, _S.DONE, "Work completed", (_G.CHILDREN, _G.DONE), _W.HOLDER, (*_FINISH, "do")),
    Move(_S.ACTIVE, _S.PAUSED, "interrupted", (), _W.HOLDER, _PAUSE),
    Move(_S.ACTIVE, _S.BLOCKED, "blocked while working", (_G.REASON,), _W.HOLDER, (*_FINISH, "escalate")),
    Move(_S.ACTIVE, _S.CANCELLED, "cancelled while working", (_G.REASON,), _W.HOLDER, _FINISH),
    Move(
        _S.PAUSED,
        _S.ACTIVE,
        "work goes on",
        (_G.LEASE, _G.BLOCKERS),
        _W.NEW_HOLDER,
        ("session-resume", "session-start", "next"),
    ),
    Move(_S.PAUSED, _S.TODO, "given back", (_G.FREE,), _W.LAST_HOLDER, (*_FINISH, "session-cleanup", "lease-release")),
    Move(_S.PAUSED, _S.BLOCKED, "blocked while paused", (_G.REASON,), _W.ANYONE, _BLOCK),
    Move(_S.PAUSED, _S.CANCELLED, "cancelled while paused", (_G.REASON,), _W.CREATOR, _MOVE),
    Move(_S.REVIEW, _S.DONE, "review passed", (_G.CHILDREN, _G.DONE), _W.REVIEWER, _FINISH),
    Move(_S.REVIEW, _S.ACTIVE, "changes asked for", (_G.LEASE,), _W.NEW_HOLDER, ("session-start", "next")),
    Move(_S.REVIEW, _S.BLOCKED, "blocked in review", (_G.REASON,), _W.ANYONE, _BLOCK),
    Move(_S.REVIEW, _S.CANCELLED, "cancelled in review", (_G.REASON,), _W.CREATOR, _MOVE),
    Move(
        _S.BLOCKED,
        _S.ACTIVE,
        "unblocked, carry on",
        (_G.LEASE, _G.BLOCKERS),
        _W.NEW_HOLDER,
        ("session-start", "session-resume", "ticket-move"),
    ),
    Move(_S.BLOCKED, _S.TODO, "unblocked, start afresh", (), _W.ANYONE, _BLOCK),
    Move(_S.BLOCKED, _S.CANCELLED, "cancelled while blocked", (_G.REASON,), _W.CREATOR, _MOVE),
    Move(_S.DONE, _S.ARCHIVED, "put away", (), _W.ANYONE, _ARCHIVE),
    Move(_S.CANCELLED, _S.ARCHIVED, "put away", (), _W.ANYONE, _ARCHIVE),
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
