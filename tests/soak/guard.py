"""Code for guarded writes to carry, and the unguarded write (`exo_sidecar.leases.guarded` makes the true one)."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Final

from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.ids import TicketId

PERSON: Final = "Soak <soak@example.invalid>"
BRANCHES: Final = "refs/heads/work/"
_HERE: Final = "refs/soak/work/"


def fetched(repository: Repository, ticket: TicketId) -> Oid | None:
    """Return the tip of the ticket's code branch, fetched now."""
    _git(repository, 20, "fetch", "-q", "--prune", "origin", f"+{BRANCHES}{ticket}*:{_HERE}{ticket}*")
    return repository.refs.read(_HERE + ticket)


def commit(repository: Repository, tip: Oid | None, epoch: int, op: str) -> Oid:
    """Write a commit that says under which epoch, by which operation it was made."""
    made = Commit(EMPTY_TREE, (tip,) if tip else (), PERSON, 0, PERSON, 0, f"epoch {epoch} op {op}\n")
    return repository.objects.write([("tree", b""), ("commit", commits.serialise(made))])[1]


def push_unguarded(repository: Repository, code: Oid, ticket: TicketId, timeout_seconds: float) -> bool:
    """Push the code alone: the broken variant."""
    return _git(repository, timeout_seconds, "push", "-q", "origin", f"{code}:{BRANCHES}{ticket}") == 0


def _git(repository: Repository, timeout_seconds: float, *words: str) -> int:
    """Run C git; its whole process group ends with it, so that nothing of it arrives after it was given up."""
    top = Path(repository.place.common)
    with subprocess.Popen(
        ["git", f"--git-dir={top}", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as child:
        try:
            return child.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return child.wait()
