"""What a step costs: measured figures, in seconds, each with where it comes from.

Medians from a hub on the same machine, good to a third: the machine was not idle (docs/lease-scale.md says how little
hangs on that). What a network adds is an assumption and a parameter: so many round trips, each so long.
"""

from typing import Final, NamedTuple


class Transport(NamedTuple):
    """One way to reach the hub."""

    name: str
    push: float
    """Hub: one push of one small commit, half of it before the refs are shown and half after."""
    listing: float
    """Hub: refs listed by prefix, or a fetch that finds nothing."""
    each_ref: float
    """Hub: more in a push for each ref that it has to show."""
    handshake: float = 0.0
    """Waited for at each connection; occupies no slot of the hub."""
    trips: int = 0
    """Round trips before the refs are shown; one more lies between what is shown and what is sent."""


LOCAL: Final = Transport("local", 0.016, 0.008, 5.6e-6)
HTTP: Final = Transport("http", 0.032, 0.015, 20.5e-6, trips=3)
SSH: Final = Transport("ssh", 0.016, 0.015, 6.5e-6, handshake=0.390, trips=6)
TRANSPORTS: Final = {each.name: each for each in (LOCAL, HTTP, SSH)}

CLIENT: Final = 0.017
"""Clone: lease value, nonce and intent written before it is sent."""
BRANCH_MORE: Final = 0.013
"""Hub: a push of the governance branch takes so much longer than one of a lease."""
MERGE: Final = 0.036
"""Clone: what was fetched is checked, united, folded and committed."""
EACH_EVENT: Final = 0.0014
"""Clone: more in a merge for each event that came."""
EVENTS_MERGED_MAX: Final = 20_000
"""Past this a merge is cut off here: it is over half a minute, and no result hangs on the rest."""

SOURCES: Final = (
    "push of one commit to C git, hub and clone on one machine, median: local receive-pack 16 ms, smart HTTP 32 ms,",
    "ssh 406 ms (390 of it handshake)",
    "list by prefix: local 8 ms (measured with --measure), HTTP and ssh 15 ms (12 to 18 measured over HTTP)",
    "each further ref in a push: (75 - 19) ms / 10,000 local, (232 - 27) HTTP, (457 - 392) ssh",
    "claim in process 33 ms, median (docs/benchmarks.md): 17 ms more than the push alone is spent in the clone",
    "branch push 50 ms against 37 ms for a lease, pull of one event 55 ms against 19 ms for none,",
    "1.4 ms for each further event that comes (all by --measure, on a busy machine with 2 cores)",
    "assumed, not measured: 30 ms for a round trip on http and ssh; 4 slots on the hub; a refused command is tried",
    "again a minute later; one event and one sync per task besides claim and release",
)
