"""Trailers: the lines of a commit's message that say under which session and lease it was made. Pure.

A commit says it once. What already names a session keeps that name when it only moves (a rebase, a cherry-pick); one
that is written anew is of the session that writes it.
"""

import re
from typing import Final, NamedTuple

SESSION: Final = "Exo-Session"
TICKET: Final = "Exo-Ticket"
EPOCH: Final = "Exo-Epoch"
_LINE: Final = re.compile(rf"({SESSION}|{TICKET}|{EPOCH}): *(.*?)\s*$")
_SCISSORS: Final = re.compile(r"^.{1,8} -{24} >8 -{24}$", re.MULTILINE)
"""From here on git shows the change, and takes nothing of it into the message."""


class Signed(NamedTuple):
    """Whom a commit names."""

    session: str
    ticket: str | None
    epoch: str | None

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the trailers."""
        pairs = ((SESSION, self.session), (TICKET, self.ticket), (EPOCH, self.epoch))
        return tuple(f"{key}: {value}" for key, value in pairs if value)


class Message(NamedTuple):
    """A message taken apart."""

    text: str
    """Without the trailers, wherever they stood: a squash has those of several messages in its middle."""
    signed: tuple[Signed, ...]
    """Each once, in their order."""
    has_doubles: bool


def parse(message: str) -> Message:
    """Take a message, comments and all, apart."""
    scissors = _SCISSORS.search(message)
    end = scissors.start() if scissors else len(message)
    kept: list[str] = []
    found: list[dict[str, str]] = []
    for line in message[:end].splitlines(keepends=True):
        match = _LINE.match(line)
        if match is None:
            kept.append(line)
        elif match[1] == SESSION or not found or match[1] in found[-1]:
            found.append({match[1]: match[2]})
        else:
            found[-1][match[1]] = match[2]
    every = [Signed(each[SESSION], each.get(TICKET), each.get(EPOCH)) for each in found if each.get(SESSION)]
    signed = tuple(dict.fromkeys(every))
    return Message("".join(kept) + message[end:], signed, len(every) != len(signed) or len(every) != len(found))


def content(text: str, comments: tuple[str, ...]) -> list[str]:
    """Return the lines of a message that are no comment and not blank; where there are none git makes no commit."""
    scissors = _SCISSORS.search(text)
    lines = text[: scissors.start() if scissors else len(text)].splitlines()
    return [line.rstrip() for line in lines if line.strip() and not line.startswith(comments)]


def wanted(message: Message, own: Signed, *, is_written_anew: bool) -> tuple[Signed, ...]:
    """Return whom the commit is to name: the session that writes it, or those that it names already."""
    return (own,) if is_written_anew or not message.signed else message.signed
