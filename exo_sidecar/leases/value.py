"""A lease as a git object: a commit with an empty tree, its message the line `exo-lease/1` and canonical JSON.

Its parent is the value it replaced, so that the history of a ticket's lease can be walked. What is read here was
written by anybody who may push: every field is checked, and what does not fit is damage, never a free ticket.
"""

from typing import Final

import msgspec

from exo_sidecar.base import canonical
from exo_sidecar.git import commits, refnames
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.objects import ObjectDamaged
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.leases.rules import EPOCH_MAX, check_ttl
from exo_sidecar.model import actor, ids, instant
from exo_sidecar.model.errors import Integrity
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.lease import Lease

HEADER: Final = "exo-lease/1\n"
COMMIT_BYTES_MAX: Final = 8192
"""A lease is a few hundred bytes; more is not a lease."""
_NONCE_LENGTH: Final = 32
_HEXADECIMAL: Final = frozenset("0123456789abcdef")
_BRANCH_LENGTH_MAX: Final = 255


class LeaseDamaged(Integrity):
    """The value of a lease ref is not a lease that this program can read."""

    code = "LEASE_DAMAGED"
    advice = "install the newest exo; if it stays so, a person may take over: exo lease-takeover --force --reason"


def encode(lease: Lease, parent: Oid | None) -> bytes:
    """Return the commit object of `lease`, which replaces `parent`; the same lease gives the same bytes."""
    text = canonical.dumps(msgspec.to_builtins(lease)).decode()
    seconds = instant.epoch_seconds(Instant(lease.renewed_at))
    return commits.serialise(
        Commit(
            tree=EMPTY_TREE,
            parents=(parent,) if parent else (),
            author=commits.AUTHOR,
            author_time=seconds,
            committer=commits.AUTHOR,
            commit_time=seconds,
            message=HEADER + text + "\n",
        )
    )


def decode(ticket: TicketId, data: bytes) -> Lease:
    """Return the lease in the commit object `data` found under the ref of `ticket`; LeaseDamaged."""
    if len(data) > COMMIT_BYTES_MAX:
        raise _damaged(ticket, f"it is larger than {COMMIT_BYTES_MAX} bytes")
    try:
        commit = commits.parse(data)
    except ObjectDamaged as error:
        raise _damaged(ticket, error.message) from error
    if commit.tree != EMPTY_TREE or not commit.message.startswith(HEADER):
        raise _damaged(ticket, "it is not an exo-lease/1 commit")
    try:
        lease = msgspec.json.decode(commit.message.removeprefix(HEADER), type=Lease, strict=True)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise _damaged(ticket, str(error)) from error
    fault = _fault(ticket, lease)
    if fault:
        raise _damaged(ticket, fault)
    return lease


def _fault(ticket: TicketId, lease: Lease) -> str:
    """Return what is wrong with `lease`, empty when nothing is."""
    holder = lease.holder
    checks = {
        "it names another ticket": lease.ticket == ticket,
        "its epoch is out of range": 1 <= lease.epoch <= EPOCH_MAX,
        "its ttl is out of range": check_ttl(lease.ttl_seconds) is None,
        "its nonce is malformed": len(lease.nonce) == _NONCE_LENGTH and _HEXADECIMAL.issuperset(lease.nonce),
        "its session is malformed": ids.is_id(holder.session),
        "its clone is malformed": ids.is_clone_id(holder.clone),
        "its actor is malformed": actor.is_actor(holder.actor),
        "its branch is malformed": lease.branch is None or _is_branch(lease.branch),
        "its times are malformed": instant.is_instant(lease.claimed_at) and instant.is_instant(lease.renewed_at),
    }
    return next((fault for fault, holds in checks.items() if not holds), "")


def _is_branch(name: str) -> bool:
    return 0 < len(name) <= _BRANCH_LENGTH_MAX and name.isprintable() and refnames.is_valid(f"refs/heads/{name}")


def _damaged(ticket: TicketId, reason: str) -> LeaseDamaged:
    message = f"the lease of {ticket} cannot be read: {reason}"
    return LeaseDamaged(message, ticket=ticket)
