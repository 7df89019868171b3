"""Journal: `<common>/exo/pending`, what a transaction is about to do, so that the next one can finish it.

Written before the branch moves, removed after everything followed. A transaction without its commit on the branch has
not happened; one with it is finished by whoever comes next.
"""

from pathlib import Path

import msgspec

from exo_sidecar.base import files
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import Integrity

NAME = "pending"


class JournalDamaged(Integrity):
    """The journal is not one."""

    code = "JOURNAL_DAMAGED"
    advice = "exo sidecar-repair --journal puts the mount right from the branch"


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction under way."""

    commit: Oid
    files: dict[str, tuple[Oid | None, Oid | None]]
    """Per path the blob before and after; None where there is no file."""
    ref_temporary: str
    index_temporary: str
    """The proofs of the git locks this transaction takes (git.lockfile)."""
    render: int = 0
    """Render number of the program whose transaction it is; 0 where that is not known."""


def write(folder: Path, pending: Pending) -> None:
    """Write the journal; it survives a power cut before the branch moves."""
    files.write_atomic(folder / NAME, msgspec.json.encode(pending))


def read(folder: Path) -> Pending | None:
    """Return the transaction that a killed process left, None when there is none; JournalDamaged."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Pending)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        message = f"{folder / NAME} cannot be read: {error}"
        raise JournalDamaged(message) from error


def remove(folder: Path) -> None:
    """Remove the journal: the transaction is whole."""
    (folder / NAME).unlink(missing_ok=True)
