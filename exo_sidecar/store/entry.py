"""Entries: events of the ledger with their place in the causal graph."""

from typing import NamedTuple, Protocol

from exo_sidecar.base.override import override
from exo_sidecar.model.event import Data, Event


class Name(NamedTuple):
    """`<writer>:<seq>`: the writer is a clone, or a fork of its chain."""

    writer: str
    seq: int

    @override
    def __str__(self) -> str:
        """Return the name as people write it."""
        return f"{self.writer}:{self.seq}"


class Entry(NamedTuple):
    """One event that counts."""

    name: Name
    depth: int
    event: Event
    data: Data
    adopted: int = 0
    """The epoch of the lease that adopted the event's claim."""

    @property
    def epoch(self) -> int:
        """The fencing token, 0 without one."""
        return self.event.epoch if isinstance(self.event.epoch, int) else self.adopted


class Knows(Protocol):
    """Whether the event `later` knew the event `earlier` when it was written."""

    def __call__(self, later: Name, earlier: Name) -> bool:
        """Answer from the causal graph; an event does not know itself."""
