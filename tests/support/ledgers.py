"""Ledgers made by hand, in memory: writers that say what they have seen, and the fold of what they wrote."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.model.event import Draft, Event
from exo_sidecar.store import codec
from exo_sidecar.store.index import Index, in_memory
from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.refold import refold
from exo_sidecar.store.view import IndexView
from tests.support.views import AT, JANE


class Writer:
    """A clone's chain; `lines` is what stands in its ledger."""

    def __init__(self, letter: str) -> None:
        self.clone = letter * 16
        self.lines: list[bytes] = []
        self._first: Event | None = None

    @property
    def head(self) -> tuple[int, str]:
        """The last event's number and digest."""
        if not self.lines:
            return 0, NO_DIGEST
        return codec.decode(self.lines[-1]).seq, sha256_hex(self.lines[-1])

    def event(self, draft: Draft, *saw: "Writer", seen: Mapping[str, tuple[int, str]] | None = None) -> Event:
        """Return the next event, which knows what the writers of `saw` have written until now."""
        seq, prev = self.head
        name, data = codec.raw_data(draft.data)
        known = dict(seen or {}) | {other.clone: other.head for other in saw if other.lines}
        return Event(
            v=1,
            clone=self.clone,
            seq=seq + 1,
            prev=prev,
            seen=known or UNSET,
            at=AT,
            actor=JANE,
            session=draft.session,
            policy=None,
            type=name,
            subject=draft.subject,
            epoch=UNSET if draft.epoch is None else draft.epoch,
            claim=UNSET if draft.claim is None else draft.claim,
            data=data,
        )

    def write(self, draft: Draft, *saw: "Writer", seen: Mapping[str, tuple[int, str]] | None = None) -> "Writer":
        """Append an event and return the writer."""
        self.lines.append(codec.encode(self.event(draft, *saw, seen=seen)))
        return self

    def copy(self) -> "Writer":
        """Return a twin: the same chain, which may go on differently."""
        twin = Writer(self.clone[0])
        twin.lines = list(self.lines)
        return twin


def changed(line: bytes, **fields: object) -> bytes:
    """Return the line with fields of its envelope replaced."""
    return codec.encode(msgspec.structs.replace(codec.decode(line), **fields))


def folded(*arrivals: Mapping[str, Sequence[bytes]] | Writer) -> Index:
    """Return an index into which the lines came, one arrival after the other."""
    index = in_memory()
    for arrival in arrivals:
        lines = {arrival.clone: arrival.lines} if isinstance(arrival, Writer) else arrival
        refold(index, Ingest(index, lines).run())
    return index


def viewed(*writers: Writer) -> IndexView:
    """Return the view of what the writers wrote."""
    return IndexView(folded({writer.clone: writer.lines for writer in writers}))
