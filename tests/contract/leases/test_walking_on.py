"""Walking on: whoever loses the race for one ticket takes the next, as often as there are others who are faster."""

from pathlib import Path

import pytest

from exo_sidecar.leases import backoff
from exo_sidecar.leases.refs import LeaseContended, Seen
from exo_sidecar.leases.remote import ATTEMPTS_MAX
from exo_sidecar.leases.seen import DecideEach
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Lease
from tests.support.leasing import Party, a_site

RIVALS = 11
"""Twelve clones that ask at once: the last to win has lost to each of the others."""
TICKETS = [TicketId(f"TICKET-{number:04}") for number in range(1, ATTEMPTS_MAX + 6)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on at once: nobody else is there to be waited for."""
    monkeypatch.setattr(backoff, "pause", lambda _: None)


def outrun(slow: Party, rival: Party, times: int, lost: list[TicketId]) -> DecideEach:
    """Return the decision to claim what is free, where `rival` takes just that, so many times, once it was shown."""

    def decide(ticket: TicketId, seen: Seen | None) -> Lease | ExoError:
        if seen is None and len(lost) < times and ticket not in lost:
            rival.leases.swap(ticket, rival.claiming(ticket))
            lost.append(ticket)
        return slow.claiming(ticket)(seen)

    return decide


def test_eleven_lost_races_in_a_row_still_end_with_a_ticket(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        slow, rival = site.party("SES-SLOW"), site.party("SES-RIVAL")
        lost: list[TicketId] = []
        won = slow.leases.claim_first(TICKETS, outrun(slow, rival, RIVALS, lost))
        assert lost == TICKETS[:RIVALS]
        assert (won.outcome, won.after.lease.ticket) == ("won", TICKETS[RIVALS])
        listed = slow.leases.listing()
        assert {ticket: seen.lease.holder.session for ticket, seen in listed.items()} == {
            **dict.fromkeys(lost, "SES-RIVAL"),
            TICKETS[RIVALS]: "SES-SLOW",
        }


def test_whoever_loses_every_attempt_is_told_and_holds_nothing(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        slow, rival = site.party("SES-SLOW"), site.party("SES-RIVAL")
        lost: list[TicketId] = []
        with pytest.raises(LeaseContended):
            slow.leases.claim_first(TICKETS, outrun(slow, rival, ATTEMPTS_MAX, lost))
        assert lost == TICKETS[:ATTEMPTS_MAX]
        assert {seen.lease.holder.session for seen in slow.leases.listing().values()} == {"SES-RIVAL"}
