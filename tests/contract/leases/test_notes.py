"""What a clone writes down about leases: nonces, observations, intents; each survives what may happen to its files."""

from pathlib import Path

import pytest

from exo_sidecar.git.oid import Oid
from exo_sidecar.leases import nonces as nonces_module
from exo_sidecar.leases.intents import Intent, IntentDamaged, Intents
from exo_sidecar.leases.nonces import Nonces
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.rules import stale_after_seconds
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import Nonce, SessionId, TicketId
from tests.support.leasing import TICKET, a_lease

VALUE, NEXT = Oid("1" * 40), Oid("2" * 40)
TTL = 600


def _at(seconds: float, boot_id: str = "boot-1") -> BootClock:
    return BootClock(boot_id, seconds)


def test_only_a_nonce_that_was_written_down_is_ours(tmp_path: Path) -> None:
    nonces = Nonces(tmp_path)
    nonces.remember(a_lease(nonce="a" * 32))
    nonces.remember(a_lease(nonce="b" * 32))
    assert nonces.is_ours(a_lease(nonce="a" * 32))
    assert nonces.is_ours(a_lease(nonce="b" * 32))
    assert not nonces.is_ours(a_lease(nonce="c" * 32))
    assert not nonces.is_ours(None)
    assert nonces.of(TICKET) == {"a" * 32, "b" * 32}


def test_a_copied_folder_forgets_its_nonces(tmp_path: Path) -> None:
    nonces = Nonces(tmp_path)
    nonces.forget_all()
    nonces.remember(a_lease())
    nonces.forget_all()
    assert not nonces.is_ours(a_lease())


def test_a_full_file_of_nonces_is_set_aside_and_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces_module, "FILE_BYTES_MAX", 100)
    nonces = Nonces(tmp_path)
    for number in range(6):
        nonces.remember(a_lease(nonce=f"{number:032x}"))
    assert nonces.is_ours(a_lease(nonce=f"{5:032x}"))
    assert nonces.is_ours(a_lease(nonce=f"{4:032x}"))


def test_a_value_is_stale_only_after_its_ttl_and_the_margin_on_the_same_boot(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    wait = stale_after_seconds(TTL)
    assert wait == TTL * 1.01 + 30
    assert not observations.is_stale(TICKET, VALUE, TTL, _at(10_000))
    observations.record({TICKET: VALUE}, _at(100))
    observations.record({TICKET: VALUE}, _at(200))
    assert observations.seen_for(TICKET, VALUE, _at(300)) == 200
    assert not observations.is_stale(TICKET, VALUE, TTL, _at(100 + wait))
    assert observations.is_stale(TICKET, VALUE, TTL, _at(100 + wait + 1))
    assert not observations.is_stale(TICKET, NEXT, TTL, _at(100 + wait + 1))
    assert not observations.is_stale(TICKET, VALUE, TTL, _at(100 + wait + 1, "boot-2"))


def test_a_new_value_starts_its_own_watch(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    observations.record({TICKET: VALUE}, _at(100))
    observations.record({TICKET: NEXT}, _at(5000))
    assert observations.seen_for(TICKET, NEXT, _at(5001)) == 1
    assert observations.seen_for(TICKET, VALUE, _at(5001)) == 0


def test_a_reboot_starts_every_watch_anew(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    observations.record({TICKET: VALUE}, _at(100))
    observations.record({TICKET: VALUE}, _at(5, "boot-2"))
    assert observations.seen_for(TICKET, VALUE, _at(6, "boot-2")) == 1


def test_a_complete_listing_forgets_what_is_gone_and_a_partial_one_does_not(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    other = TicketId("TICKET-0002")
    observations.record({TICKET: VALUE, other: VALUE}, _at(100))
    observations.record({other: VALUE}, _at(150))
    assert observations.seen_for(TICKET, VALUE, _at(200)) == 100
    observations.record({other: VALUE}, _at(200), complete=True)
    assert observations.seen_for(TICKET, VALUE, _at(300)) == 0
    assert observations.seen_for(other, VALUE, _at(300)) == 200


def test_the_last_value_whose_object_was_here_is_kept_over_values_that_never_came_and_over_a_reboot(
    tmp_path: Path,
) -> None:
    observations, third = Observations(tmp_path), Oid("3" * 40)
    observations.record({TICKET: VALUE}, _at(100), is_here={VALUE}.__contains__)
    observations.record({TICKET: NEXT}, _at(200), is_here={VALUE}.__contains__)
    observations.record({TICKET: third}, _at(5, "boot-2"), is_here={VALUE}.__contains__)
    assert observations.held([TICKET, TicketId("TICKET-0009")]) == [third, VALUE]
    assert observations.seen_for(TICKET, third, _at(6, "boot-2")) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"boot_id":"boot-1","tickets":{"TICKET-0001":7}}'])
def test_a_damaged_file_of_observations_only_makes_the_wait_longer(tmp_path: Path, damage: bytes) -> None:
    observations = Observations(tmp_path)
    observations.record({TICKET: VALUE}, _at(100))
    (tmp_path / "exo" / "leases" / "observed.json").write_bytes(damage)
    assert observations.seen_for(TICKET, VALUE, _at(9000)) == 0
    observations.record({TICKET: VALUE}, _at(9000))
    assert observations.seen_for(TICKET, VALUE, _at(9001)) == 1


def _intent(nonce: str) -> Intent:
    return Intent(
        operation="session-start",
        session=SessionId("SES-AAAA"),
        ticket=TICKET,
        nonce=Nonce(nonce),
        commit=VALUE,
        kind="claim",
    )


def test_an_intent_is_pending_until_it_is_ended(tmp_path: Path) -> None:
    intents = Intents(tmp_path)
    assert intents.pending() == ()
    intents.begin(_intent("a" * 32))
    intents.begin(_intent("b" * 32))
    assert [intent.nonce for intent in intents.pending()] == ["a" * 32, "b" * 32]
    intents.end(Nonce("a" * 32))
    intents.end(Nonce("a" * 32))
    assert intents.pending() == (_intent("b" * 32),)
    intents.forget_all()
    assert intents.pending() == ()


def test_a_damaged_intent_is_named_and_not_passed_over(tmp_path: Path) -> None:
    intents = Intents(tmp_path)
    intents.begin(_intent("a" * 32))
    (tmp_path / "exo" / "intents" / "x.json").write_text("{")
    with pytest.raises(IntentDamaged, match=r"x\.json"):
        intents.pending()
