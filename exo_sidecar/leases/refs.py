"""The lease refs of the authority, wherever that is; the door to this room for operations."""

from exo_sidecar.git import remote
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases.local import LocalLeases
from exo_sidecar.leases.remote import RemoteLeases
from exo_sidecar.leases.seen import (
    BranchBehind,
    BranchUpdate,
    Decide,
    DecideEach,
    LeaseContended,
    LeaseRefs,
    LeaseUnknown,
    LeaseUnsupported,
    ReadClock,
    Seen,
    Settled,
    Survey,
    Swapped,
)
from exo_sidecar.model.lease import Authority

__all__ = [
    "BranchBehind",
    "BranchUpdate",
    "Decide",
    "DecideEach",
    "LeaseContended",
    "LeaseRefs",
    "LeaseUnknown",
    "LeaseUnsupported",
    "LocalLeases",
    "ReadClock",
    "RemoteLeases",
    "Seen",
    "Settled",
    "Survey",
    "Swapped",
    "open_leases",
]


def open_leases(
    repository: Repository,
    authority: Authority,
    *,
    clock: ReadClock,
    operation: str,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> LeaseRefs:
    """Return the lease refs of the recorded authority; nothing is read yet.

    Raises:
        RemoteUnknown: this clone has no remote of the authority's name.
    """
    if authority.remote is None:
        return LocalLeases(repository, clock=clock, authority_id=authority.id, operation=operation)
    return RemoteLeases(
        repository,
        remote.named(repository, authority.remote),
        clock=clock,
        authority=authority,
        operation=operation,
        timeout_seconds=timeout_seconds,
    )
