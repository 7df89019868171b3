"""The table of moves (docs/leases.md): each row, and the refused case beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.leases import rules
from exo_sidecar.leases.rules import LeaseNotStale, LeaseQuota, TtlOutOfRange
from exo_sidecar.model.errors import ExoError, LeaseHeld, LeaseLost, LeaseNotHeld, SessionFenced
from exo_sidecar.model.lease import DEFAULT_TTL_SECONDS, TTL_SECONDS_MAX, TTL_SECONDS_MIN, Lease
from tests.support.leasing import a_lease, a_request

FRESH = "f" * 32


def test_a_claim_of_a_ticket_that_never_had_a_lease_starts_at_epoch_one() -> None:
    claimed = rules.claim(None, a_request(FRESH), 0, ours=False, stale=False)
    assert isinstance(claimed, Lease)
    assert (claimed.epoch, claimed.state, claimed.nonce) == (1, "held", FRESH)
    assert claimed.ttl_seconds == DEFAULT_TTL_SECONDS


@pytest.mark.parametrize(("in_ref", "in_ledger", "expected"), [(3, 0, 4), (3, 9, 10), (9, 3, 10)])
def test_a_claim_of_a_released_ticket_rises_above_ref_and_ledger(in_ref: int, in_ledger: int, expected: int) -> None:
    tombstone = a_lease(epoch=in_ref, session="SES-BBBB", released=True)
    claimed = rules.claim(tombstone, a_request(FRESH), in_ledger, ours=False, stale=False)
    assert isinstance(claimed, Lease)
    assert claimed.epoch == expected


def test_a_claim_of_our_own_lease_is_a_heartbeat() -> None:
    current = a_lease(epoch=5)
    claimed = rules.claim(current, a_request(FRESH), 0, ours=True, stale=False)
    assert isinstance(claimed, Lease)
    assert (claimed.epoch, claimed.nonce, claimed.ttl_seconds) == (5, FRESH, current.ttl_seconds)


@pytest.mark.parametrize("stale", [False, True])
def test_a_claim_of_anothers_lease_is_refused_and_names_the_holder(stale: bool) -> None:  # noqa: FBT001
    refused = rules.claim(
        a_lease(epoch=7, session="SES-BBBB"), a_request(FRESH), 0, ours=False, stale=stale, seen_for_seconds=42
    )
    assert isinstance(refused, LeaseHeld)
    assert (refused.code, refused.exit_status) == ("LEASE_HELD", 6)
    assert refused.details["holder"] == "SES-BBBB"
    assert (refused.details["epoch"], refused.details["seen_for_seconds"]) == (7, 42)
    assert all(word in refused.message for word in ("agent:claude", "SES-BBBB", "7"))
    assert ("takes it over" in refused.hint) is stale


def test_another_session_of_the_same_clone_is_another_holder() -> None:
    refused = rules.claim(a_lease(session="SES-BBBB"), a_request(FRESH), 0, ours=True, stale=False)
    assert isinstance(refused, LeaseHeld)


def test_a_value_of_the_same_session_that_is_not_ours_fences_the_session() -> None:
    for move in (
        rules.claim(a_lease(), a_request(FRESH), 0, ours=False, stale=False),
        rules.heartbeat(a_lease(), a_request(FRESH), ours=False),
        rules.release(a_lease(), a_request(FRESH), ours=False),
        rules.raise_epoch(a_lease(), a_request(FRESH), 3, ours=False),
    ):
        assert isinstance(move, SessionFenced)
        assert (move.code, move.exit_status) == ("SESSION_FENCED", 6)


def test_a_heartbeat_keeps_the_epoch_and_changes_the_nonce() -> None:
    beaten = rules.heartbeat(a_lease(epoch=4), a_request(FRESH, ttl_seconds=120), ours=True)
    assert isinstance(beaten, Lease)
    assert (beaten.epoch, beaten.nonce, beaten.ttl_seconds) == (4, FRESH, 120)


def test_a_heartbeat_on_anothers_lease_says_that_it_is_lost() -> None:
    lost = rules.heartbeat(a_lease(session="SES-BBBB"), a_request(FRESH), ours=False)
    assert isinstance(lost, LeaseLost)
    assert lost.exit_status == 6


@pytest.mark.parametrize("current", [None, a_lease(released=True)])
def test_a_heartbeat_on_a_free_ticket_says_that_nobody_holds_it(current: Lease | None) -> None:
    refused = rules.heartbeat(current, a_request(FRESH), ours=False)
    assert isinstance(refused, LeaseNotHeld)
    assert refused.exit_status == 6


def test_a_release_leaves_a_tombstone_with_the_same_epoch() -> None:
    released = rules.release(a_lease(epoch=6), a_request(FRESH), ours=True)
    assert isinstance(released, Lease)
    assert (released.epoch, released.state, released.nonce) == (6, "released", FRESH)


def test_a_second_release_changes_nothing() -> None:
    tombstone = a_lease(released=True)
    assert rules.release(tombstone, a_request(FRESH), ours=True) is tombstone
    assert isinstance(rules.release(tombstone, a_request(FRESH), ours=False), LeaseNotHeld)


def test_a_take_over_of_a_stale_lease_raises_the_epoch() -> None:
    taken = rules.take_over(a_lease(epoch=2, session="SES-BBBB"), a_request(FRESH), 0, ours=False, stale=True)
    assert isinstance(taken, Lease)
    assert (taken.epoch, taken.holder.session) == (3, "SES-AAAA")


def test_a_take_over_of_a_live_lease_is_refused() -> None:
    refused = rules.take_over(a_lease(session="SES-BBBB"), a_request(FRESH), 0, ours=False, stale=False)
    assert isinstance(refused, LeaseNotStale)
    assert (refused.code, refused.exit_status) == ("LEASE_NOT_STALE", 1)


def test_an_epoch_is_raised_above_the_ledger_only_when_it_is_not_already() -> None:
    raised = rules.raise_epoch(a_lease(epoch=2), a_request(FRESH), 5, ours=True)
    assert isinstance(raised, Lease)
    assert raised.epoch == 6
    high = a_lease(epoch=9)
    assert rules.raise_epoch(high, a_request(FRESH), 5, ours=True) is high


@pytest.mark.parametrize("ttl", [TTL_SECONDS_MIN - 1, TTL_SECONDS_MAX + 1, 0, -5])
def test_a_ttl_outside_of_the_format_is_refused_by_every_move_that_sets_one(ttl: int) -> None:
    request = a_request(FRESH, ttl_seconds=ttl)
    for move in (
        rules.claim(None, request, 0, ours=False, stale=False),
        rules.heartbeat(a_lease(), request, ours=True),
        rules.take_over(a_lease(session="SES-BBBB"), request, 0, ours=False, stale=True),
    ):
        assert isinstance(move, TtlOutOfRange)
        assert (move.code, move.exit_status) == ("TTL_OUT_OF_RANGE", 2)


@pytest.mark.parametrize("ttl", [TTL_SECONDS_MIN, TTL_SECONDS_MAX])
def test_the_shortest_and_the_longest_ttl_are_allowed(ttl: int) -> None:
    assert isinstance(rules.claim(None, a_request(FRESH, ttl_seconds=ttl), 0, ours=False, stale=False), Lease)


def test_a_quota_counts_what_the_actor_holds_and_not_what_it_released() -> None:
    leases = [a_lease(), a_lease(), a_lease(released=True)]
    assert rules.check_quota(leases, "agent:claude", 3) is None
    assert isinstance(rules.check_quota(leases, "agent:claude", 2), LeaseQuota)
    assert rules.check_quota(leases, "human:jane", 1) is None


@given(
    epoch=st.integers(1, 50),
    ledger=st.integers(0, 50),
    session=st.sampled_from(["SES-AAAA", "SES-BBBB"]),
    released=st.booleans(),
    ours=st.booleans(),
    stale=st.booleans(),
)
def test_the_epoch_never_falls_and_rises_with_every_change_of_holder(
    epoch: int,
    ledger: int,
    session: str,
    *,
    released: bool,
    ours: bool,
    stale: bool,
) -> None:
    current = a_lease(epoch=epoch, session=session, released=released)
    request = a_request(FRESH)
    for after in (
        rules.claim(current, request, ledger, ours=ours, stale=stale),
        rules.take_over(current, request, ledger, ours=ours, stale=stale),
        rules.heartbeat(current, request, ours=ours),
        rules.release(current, request, ours=ours),
        rules.raise_epoch(current, request, ledger, ours=ours),
    ):
        if isinstance(after, ExoError) or after is current:
            continue
        assert after.epoch >= epoch
        was_held_by = None if released else session
        if after.state == "held" and was_held_by != after.holder.session:
            assert after.epoch > max(epoch, ledger)


def test_each_move_is_named_by_what_changed() -> None:
    held, tombstone, other = a_lease(), a_lease(released=True), a_lease(session="SES-BBBB")
    assert rules.move_between(None, held) == "claim"
    assert rules.move_between(tombstone, held) == "claim"
    assert rules.move_between(held, held) == "heartbeat"
    assert rules.move_between(other, held) == "take-over"
    assert rules.move_between(held, tombstone) == "release"
