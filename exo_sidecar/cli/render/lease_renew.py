"""The page of `lease-renew`."""

from exo_sidecar.cli.page import Headline, Page
from exo_sidecar.cli.render.tones import identifier
from exo_sidecar.model import duration
from exo_sidecar.operations.lease import LeaseBeaten


def run(result: LeaseBeaten) -> Page:
    """Say for how long the lease lives now."""
    text = f": token {result.lease.epoch}, lives {duration.show(result.lease.ttl_seconds)} from now on"
    return Page((Headline((identifier(result.ticket_id), text), "good"),))
