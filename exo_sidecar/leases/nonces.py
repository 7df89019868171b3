"""Which lease values are ours: the nonces that this clone wrote down before it sent them.

One file per ticket, one nonce a line, only ever appended to, so two processes lose nothing to one another. Invariant: a
nonce is on the disk before the value that carries it is on the wire; nothing else proves that a value is ours.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from exo_sidecar.base.files import sync_folder
from exo_sidecar.model.ids import Nonce, TicketId
from exo_sidecar.model.lease import Lease

FILE_BYTES_MAX: Final = 256 * 1024
"""Some 7,000 heartbeats. A full file is set aside, and the one set aside before it is forgotten."""


class Nonces:
    """The nonces of one clone, below `<common>/exo/leases/`."""

    def __init__(self, common: Path) -> None:
        self._folder = common / "exo" / "leases"

    def remember(self, lease: Lease) -> None:
        """Write the nonce of `lease` down, durably; to be done before the value leaves this process."""
        path = self._path(lease.ticket)
        self._folder.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            os.write(handle, f"{lease.nonce}\n".encode())
            os.fsync(handle)
            size = os.fstat(handle).st_size
        finally:
            os.close(handle)
        if is_new:
            sync_folder(self._folder)
        if size > FILE_BYTES_MAX:
            with contextlib.suppress(FileNotFoundError):  # another process was quicker
                path.replace(self._aside(lease.ticket))

    def is_ours(self, lease: Lease | None) -> bool:
        """Whether this clone wrote the value `lease`."""
        if lease is None:
            return False
        return any(lease.nonce in _lines(path) for path in (self._path(lease.ticket), self._aside(lease.ticket)))

    def of(self, ticket: TicketId) -> frozenset[Nonce]:
        """Return all nonces of ours that are known for `ticket`."""
        return frozenset(Nonce(line) for path in (self._path(ticket), self._aside(ticket)) for line in _lines(path))

    def forget_all(self) -> None:
        """Discard every nonce: this folder turned out to be a copy, and the original may be alive."""
        for path in (*self._folder.glob("*.nonces"), *self._folder.glob("*.nonces.old")):
            path.unlink(missing_ok=True)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def _path(self, ticket: TicketId) -> Path:
        return self._folder / f"{ticket}.nonces"

    def _aside(self, ticket: TicketId) -> Path:
        return self._folder / f"{ticket}.nonces.old"


def _lines(path: Path) -> frozenset[str]:
    try:
        return frozenset(path.read_text("ascii").splitlines())
    except FileNotFoundError:
        return frozenset()
