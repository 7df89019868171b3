"""Refs of this clone that are changed outside a transaction, so that `kill -9` leaves no lock on them for good.

Processes take turns by a lock of the kernel. Invariant: whoever made the proof (git.lockfile) that is found during a
turn is dead. Each ref has a proof of its own: with a shared one, the turn for the next ref would remove the proof and
leave the first ref locked.
"""

from typing import Final
from urllib.parse import quote

from exo_sidecar.base.alone import alone
from exo_sidecar.git.lockfile import clear_dead_lock
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository

_FOLDER: Final = "exo/turns"


def swap(repository: Repository, name: str, *, old: Oid | None, new: Oid | None) -> bool:
    """Set the ref `name` to `new` if it is `old`, as `Refs.swap`; False too when it is another process's turn."""
    common = repository.place.common
    proof = _proof(name)
    with alone(common / _FOLDER / "turn.lock") as is_alone:
        if not is_alone:
            return False
        clear_dead_lock(repository.refs.path(name), common / proof)
        return repository.refs.swap(name, old=old, new=new, temporary=proof)


def clear(repository: Repository, name: str) -> None:
    """Remove the lock that a call left on the ref `name` which was killed when it had changed it already."""
    common, proof = repository.place.common, _proof(name)
    if not (common / proof).exists():
        return
    with alone(common / _FOLDER / "turn.lock") as is_alone:
        if is_alone:
            clear_dead_lock(repository.refs.path(name), common / proof)


def _proof(name: str) -> str:
    return f"{_FOLDER}/{quote(name, safe='')}.tmp"
