"""A process that works on one lease: `claimer.py <clone> <hub> <session> <rounds> [hold]`; prints what it won as JSON.

Each round claims the ticket and releases it again; with `hold` the first claim is kept.
"""

import json
import os
import sys
from pathlib import Path

from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases.refs import LeaseContended, LeaseRefs, LocalLeases, RemoteLeases
from exo_sidecar.model.errors import LeaseHeld
from tests.support.leasing import TICKET, Counter, ManualBoot, Party


class Unique(Counter):
    """Nonces that differ between processes."""

    def __init__(self) -> None:
        super().__init__()
        self.last = int.from_bytes(os.urandom(8)) << 32


def main(clone: str, hub: str, session: str, rounds: str, *how: str) -> None:
    """Work as told on the command line."""
    repository = Repository(locate(Path(clone)))
    boot = ManualBoot()
    leases: LeaseRefs = LocalLeases(repository, clock=boot)
    if hub != "local":
        leases = RemoteLeases(repository, Remote("origin", hub), clock=boot)
    party = Party(repository, leases, session, boot, Unique())
    won, held = [], 0
    for _ in range(int(rounds)):
        try:
            won.append(leases.swap(TICKET, party.claiming()).after.lease.epoch)
            if "hold" not in how:
                leases.swap(TICKET, party.releasing())
        except (LeaseHeld, LeaseContended):
            held += 1
    sys.stdout.write(json.dumps({"data": {"won": won, "held": held}}))


if __name__ == "__main__":
    main(*sys.argv[1:])
