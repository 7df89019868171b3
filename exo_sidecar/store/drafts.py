"""Drafts into lines: a rule's events get their writer, number, chain, time and what the writer knew."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.event import SEEN_MAX, VERSION, Draft, Event
from exo_sidecar.model.ids import CloneId, SessionId
from exo_sidecar.model.instant import Instant
from exo_sidecar.store import codec, secret_scan
from exo_sidecar.store.index import Index


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What is common to the events of one transaction."""

    actor: str
    session: SessionId | None
    at: Instant
    operation: str
    params: msgspec.Raw | None = None


def lines(index: Index, clone: CloneId, drafts: Sequence[Draft], stamp: Stamp, *, is_first: bool) -> list[bytes]:
    """Return the ledger lines that append `drafts` to the clone's chain.

    The first event of a transaction says what the clone has seen of others, and which operation it is. ValueInvalid
    when one would be longer than an event may be, SecretFound when one holds what looks like a key.
    """
    row = index.db.execute("SELECT seq, digest FROM writers WHERE writer = ?", (clone,)).fetchone()
    seq, prev = row or (0, NO_DIGEST)
    encoded: list[bytes] = []
    for draft in drafts:
        seq += 1
        event = _event(draft, stamp, clone, seq, prev)
        if is_first and not encoded:
            event = replace(event, seen=_seen(index, clone) or UNSET, op=stamp.operation, params=stamp.params or UNSET)
        encoded.append(_line(event))
        prev = sha256_hex(encoded[-1])
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


def _event(draft: Draft, stamp: Stamp, clone: CloneId, seq: int, prev: str) -> Event:
    name, data = codec.raw_data(draft.data)
    return Event(
        v=VERSION,
        clone=clone,
        seq=seq,
        prev=prev,
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


def _seen(index: Index, clone: CloneId) -> dict[str, tuple[int, str]]:
    """Return the heads of other writers that the clone has not named yet."""
    rows = index.db.execute(
        "SELECT w.writer, w.seq, w.digest FROM writers w WHERE w.writer != ?1 AND w.seq > 0 AND w.seq > COALESCE("
        "(SELECT s.seq FROM seen s WHERE s.writer = ?1 AND s.other = w.writer ORDER BY s.at DESC LIMIT 1), 0)"
        " ORDER BY w.writer LIMIT ?2",
        (clone, SEEN_MAX),
    )
    return {writer: (seq, digest) for writer, seq, digest in rows}
