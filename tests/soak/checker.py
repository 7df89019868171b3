"""Whether a history is one that a correct lease service could have produced (docs/lease-safety.md). Pure.

Every value has one parent and its own nonce, so the order of the writes to a ticket is known: it is the chain. What is
left to show is that the chain and the reads fit the moments at which the operations began and ended. The rules:

    sent        every value on a chain was sent by an operation that may have sent it
    kept        every value that was confirmed is on a chain
    order       the operations on a ticket can be put in one order that respects chain, reads and moments
    epoch       each change of holder raises the epoch above all before it; no other move lowers it
    holder      no epoch was confirmed to two sessions; later acquisitions have higher epochs, restores included
    early       nobody was taken over before his ttl was over
    copy        of two copies of one session only one goes on: the writer of an epoch, once replaced, is out
    guard       no guarded write of a lower epoch lands after a higher one; what was confirmed is on the branch
    atomic      a guarded write changes the code branch and the lease, or neither
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tests.soak.history import ABSENT, Era, History, Link, Op


class Violation(NamedTuple):
    """What cannot have happened."""

    rule: str
    ticket: str
    what: str


def check(history: History) -> list[Violation]:
    """Return everything in `history` that breaks a rule; [] is the verdict "linearizable and fenced"."""
    found: list[Violation] = []
    for era in history.eras:
        for ticket, chain in era.chains.items():
            found += _sent(history, era, ticket, chain)
            found += _order(history, era, ticket, chain)
            found += _epochs(ticket, chain)
            found += _early(history, ticket, _new(era, ticket))
            found += _copies(history, ticket, chain)
        found += _branches(era)
    found += _kept(history)
    found += _holders(history)
    found += _guards(history)
    return sorted(set(found))


def _new(era: Era, ticket: str) -> tuple[Link, ...]:
    """Return the era's own part of a chain, from the value that it began with on."""
    chain = era.chains[ticket]
    base = era.base.get(ticket, ABSENT)
    return chain[next((number for number, link in enumerate(chain) if link.oid == base), 0) :]


def _sent(history: History, era: Era, ticket: str, chain: Sequence[Link]) -> Iterator[Violation]:
    for number, link in enumerate(chain):
        op = history.ops.get(link.op)
        if op is None:
            yield Violation("sent", ticket, f"{link.oid[:12]}: nobody sent it")
        elif op.result == "refused" and op.returned < era.end:  # else the hub had lost it when its sender asked
            after = history.ops.get(chain[number + 1].op) if number + 1 < len(chain) else None
            # Landed and superseded before its sender heard of it: then "refused" is what he had to be told.
            if after is None or after.invoked > op.returned:
                yield Violation("sent", ticket, f"{link.oid[:12]}: {op.name} {op.id} was told that it was refused")


def _kept(history: History) -> Iterator[Violation]:
    there = {(ticket, link.oid) for era in history.eras for ticket, chain in era.chains.items() for link in chain}
    for op in history.ops.values():
        if op.result == "ok" and op.value != ABSENT and (op.ticket, op.value) not in there:
            yield Violation("kept", op.ticket, f"{op.name} {op.id} was confirmed; its value is on no chain")


def _order(history: History, era: Era, ticket: str, chain: Sequence[Link]) -> Iterator[Violation]:
    """Assign to each value the earliest moment that is possible; linearizable if and only if that works out."""
    base = era.base.get(ticket, ABSENT)
    own = _new(era, ticket)
    reads = _reads(history, era, ticket, {link.oid for link in chain})
    at = era.start
    states: list[tuple[str, Op | None]] = [(base, None)] if base == ABSENT else []
    states += [(link.oid, None if link.oid == base else history.ops.get(link.op)) for link in own]
    for oid, op in states:
        if op is not None:
            at = max(at, op.invoked)
            if at > op.returned:
                yield Violation("order", ticket, f"{op.name} {op.id} had returned before what its value follows began")
        for reader in reads.get(oid, ()):
            if reader.returned < at:
                yield Violation("order", ticket, f"{reader.name} {reader.id} saw {oid[:12]} before it was written")
        at = max([at, *(reader.invoked for reader in reads.get(oid, ()))])


def _reads(history: History, era: Era, ticket: str, known: set[str]) -> dict[str, list[Op]]:
    """Return who saw which value in this era; an operation that a restore fell into proves nothing and is left out."""
    found: dict[str, list[Op]] = {}
    for op in history.ops.values():
        if era.start <= op.invoked and op.returned <= era.end:
            for read in op.reads:
                if read.ticket == ticket and (read.value in known or read.value == ABSENT):
                    found.setdefault(read.value, []).append(op)
    return found


def _epochs(ticket: str, chain: Sequence[Link]) -> Iterator[Violation]:
    highest = 0
    before: Link | None = None
    for link in chain:
        changed = before is None or link.session != before.session or (before.state, link.state) == ("released", "held")
        if changed and link.epoch <= highest:
            yield Violation("epoch", ticket, f"{link.session} holds with epoch {link.epoch}; {highest} was there")
        if not changed and link.epoch < highest:
            yield Violation("epoch", ticket, f"the epoch of {link.session} fell from {highest} to {link.epoch}")
        highest, before = max(highest, link.epoch), link


def _early(history: History, ticket: str, chain: Sequence[Link]) -> Iterator[Violation]:
    for before, after in pairwise(chain):
        if before.state != "held" or before.session == after.session:
            continue
        written, taken = history.ops.get(before.op), history.ops.get(after.op)
        if written and taken and taken.returned - written.invoked < history.hold_seconds:
            stood = taken.returned - written.invoked
            yield Violation("early", ticket, f"{before.session} was taken over after {stood:.2f} s at most")


def _copies(history: History, ticket: str, chain: Sequence[Link]) -> Iterator[Violation]:
    replaced: set[str] = set()
    epoch, writer = 0, ""
    for link in chain:
        op = history.ops.get(link.op)
        name = op.worker if op else ""
        if link.epoch != epoch:
            epoch, writer, replaced = link.epoch, name, set()
        if name != writer:
            replaced.add(writer)
            writer = name
        if name in replaced:
            yield Violation("copy", ticket, f"{name} wrote under epoch {epoch} after another copy had gone on")


def _branches(era: Era) -> Iterator[Violation]:
    for ticket, commits in era.branches.items():
        for before, after in pairwise(commits):
            if after.epoch < before.epoch:
                what = f"a write under epoch {after.epoch} landed after one under epoch {before.epoch}"
                yield Violation("guard", ticket, what)


def _guards(history: History) -> Iterator[Violation]:
    """Yield guarded writes that landed and were refused, were confirmed and are gone, or came after a higher epoch."""
    landed = {commit.op for era in history.eras for commits in era.branches.values() for commit in commits}
    linked = {link.op for era in history.eras for chain in era.chains.values() for link in chain}
    acquired = _acquired(history)
    for op in history.ops.values():
        if op.name != "guard":
            continue
        if op.result == "ok" and op.id not in landed:
            yield Violation("guard", op.ticket, f"write {op.id} was confirmed and is not on the branch")
        if (op.id in landed) != (op.id in linked):
            yield Violation("atomic", op.ticket, f"write {op.id} changed one of branch and lease, not both")
        higher = [one for one in acquired.get(op.ticket, ()) if one.epoch > op.epoch and one.returned < op.invoked]
        if op.result == "ok" and higher:
            what = f"write {op.id} under epoch {op.epoch} began after {higher[0].epoch} was acquired"
            yield Violation("guard", op.ticket, what)


def _acquired(history: History) -> dict[str, list[Op]]:
    found: dict[str, list[Op]] = {}
    for op in sorted(history.ops.values(), key=lambda one: one.invoked):
        if op.name == "claim" and op.result == "ok":
            found.setdefault(op.ticket, []).append(op)
    return found


def _holders(history: History) -> Iterator[Violation]:
    sessions: dict[tuple[str, int], set[str]] = {}
    for op in history.ops.values():
        if op.result == "ok" and op.epoch:
            sessions.setdefault((op.ticket, op.epoch), set()).add(op.session)
    for (ticket, epoch), names in sessions.items():
        if len(names) > 1:
            yield Violation("holder", ticket, f"epoch {epoch} was confirmed to {' and '.join(sorted(names))}")
    for ticket, ops in _acquired(history).items():
        done = sorted(ops, key=lambda one: one.returned)
        highest, position = 0, 0
        for op in ops:
            while done[position].returned < op.invoked:
                highest = max(highest, done[position].epoch)
                position += 1
            if op.epoch <= highest:
                yield Violation("holder", ticket, f"{op.session} acquired {op.epoch} after {highest} was acquired")
