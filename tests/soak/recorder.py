"""Writes a worker's history while it happens: one line when an operation begins, one when it ends."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from exo_sidecar.leases.refs import LeaseUnknown, Seen
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import Nonce
from tests.soak.history import ABSENT, OP_LENGTH, Invoked, Read, Result, Returned


@dataclass
class Running:
    """An operation under way; what it learns is set before it ends."""

    id: str
    session: str
    ticket: str = ""
    result: Result = "unknown"
    value: str = ABSENT
    epoch: int = 0
    reads: list[Read] = field(default_factory=list)
    note: str = ""
    nonces: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether it is known to have been done."""
        return self.result == "ok"

    def nonce(self) -> Nonce:
        """Mint a nonce that names this operation."""
        self.nonces += 1
        return Nonce(f"{self.id}{self.nonces:08x}")

    def saw(self, ticket: str, seen: Seen | None) -> None:
        """Note a value that was shown."""
        self.reads.append(Read(ticket, seen.oid if seen else ABSENT))

    def confirmed(self, seen: Seen, epoch: int | None = None) -> None:
        """Note that the value `seen` is known to have been written."""
        self.result, self.ticket, self.value = "ok", seen.lease.ticket, seen.oid
        self.epoch = seen.lease.epoch if epoch is None else epoch


class Recorder:
    """The history file of one process."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._worker = worker
        name = f"{worker}-{os.getpid()}-{os.urandom(4).hex()}.jsonl"
        self._handle = os.open(folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @contextmanager
    def op(self, name: str, session: str, ticket: str = "") -> Iterator[Running]:
        """Record one operation; a refusal ends it quietly, anything else is the process's own failure."""
        running = Running(os.urandom(OP_LENGTH // 2).hex(), session, ticket)
        self._write(
            Invoked(op=running.id, worker=self._worker, session=session, name=name, ticket=ticket, at=time.monotonic())
        )
        try:
            yield running
        except LeaseUnknown as error:
            cause = error.__cause__
            running.note = f"{error.code} {cause.code}" if isinstance(cause, ExoError) else error.code
        except ExoError as error:
            running.result, running.note = "refused", error.code
        self._write(
            Returned(
                op=running.id,
                at=time.monotonic(),
                result=running.result,
                ticket=running.ticket,
                value=running.value,
                epoch=running.epoch,
                reads=tuple(running.reads),
                note=running.note,
            )
        )

    def _write(self, line: Invoked | Returned) -> None:
        os.write(self._handle, msgspec.json.encode(line) + b"\n")
