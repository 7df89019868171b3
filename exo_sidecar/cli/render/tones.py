"""Colours of statuses and the like: one meaning, one tone, on every page."""

from typing import Final

from exo_sidecar.cli.page import Cell, Tone

_STATUS: Final[dict[str, Tone]] = {
    "backlog": "dim",
    "todo": "",
    "active": "id",
    "paused": "warn",
    "blocked": "bad",
    "review": "warn",
    "done": "good",
    "cancelled": "dim",
    "archived": "dim",
    "reserved": "warn",
    "suspended": "warn",
    "finished": "dim",
}
_VERDICT: Final[dict[str, Tone]] = {"pass": "good", "warn": "warn", "fail": "bad", "none": "dim"}
_VERIFY: Final[dict[str, Tone]] = {"passed": "good", "failed": "bad"}
NOTHING: Final = Cell("-", "dim")
PROVISIONAL: Final = "provisional: not confirmed by the authority"
"""What is said in place of a lease where a ticket was taken offline."""


def status(text: str) -> Cell:
    """Return a ticket's or a session's status in its colour."""
    return Cell(text, _STATUS.get(text, ""))


def verdict(text: str) -> Cell:
    """Return a verdict in its colour."""
    return Cell(text, _VERDICT.get(text, ""))


def verify(word: str) -> Cell:
    """Return how work was verified, in its colour."""
    return Cell(word, _VERIFY.get(word, "warn"))


def identifier(text: str) -> Cell:
    """Return an id."""
    return Cell(text, "id")


def optional(text: str | int | None) -> Cell:
    """Return a value, a dash when there is none."""
    return NOTHING if text in {None, ""} else Cell(str(text))


def joined(texts: tuple[str, ...]) -> Cell:
    """Return several values in one cell, a dash when there are none."""
    return Cell(", ".join(texts)) if texts else NOTHING


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 ticket`, `2 tickets`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
