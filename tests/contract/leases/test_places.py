"""One suite for leases on local refs, on a bare hub on disk, and behind a git daemon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.rules import LeaseNotStale, stale_after_seconds
from exo_sidecar.leases.seen import Seen
from exo_sidecar.leases.value import LeaseDamaged
from exo_sidecar.model.errors import LeaseHeld, LeaseLost, LeaseNotHeld, SessionFenced
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Lease
from tests.support.leasing import TICKET, Site, a_site, has_daemon
from tests.support.repositories import git

OTHER = TicketId("TICKET-0002")


@pytest.fixture(params=["local", "hub", "daemon"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A place that holds leases."""
    if request.param == "daemon" and not has_daemon():
        pytest.skip("this git comes without its daemon")
    with a_site(request.param, tmp_path) as found:
        yield found


def test_a_claim_is_seen_by_everybody_and_refuses_the_next(site: Site) -> None:
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    won = first.leases.swap(TICKET, first.claiming())
    assert (won.before, won.outcome, won.after.lease.epoch) == (None, "won", 1)
    assert second.leases.read(TICKET) == won.after
    with pytest.raises(LeaseHeld, match=r"SES-AAAA.*epoch 1"):
        second.leases.swap(TICKET, second.claiming())


def test_the_epoch_rises_over_release_and_the_next_claim(site: Site) -> None:
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    first.leases.swap(TICKET, first.claiming())
    released = first.leases.swap(TICKET, first.releasing())
    assert (released.after.lease.state, released.after.lease.epoch) == ("released", 1)
    won = second.leases.swap(TICKET, second.claiming())
    assert won.before == released.after
    assert (won.after.lease.epoch, won.after.lease.holder.session) == (2, "SES-BBBB")
    with pytest.raises(LeaseLost):
        first.leases.swap(TICKET, first.beating())


def test_a_heartbeat_changes_the_value_and_keeps_the_epoch(site: Site) -> None:
    party = site.party("SES-AAAA")
    claimed = party.leases.swap(TICKET, party.claiming())
    beaten = party.leases.swap(TICKET, party.beating())
    assert beaten.before == claimed.after
    assert beaten.after.oid != claimed.after.oid
    assert beaten.after.lease.epoch == 1


def test_a_decision_for_the_present_value_writes_nothing(site: Site) -> None:
    party = site.party("SES-AAAA")
    claimed = party.leases.swap(TICKET, party.claiming())

    def as_it_is(seen: Seen | None) -> Lease:
        assert seen is not None
        return seen.lease

    unchanged = party.leases.swap(TICKET, as_it_is)
    assert (unchanged.outcome, unchanged.after) == ("unchanged", claimed.after)


def test_a_release_of_what_nobody_holds_is_refused(site: Site) -> None:
    party = site.party("SES-AAAA")
    with pytest.raises(LeaseNotHeld):
        party.leases.swap(TICKET, party.releasing())
    assert party.leases.read(TICKET) is None


def test_a_clone_that_lost_its_nonces_is_fenced(site: Site) -> None:
    party = site.party("SES-AAAA")
    party.leases.swap(TICKET, party.claiming())
    Nonces(party.repository.place.common).forget_all()
    with pytest.raises(SessionFenced):
        party.leases.swap(TICKET, party.beating())


def test_only_a_value_watched_unchanged_for_its_ttl_can_be_taken_over(site: Site) -> None:
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    claimed = first.leases.swap(TICKET, first.claiming())
    second.leases.listing()
    second.boot.seconds += stale_after_seconds(claimed.after.lease.ttl_seconds)
    with pytest.raises(LeaseNotStale):
        second.leases.swap(TICKET, second.taking_over())
    second.boot.seconds += 1
    taken = second.leases.swap(TICKET, second.taking_over())
    assert (taken.after.lease.epoch, taken.after.lease.holder.session) == (2, "SES-BBBB")


def test_a_heartbeat_starts_the_watch_anew(site: Site) -> None:
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    claimed = first.leases.swap(TICKET, first.claiming())
    second.leases.listing()
    second.boot.seconds += stale_after_seconds(claimed.after.lease.ttl_seconds) + 1
    first.leases.swap(TICKET, first.beating())
    with pytest.raises(LeaseNotStale):
        second.leases.swap(TICKET, second.taking_over())


def test_a_listing_shows_every_lease_and_names_what_is_damaged(site: Site) -> None:
    party, reader = site.party("SES-AAAA"), site.party("SES-BBBB")
    first = party.leases.swap(TICKET, party.claiming())
    second = party.leases.swap(OTHER, party.claiming(OTHER))
    junk = git(site.hub, "commit-tree", "-m", "junk", git(site.hub, "rev-parse", "HEAD^{tree}"))
    git(site.hub, "update-ref", "refs/exo/leases/TICKET-0003", junk)
    survey = reader.leases.survey()
    assert survey.leases == reader.leases.listing() == {TICKET: first.after, OTHER: second.after}
    assert list(survey.damaged) == ["TICKET-0003"]
    with pytest.raises(LeaseDamaged):
        reader.leases.swap(TicketId("TICKET-0003"), reader.claiming(TicketId("TICKET-0003")))


def test_the_first_free_candidate_is_claimed(site: Site) -> None:
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    first.leases.swap(TICKET, first.claiming())
    won = second.leases.claim_first([TICKET, OTHER], lambda ticket, seen: second.claiming(ticket)(seen))
    assert won.after.lease.ticket == OTHER
    third = site.party("SES-CCCC")
    with pytest.raises(LeaseHeld):
        third.leases.claim_first([TICKET, OTHER], lambda ticket, seen: third.claiming(ticket)(seen))


def test_the_intent_of_a_change_is_forgotten_unless_it_is_to_be_kept(site: Site) -> None:
    party = site.party("SES-AAAA")
    intents = Intents(party.repository.place.common)
    kept = party.leases.swap(TICKET, party.claiming(), keep_intent=True)
    [intent] = intents.pending()
    assert (intent.kind, intent.ticket, intent.commit) == ("claim", TICKET, kept.after.oid)
    assert party.leases.settle(intent).outcome == "won"
    intents.end(intent.nonce)
    party.leases.swap(TICKET, party.releasing())
    assert intents.pending() == ()
    assert party.leases.settle(intent).outcome == "superseded"


def test_the_hub_stays_sound(site: Site) -> None:
    party = site.party("SES-AAAA")
    for _ in range(3):
        party.leases.swap(TICKET, party.claiming())
        party.leases.swap(TICKET, party.releasing())
    git(site.hub, "fsck", "--strict")
    assert git(site.hub, "rev-list", "--count", "refs/exo/leases/TICKET-0001") == "6"
