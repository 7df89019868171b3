"""The fold of the policy: the last lock and seal in fold order, and what each rests on (docs/format.md). Pure.

What a lock or seal names must be something that its writer can have seen: a document's text as an edit wrote or met it,
as it stands, or as the fold of what the writer knew makes it; a lock or seal of the ledger.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.actor import Actor, is_agent
from exo_sidecar.model.event import DocumentEdited
from exo_sidecar.model.event_policy import SUBJECT, PolicyAccepted, PolicyCompiled, PolicySealed, PolicyTampered
from exo_sidecar.model.policy import CONSTITUTION
from exo_sidecar.model.policy_record import PolicyRecord, Tampering, Written
from exo_sidecar.store.entry import Entry, Knows
from exo_sidecar.store.fold_document import fold_document

UNCOVERED_MAX: Final = 20
TAMPERED_MAX: Final = 100
HEADS_MAX: Final = 16


class _Made(NamedTuple):
    """An event that holds a lock or seal."""

    entry: Entry
    data: PolicyCompiled | PolicySealed


def fold_policy(
    entries: Sequence[Entry],
    documents: Mapping[str, Sequence[Entry]],
    knows: Knows,
    redacted: Collection[str] = (),
) -> PolicyRecord | None:
    """Return what the events say of the policy, None while there is none. All entries in fold order.

    Of the documents `redacted`, and of `policy` among them, somebody took events out of the ledger: what a lock or seal
    names of them can no longer be told from what never was, and counts as known.
    """
    locks = [_Made(entry, entry.data) for entry in entries if isinstance(entry.data, PolicyCompiled)]
    seals = [_Made(entry, entry.data) for entry in entries if isinstance(entry.data, PolicySealed)]
    tampered = tuple(_open(entries, knows))
    if not locks and not seals and not tampered:
        return None
    named = [*_of_lock(locks[-1:]), *_of_seal(seals[-1:])]
    made = {each.data.digest for each in (*locks, *seals)}
    predecessors = {*_predecessors((*locks[-1:], *seals[-1:]))}
    known = predecessors if SUBJECT in redacted else predecessors & made
    known |= {
        digest
        for name, digest, by in named
        if name in redacted or _is_seen(name, digest, by, documents.get(name, ()), knows)
    }
    known |= {each.data.lock for each in seals[-1:] if isinstance(each.data, PolicySealed) and each.data.lock in made}
    known |= {each.data.digest for each in (*locks[-1:], *seals[-1:])}
    return PolicyRecord(
        locks=_heads(locks),
        seals=_heads(seals),
        known=tuple(sorted(known)),
        uncovered=tuple(_uncovered(locks, documents.get(CONSTITUTION, ()), knows))[:UNCOVERED_MAX],
        tampered=tampered,
    )


def _heads(made: Sequence[_Made]) -> tuple[Written, ...]:
    """Return the last one, then the others that none names as its predecessor."""
    if not made:
        return ()
    followed = {digest for each in made for digest in each.data.previous}
    last = made[-1]
    others = {each.data.digest: each for each in made if each.data.digest not in {*followed, last.data.digest}}
    return (_written(last), *(_written(others[digest]) for digest in sorted(others)[:HEADS_MAX]))


def _written(made: _Made) -> Written:
    event = made.entry.event
    return Written(
        event=str(made.entry.name),
        actor=event.actor,
        at=event.at,
        digest=made.data.digest,
        text=made.data.text,
        previous=made.data.previous,
    )


def _predecessors(made: Sequence[_Made]) -> Iterator[str]:
    for each in made:
        yield from each.data.previous


def _of_lock(made: Sequence[_Made]) -> Iterator[tuple[str, str, Entry]]:
    for each in made:
        if isinstance(each.data, PolicyCompiled):
            yield CONSTITUTION, each.data.source, each.entry


def _of_seal(made: Sequence[_Made]) -> Iterator[tuple[str, str, Entry]]:
    for each in made:
        if isinstance(each.data, PolicySealed):
            for name, digest in sorted(each.data.sources.items()):
                yield name, digest, each.entry


def _is_seen(name: str, digest: str, by: Entry, edits: Sequence[Entry], knows: Knows) -> bool:
    """Whether a document had this digest where the writer of `by` could see it; the likely places first."""
    for edit in reversed(edits):
        data = edit.data
        if isinstance(data, DocumentEdited) and (data.base == digest or sha256_hex(data.text.encode()) == digest):
            return True
    for seen in (edits, [edit for edit in edits if knows(by.name, edit.name)]):
        document = fold_document(name, seen, knows)
        if document is not None and document.digest == digest:
            return True
    return False


def _uncovered(locks: Sequence[_Made], edits: Sequence[Entry], knows: Knows) -> Iterator[str]:
    """Yield the edits of the constitution that no compile knew."""
    for edit in edits:
        if not any(knows(each.entry.name, edit.name) for each in reversed(locks)):
            yield str(edit.name)


def _open(entries: Sequence[Entry], knows: Knows) -> Iterator[Tampering]:
    # No program of ours lets an agent accept: whoever writes that it did has used another.
    accepted = [
        entry for entry in entries if isinstance(entry.data, PolicyAccepted) and not is_agent(Actor(entry.event.actor))
    ]
    found: dict[tuple[str, str], Tampering] = {}
    for entry in entries:
        data = entry.data
        if not isinstance(data, PolicyTampered) or any(
            isinstance(each.data, PolicyAccepted) and data.found in each.data.found and knows(each.name, entry.name)
            for each in accepted
        ):
            continue
        found[data.file, data.found] = Tampering(
            event=str(entry.name),
            actor=entry.event.actor,
            at=entry.event.at,
            file=data.file,
            found=data.found,
            reason=data.reason,
        )
    yield from list(found.values())[-TAMPERED_MAX:]
