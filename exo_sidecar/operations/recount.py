"""Recount: claims counted again once they are won, so that lanes hold in all clones together (domain.lanes)."""

from collections.abc import Callable
from typing import Final

from exo_sidecar.domain import lanes
from exo_sidecar.leases import backoff
from exo_sidecar.leases.refs import Survey
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View

RECOUNTS_MAX: Final = 5
"""How often a claim waits for others to give way, under two seconds in all, before it gives way itself."""
_FIRST_PAUSE: Final = 3
"""Others need a push to give way: the first pause is up to 160 ms."""


def leased(survey: Survey) -> dict[TicketId, int]:
    """Return the tickets that the authority shows as held; a lease that cannot be read is not free either."""
    held = {ticket: seen.lease.epoch for ticket, seen in survey.leases.items() if seen.lease.state == "held"}
    return {**dict.fromkeys(survey.damaged, 0), **held}


def confirm(view: Callable[[], View], survey: Callable[[], Survey], ticket: TicketId) -> None:
    """Count again after a claim was won; when there is no room, others give way or this claim does.

    Whoever claims last of all sees every claim before it, so however claims meet, no more stay than may.

    Raises:
        LaneFull, ConcurrencyLimit: this claim gives way.
    """
    if not view().config().scheduler.enabled:
        return
    for count in range(RECOUNTS_MAX):
        crowd = lanes.crowd(view(), leased(survey()), ticket)
        if crowd is None:
            return
        if crowd.gives_way:
            raise crowd.error
        backoff.pause(_FIRST_PAUSE + count)
    if crowd is not None:
        raise crowd.error
