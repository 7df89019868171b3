"""What this clone last saw of a ticket's lease: for calls that may not ask. It may have changed since."""

from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import attempt
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.seen import Seen
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import TicketId

_EVER = -1.0


def last_known(repository: Repository, ticket: TicketId, clock: BootClock) -> Seen | None:
    """Return the ticket's lease as last seen since this machine started, None when there was none to be read."""
    oid = Observations(repository.place.common).standing_still(clock, _EVER).get(ticket)
    if oid is None or not repository.objects.contains(oid):
        return None
    try:
        return attempt.decode(repository, ticket, oid)
    except LeaseDamaged:
        return None
