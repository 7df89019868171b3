"""The guarded write: C git moves the code branch and the lease in one atomic push, or neither."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Final

from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import value
from exo_sidecar.leases.attempt import Plan, announce
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.names import REFS
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.refs import Seen
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Lease

PERSON: Final = "Soak <soak@example.invalid>"
BRANCHES: Final = "refs/heads/work/"
_HERE: Final = "refs/soak/work/"


def fetched(repository: Repository, ticket: TicketId) -> Oid | None:
    """Return the tip of the ticket's code branch, fetched now."""
    _git(repository, 20, "fetch", "-q", "--prune", "origin", f"+{BRANCHES}*:{_HERE}*")
    return repository.refs.read(_HERE + ticket)


def commit(repository: Repository, tip: Oid | None, epoch: int, op: str) -> Oid:
    """Write a commit that says under which epoch, by which operation it was made."""
    made = Commit(EMPTY_TREE, (tip,) if tip else (), PERSON, 0, PERSON, 0, f"epoch {epoch} op {op}\n")
    return repository.objects.write([("tree", b""), ("commit", commits.serialise(made))])[1]


def announced(repository: Repository, before: Seen, lease: Lease) -> Seen:
    """Write the value and what makes it ours; from here on it may be sent."""
    data = value.encode(lease, before.oid)
    after = Seen(repository.objects.write([("tree", b""), ("commit", data)])[1], lease)
    common = repository.place.common
    announce(Nonces(common), Intents(common), Plan(TicketId(lease.ticket), before, after), "push")
    return after


def push(repository: Repository, code: Oid, before: Seen, after: Seen, timeout_seconds: float) -> bool:
    """Push code and lease as one; whether the server said yes (no is no answer: read again)."""
    ticket = after.lease.ticket
    lease = REFS.ref_of(ticket)
    words = [
        "push",
        "-q",
        "--atomic",
        f"--force-with-lease={lease}:{before.oid}",
        "origin",
        f"{code}:{BRANCHES}{ticket}",
        f"{after.oid}:{lease}",
    ]
    return _git(repository, timeout_seconds, *words) == 0


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
