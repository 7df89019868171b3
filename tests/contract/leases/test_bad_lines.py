"""Lines that wait, break and lose answers: what was sent is found out by reading, and never done twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from exo_sidecar.leases import names
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.refs import LeaseUnknown
from exo_sidecar.model.errors import LeaseHeld, RemoteUnreachable, TimedOut
from tests.support.leasing import TICKET, Party, Site
from tests.support.repositories import git
from tests.support.servers import kinds
from tests.support.servers.proxy import Fault, Line

LIMIT_SECONDS = 1.0
REF = names.REFS.ref_of(TICKET)


class Far(NamedTuple):
    """A place behind a line that can be made bad."""

    site: Site
    line: Line


@pytest.fixture(params=["daemon", "nginx"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    """Ssh hides from a line what is said on it; tests of it kill the server instead (test_transports.py)."""
    kinds.need(request.param)
    with kinds.a_bad_line(request.param, tmp_path) as (server, line):
        yield Far(kinds.a_site_at(server, tmp_path, timeout_seconds=10.0), line)


def _pending(party: Party) -> int:
    return len(Intents(party.repository.place.common).pending())


@pytest.mark.parametrize("fault", ["lost-reply", "lost-request"])
def test_a_lost_push_is_found_out_and_done_once(far: Far, fault: Fault) -> None:
    party = far.site.party("SES-AAAA")
    far.line.fault = fault
    won = party.leases.swap(TICKET, party.claiming())
    assert far.line.happened == 1
    assert (won.outcome, won.before, won.after.lease.epoch) == ("won", None, 1)
    assert git(far.site.hub, "rev-list", "--count", REF) == "1"
    assert git(far.site.hub, "rev-parse", REF) == won.after.oid
    assert _pending(party) == 0


@pytest.mark.parametrize(("fault", "outcome"), [("lost-reply", "won"), ("lost-request", "open")])
def test_what_cannot_be_read_is_unknown_until_the_line_is_back(far: Far, fault: Fault, outcome: str) -> None:
    party = far.site.party("SES-AAAA")
    far.line.fault, far.line.dead_after = fault, True
    with pytest.raises(LeaseUnknown) as caught:
        party.leases.swap(TICKET, party.claiming())
    assert (caught.value.code, caught.value.exit_status) == ("LEASE_UNKNOWN", 8)
    [intent] = Intents(party.repository.place.common).pending()
    with pytest.raises(LeaseUnknown):
        party.leases.settle(intent)
    far.line.heal()
    settled = party.leases.settle(intent)
    assert settled.outcome == outcome
    assert (settled.seen is None) == (outcome == "open")


def test_a_claim_that_landed_unheard_and_was_overtaken_since_is_superseded(far: Far) -> None:
    first, second = far.site.party("SES-AAAA"), far.site.party("SES-BBBB")
    far.line.fault, far.line.dead_after = "lost-reply", True
    with pytest.raises(LeaseUnknown):
        first.leases.swap(TICKET, first.claiming())
    far.line.heal()
    second.leases.listing()
    second.boot.seconds += 10_000
    taken = second.leases.swap(TICKET, second.taking_over())
    [intent] = Intents(first.repository.place.common).pending()
    settled = first.leases.settle(intent)
    assert (settled.outcome, settled.seen) == ("superseded", taken.after)
    with pytest.raises(LeaseHeld):
        first.leases.swap(TICKET, first.claiming())


def test_a_claim_that_was_lost_while_another_claimed_is_refused(far: Far) -> None:
    first, second = far.site.party("SES-AAAA"), far.site.party("SES-BBBB")
    far.line.fault, far.line.dead_after = "lost-request", True
    with pytest.raises(LeaseUnknown):
        first.leases.swap(TICKET, first.claiming())
    far.line.heal()
    won = second.leases.swap(TICKET, second.claiming())
    [intent] = Intents(first.repository.place.common).pending()
    settled = first.leases.settle(intent)
    assert (settled.outcome, settled.seen) == ("lost", won.after)


@pytest.mark.parametrize("count", [0, 60, 200, 500])
def test_a_line_cut_anywhere_in_the_request_leaves_one_claim_or_none(far: Far, count: int) -> None:
    party = far.site.party("SES-AAAA")
    far.line.fault, far.line.cut_after = "cut", count
    try:
        won = party.leases.swap(TICKET, party.claiming())
    except RemoteUnreachable:
        assert git(far.site.hub, "for-each-ref", REF) == ""
        assert _pending(party) == 0, "nothing had been sent"
        won = party.leases.swap(TICKET, party.claiming())
    assert far.line.happened == 1
    assert (won.before, won.after.lease.epoch) == (None, 1)
    assert git(far.site.hub, "rev-list", "--count", REF) == "1"
    assert _pending(party) == 0


def test_a_slow_server_is_waited_for(far: Far) -> None:
    party = far.site.party("SES-AAAA")
    far.line.fault, far.line.seconds = "delay", 0.3
    assert party.leases.swap(TICKET, party.claiming()).outcome == "won"
    assert list(party.leases.listing()) == [TICKET]


@pytest.mark.parametrize("kind", ["daemon", "nginx"])
def test_a_server_slower_than_the_limit_is_given_up_before_anything_was_sent(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    with kinds.a_bad_line(kind, tmp_path) as (server, line):
        site = kinds.a_site_at(server, tmp_path, timeout_seconds=LIMIT_SECONDS)
        party = site.party("SES-AAAA")
        line.fault, line.seconds = "delay", 30.0
        with pytest.raises(TimedOut, match="origin did not answer within 1 s") as caught:
            party.leases.swap(TICKET, party.claiming())
        assert (caught.value.code, caught.value.exit_status) == ("TIMEOUT", 8)
        assert _pending(party) == 0
        assert git(site.hub, "for-each-ref", REF) == ""
