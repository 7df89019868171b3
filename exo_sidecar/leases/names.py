"""Names of lease refs: where a lease lives, by the authority's mode.

Mode `refs`: below `refs/exo/`, which plain clones and fetches do not bring. Mode `branch`: as branches below
`exo-leases/`, for servers that let nothing but branches be made. Either way one ref per ticket, and one that carries
the authority's id; everything else is the same (docs/decisions/0008-lease-branches.md).
"""

from typing import Final, Literal, NamedTuple

from exo_sidecar.model import ids
from exo_sidecar.model.ids import TicketId


class Names(NamedTuple):
    """The names of one mode."""

    prefix: str
    authority: str
    """The ref that carries the authority's id; no ticket id is in lower case, so it is no ticket's."""

    def ref_of(self, ticket: TicketId) -> str:
        """Return the name of the ref that carries the ticket's lease."""
        return self.prefix + ticket

    def ticket_of(self, ref: str) -> TicketId | None:
        """Return the ticket whose lease `ref` carries, None when it carries none."""
        name = ref.removeprefix(self.prefix)
        return TicketId(name) if ref.startswith(self.prefix) and ids.is_id(name) else None


REFS: Final = Names("refs/exo/leases/", "refs/exo/authority")
BRANCHES: Final = Names("refs/heads/exo-leases/", "refs/heads/exo-leases/authority")


def of(mode: Literal["refs", "branch"]) -> Names:
    """Return the names of `mode`."""
    return REFS if mode == "refs" else BRANCHES
