"""Epochs: which events under a lease count (docs/format.md, "The fold", epochs). Judged per ticket over all its events.

An event with epoch E counts only if it knew a `lease.acquired` of that ticket with that epoch and session, and every
`lease.acquired` of a higher epoch knew it. A provisional event counts once a `lease.acquired` has adopted its claim.
"""

import sqlite3
from typing import NamedTuple

from exo_sidecar.store.entry import Knows, Name


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


def judge(db: sqlite3.Connection, ticket: str, knows: Knows) -> set[tuple[str, str]]:
    """Write down anew why events under the ticket's lease do not count; return (noun, subject) of the changed ones."""
    acquired = [
        _Acquired(epoch, session, Name(writer, seq), adopts)
        for epoch, session, writer, seq, adopts in db.execute(
            "SELECT epoch, session, writer, seq, adopts FROM acquisitions WHERE ticket = ?", (ticket,)
        )
    ]
    changed: set[tuple[str, str]] = set()
    rows = db.execute(
        "SELECT id, writer, seq, type, subject, epoch, claim, session, token FROM events"
        " WHERE ticket = ? AND (epoch IS NOT NULL OR claim IS NOT NULL)",
        (ticket,),
    ).fetchall()
    for number, writer, seq, *rest in rows:
        held = _Held(number, Name(writer, seq), *rest)
        fault = _fault(held, acquired, knows)
        if fault != held.token:
            db.execute("UPDATE events SET token = ? WHERE id = ?", (fault, held.id))
            changed.add((held.type.partition(".")[0], held.subject))
    return changed


def _fault(held: _Held, acquired: list[_Acquired], knows: Knows) -> str | None:
    if held.epoch is None:
        adopted = any(lease.adopts == held.claim for lease in acquired)
        return None if adopted else "provisional: the claim was made offline and no lease has adopted it"
    if held.type != "lease.acquired" and not any(
        lease.epoch == held.epoch and lease.session == held.session and knows(held.name, lease.name)
        for lease in acquired
    ):
        return f"session {held.session} did not hold epoch {held.epoch} of the lease"
    for lease in acquired:
        if lease.epoch > held.epoch and not knows(lease.name, held.name):
            return f"fenced: epoch {lease.epoch} was acquired without knowing this event of epoch {held.epoch}"
    return None
