"""What a soak run leaves behind: every operation with its two moments, and what the hub held at the end of each era.

An era ends when the hub is restored from a backup: the refs jump back, so each era has histories of its own. Moments
are seconds of the machine's monotonic clock, which all processes of a run share.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

Result: TypeAlias = Literal["ok", "refused", "unknown"]
ABSENT: Final = ""
"""What was read where a ticket had no lease."""
OP_LENGTH: Final = 24
"""The first digits of a nonce name the operation that minted it."""


class Read(msgspec.Struct, frozen=True, array_like=True):
    """A value that an operation was shown."""

    ticket: str
    value: str


class Invoked(msgspec.Struct, frozen=True, kw_only=True, tag="invoked"):
    """An operation begins."""

    op: str
    worker: str
    session: str
    name: str
    ticket: str
    at: float


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag="returned"):
    """An operation ended; one that was killed has no such line."""

    op: str
    at: float
    result: Result
    ticket: str
    value: str = ABSENT
    epoch: int = 0
    reads: tuple[Read, ...] = ()
    note: str = ""


class Link(NamedTuple):
    """One value in the history of a ticket's lease ref."""

    oid: str
    nonce: str
    session: str
    epoch: int
    state: str

    @property
    def op(self) -> str:
        """The operation that minted its nonce."""
        return self.nonce[:OP_LENGTH]


class Guarded(NamedTuple):
    """One commit of a ticket's code branch: who wrote it, under which epoch."""

    op: str
    epoch: int


class Era(NamedTuple):
    """The hub from one restore to the next; oldest first in every list, from the root on."""

    start: float
    end: float
    chains: Mapping[str, tuple[Link, ...]]
    branches: Mapping[str, tuple[Guarded, ...]]
    base: Mapping[str, str] = {}
    """The lease values that the era began with."""


class Op(NamedTuple):
    """An operation as a whole; `returned` is infinite when nobody heard its end."""

    id: str
    worker: str
    session: str
    name: str
    ticket: str
    invoked: float
    returned: float = math.inf
    result: Result = "unknown"
    value: str = ABSENT
    epoch: int = 0
    reads: tuple[Read, ...] = ()


class History(NamedTuple):
    """All of it. `hold_seconds` is the ttl in seconds of the machine's clock."""

    ops: Mapping[str, Op]
    eras: tuple[Era, ...]
    hold_seconds: float


def joined(lines: Iterable[Invoked | Returned]) -> dict[str, Op]:
    """Return the operations that `lines` tell of, by id."""
    ops: dict[str, Op] = {}
    for line in lines:
        if isinstance(line, Invoked):
            ops[line.op] = Op(line.op, line.worker, line.session, line.name, line.ticket, line.at)
        else:
            ops[line.op] = ops[line.op]._replace(
                returned=line.at,
                result=line.result,
                ticket=line.ticket,
                value=line.value,
                epoch=line.epoch,
                reads=line.reads,
            )
    return ops


def read(folder: Path) -> list[Invoked | Returned]:
    """Return the lines of every file in `folder`; a last line that a kill cut short is passed over."""
    decoder = msgspec.json.Decoder(Invoked | Returned)
    found: list[Invoked | Returned] = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().split(b"\n")
        found += [decoder.decode(line) for line in lines[:-1]]
    return found
