"""Drafts into lines: a rule's events get their writer, number, chain, time and what the writer knew."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.event import SEEN_MAX, VERSION, Draft, Event, Head
from exo_sidecar.model.ids import CloneId, SessionId
from exo_sidecar.model.instant import Instant
from exo_sidecar.store import codec, secret_scan
from exo_sidecar.store.index import Index

Link: TypeAlias = Callable[[Event, Head], Event]


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What is common to the events of one transaction."""

    actor: str
    session: SessionId | None
    at: Instant
    operation: str
    params: msgspec.Raw | None = None


def lines(
    index: Index, clone: CloneId, drafts: Sequence[Draft], stamp: Stamp, link: Link, *, is_first: bool
) -> list[bytes]:
    """Return the ledger lines that append `drafts` to the clone's chain, each as `link` ties it to the one before.

    The first event of a transaction says what the clone has seen of others, and which operation it is. ValueInvalid
    when one would be longer than an event may be, SecretFound when one holds what looks like a key.
    """
    row = index.db.execute("SELECT seq, digest FROM writers WHERE writer = ?", (clone,)).fetchone()
    head = Head(seq=row[0], digest=row[1]) if row else Head(seq=0, digest=NO_DIGEST)
    encoded: list[bytes] = []
    policy = _policy(index)
    for draft in drafts:
        event = link(replace(_event(draft, stamp, clone), policy=policy), head)
        if is_first and not encoded:
            event = replace(event, seen=_seen(index, clone) or UNSET, op=stamp.operation, params=stamp.params or UNSET)
        encoded.append(_line(event))
        head = Head(seq=event.seq, digest=sha256_hex(encoded[-1]))
    return encoded


def _line(event: Event) -> bytes:
    try:
        line = codec.encode(event)
    except codec.MalformedError as error:  # what was asked for stands in it beside what follows from it
        raise ValueInvalid(str(error), hint="shorten its texts, or link to a file instead") from error
    secret_scan.check(event, line)
    try:  # a line that no clone can read would end this clone's chain for good
        codec.decode_data(codec.trusted(line))
    except (codec.MalformedError, msgspec.MsgspecError) as error:
        message = f"{event.type} of {event.subject} does not fit into the ledger: {error}"
        raise ValueInvalid(message) from error
    return line


def _event(draft: Draft, stamp: Stamp, clone: CloneId) -> Event:
    """Return the event of a draft, at no place in the chain yet."""
    name, data = codec.raw_data(draft.data)
    return Event(
        v=VERSION,
        clone=clone,
        seq=0,
        prev=NO_DIGEST,
        at=stamp.at,
        actor=stamp.actor,
        session=draft.session or stamp.session,
        policy=None,
        type=name,
        subject=draft.subject,
        epoch=draft.epoch if draft.epoch is not None else UNSET,
        claim=draft.claim if draft.claim is not None else UNSET,
        data=data,
    )


def _policy(index: Index) -> str | None:
    """Return the digest of the seal that stands before these events, None where nothing is sealed."""
    row = index.db.execute("SELECT value FROM settings WHERE name = 'policy.digest'").fetchone()
    return row[0] if row else None


def _seen(index: Index, clone: CloneId) -> dict[str, tuple[int, str]]:
    """Return the heads of other writers that the clone has not named yet."""
    rows = index.db.execute(
        "SELECT w.writer, w.seq, w.digest FROM writers w WHERE w.writer != ?1 AND w.seq > 0 AND w.seq > COALESCE("
        "(SELECT s.seq FROM seen s WHERE s.writer = ?1 AND s.other = w.writer ORDER BY s.at DESC LIMIT 1), 0)"
        " ORDER BY w.writer LIMIT ?2",
        (clone, SEEN_MAX),
    )
    return {writer: (seq, digest) for writer, seq, digest in rows}
