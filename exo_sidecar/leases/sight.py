"""What this clone can tell about a lease value: whether it is ours, and how long it has stood still before our eyes."""

from typing import NamedTuple

from exo_sidecar.git.repository import Repository
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.seen import Seen
from exo_sidecar.model.boot import BootClock


class Sight(NamedTuple):
    """The answers that the rules ask for."""

    ours: bool
    stale: bool
    seen_for_seconds: int


def look(repository: Repository, seen: Seen | None, clock: BootClock) -> Sight:
    """Return what this clone knows of `seen`; nothing is noted by looking."""
    if seen is None:
        return Sight(ours=False, stale=False, seen_for_seconds=0)
    common, lease = repository.place.common, seen.lease
    observations = Observations(common)
    return Sight(
        ours=Nonces(common).is_ours(lease),
        stale=observations.is_stale(lease.ticket, seen.oid, lease.ttl_seconds, clock),
        seen_for_seconds=int(observations.seen_for(lease.ticket, seen.oid, clock)),
    )
