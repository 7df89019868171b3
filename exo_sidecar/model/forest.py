"""The forest of intents in words that people read: what lies below one, how far it is, what belongs to none."""

import msgspec

from exo_sidecar.model.ids import SessionId, TicketId


class Drifted(msgspec.Struct, frozen=True, kw_only=True):
    """Drift of the sessions below an intent, 0 to 1; None while none was measured."""

    latest: float | None = None
    mean: float | None = None
    max: float | None = None
    measured: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks below, by how they stand; what was cancelled or dropped counts nowhere."""

    done: int = 0
    total: int = 0

    @property
    def percent(self) -> int:
        """How much is done, 0 when there is nothing to do."""
        return 100 * self.done // self.total if self.total else 0


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket below an intent, with what lies below it."""

    id: TicketId
    title: str
    kind: str
    status: str
    sessions: int
    progress: Progress
    children: "tuple[Node, ...]" = ()


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """Work that no intent stands for, or that left what its intent allows."""

    id: TicketId
    title: str
    status: str
    reason: str
    session: SessionId | None = None
