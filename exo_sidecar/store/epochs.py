"""Epochs: which events under a lease count (docs/format.md, "The fold", epochs). Judged per ticket over all its events.

An event with epoch E counts only if it knew a `lease.acquired` of that ticket with that epoch and session, and every
`lease.acquired` of a higher epoch knew it. A provisional event counts, under that lease's epoch, once a
`lease.acquired` of its session that counts itself and knew the event has adopted its claim: what a copy of the clone
writes under the same claim is not adopted with it.
"""

import sqlite3
from typing import Final, NamedTuple

from exo_sidecar.store.entry import Knows, Name

PROVISIONAL: Final = "provisional: the claim was made offline and no lease has adopted it"
LOST: Final = "lost: the claim was made offline and was not confirmed"


class _Acquired(NamedTuple):
    epoch: int
    session: str
    name: Name
    adopts: str | None


class _Held(NamedTuple):
    """An event that carries a token or a claim."""

    id: int
    name: Name
    type: str
    subject: str
    epoch: int | None
    claim: str | None
    session: str | None
    token: str | None
    adopted: int | None


class _Verdict(NamedTuple):
    """Why an event does not count, None when it does; and the epoch of the lease that adopted it."""

    token: str | None
    adopted: int | None = None


def judge(db: sqlite3.Connection, ticket: str, knows: Knows) -> set[tuple[str, str]]:
    """Write down anew why events under the ticket's lease do not count; return (noun, subject) of the changed ones."""
    acquired = [
        _Acquired(epoch, session, Name(writer, seq), adopts)
        for epoch, session, writer, seq, adopts in db.execute(
            "SELECT epoch, session, writer, seq, adopts FROM acquisitions WHERE ticket = ?", (ticket,)
        )
    ]
    lost = {row[0] for row in db.execute("SELECT claim FROM lost WHERE ticket = ?", (ticket,))}
    changed: set[tuple[str, str]] = set()
    rows = db.execute(
        "SELECT id, writer, seq, type, subject, epoch, claim, session, token, adopted FROM events"
        " WHERE ticket = ? AND (epoch IS NOT NULL OR claim IS NOT NULL)",
        (ticket,),
    ).fetchall()
    for number, writer, seq, *rest in rows:
        held = _Held(number, Name(writer, seq), *rest)
        verdict = _verdict(held, acquired, lost, knows)
        if verdict != (held.token, held.adopted):
            db.execute("UPDATE events SET token = ?, adopted = ? WHERE id = ?", (*verdict, held.id))
            changed.add((held.type.partition(".")[0], held.subject))
    return changed


def _verdict(held: _Held, acquired: list[_Acquired], lost: set[str], knows: Knows) -> _Verdict:
    if held.epoch is not None:
        return _Verdict(_fault(held, held.epoch, acquired, knows))
    adopters = [
        lease.epoch
        for lease in acquired
        if (lease.adopts, lease.session) == (held.claim, held.session)
        and knows(lease.name, held.name)
        and _overtaken(lease.name, lease.epoch, acquired, knows) is None
    ]
    if adopters:
        return _Verdict(None, max(adopters))
    return _Verdict(LOST if held.claim in lost else PROVISIONAL)


def _fault(held: _Held, epoch: int, acquired: list[_Acquired], knows: Knows) -> str | None:
    if held.type != "lease.acquired" and not any(
        lease.epoch == epoch and lease.session == held.session and knows(held.name, lease.name) for lease in acquired
    ):
        return f"session {held.session} did not hold epoch {epoch} of the lease"
    return _overtaken(held.name, epoch, acquired, knows)


def _overtaken(name: Name, epoch: int, acquired: list[_Acquired], knows: Knows) -> str | None:
    for lease in acquired:
        if lease.epoch > epoch and not knows(lease.name, name):
            return f"fenced: epoch {lease.epoch} was acquired without knowing this event of epoch {epoch}"
    return None
