"""Guarded push: code and the lease that it is written under, in one atomic push (docs/leases.md).

The lease's new value replaces exactly the one that was seen to be ours, so a server turns a stale holder away, code and
all, also when the take-over comes between what it advertised and the update.
"""

from pathlib import Path
from typing import NamedTuple

from exo_sidecar.git import code_push
from exo_sidecar.git.code_push import CodeUpdate, LeaseUpdate, Said
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import attempt
from exo_sidecar.leases.intents import Intent, Intents
from exo_sidecar.leases.names import Names
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.seen import Seen
from exo_sidecar.model.errors import ExoError, TimedOut
from exo_sidecar.model.lease import Lease


class Guard(NamedTuple):
    """Where code is pushed from and to: the remote is the lease's authority."""

    repository: Repository
    worktree: Path
    remote: str
    names: Names


class Sent(NamedTuple):
    """A guarded push that was made."""

    said: Said
    after: Seen
    """The lease's new value, if it arrived."""
    intent: Intent


def push(guard: Guard, code: CodeUpdate, current: Seen, lease: Lease) -> Sent:
    """Push `code`, and `lease` in the place of `current`; both arrive or neither.

    What git said is no proof: unless it was done, the caller settles `Sent.intent` by the refs, then ends it.

    Raises:
        GitRequired: there is no C git; nothing was sent.
    """
    ticket = lease.ticket
    plan = attempt.choose(guard.repository, [ticket], {ticket: current.oid}, lambda _ticket, _seen: lease, durable=True)
    if isinstance(plan, ExoError):
        raise plan
    common = guard.repository.place.common
    intent = attempt.announce(Nonces(common), Intents(common), plan, "push")
    change = LeaseUpdate(guard.names.ref_of(ticket), plan.after.oid, current.oid)
    try:
        said = code_push.push(guard.worktree, guard.remote, code, change)
    except TimedOut as error:
        said = Said(done=False, lacks_atomic=False, may_arrive=True, start=None, words=error.message)
    if said.done or said.lacks_atomic:
        Intents(common).end(intent.nonce)
    return Sent(said, plan.after, intent)
