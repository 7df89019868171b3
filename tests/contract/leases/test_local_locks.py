"""Git's lock on a local lease ref: one that a killed process of ours left is cleared, anybody else's is respected."""

import os
from pathlib import Path

import pytest

from exo_sidecar.leases import local
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.refs import LeaseContended
from exo_sidecar.model.ids import TicketId
from tests.support.leasing import TICKET, a_site


def _lock(common: Path) -> Path:
    lock = common / "refs" / "exo" / "leases" / f"{TICKET}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    return lock


def _killed_in_between(common: Path) -> None:
    """Leave what a process of ours leaves that is killed while it holds the lock."""
    proof = common / "exo" / "turns" / f"refs%2Fexo%2Fleases%2F{TICKET}.tmp"
    proof.parent.mkdir(parents=True)
    proof.write_text("what it was about to write\n")
    os.link(proof, _lock(common))


def test_the_lock_of_a_process_of_ours_that_was_killed_is_cleared(tmp_path: Path) -> None:
    with a_site("local", tmp_path) as site:
        party = site.party("SES-AAAA")
        _killed_in_between(site.hub)
        assert party.leases.swap(TICKET, party.claiming()).outcome == "won"
        assert not _lock(site.hub).exists()


def test_the_lease_of_another_ticket_in_between_does_not_make_it_stay(tmp_path: Path) -> None:
    other = TicketId("TICKET-0002")
    with a_site("local", tmp_path) as site:
        party = site.party("SES-AAAA")
        _killed_in_between(site.hub)
        assert party.leases.swap(other, party.claiming(other)).outcome == "won"
        assert party.leases.swap(TICKET, party.claiming()).outcome == "won"
        assert not _lock(site.hub).exists()


def test_a_lock_of_somebody_else_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ATTEMPTS_MAX", 3)
    with a_site("local", tmp_path) as site:
        party = site.party("SES-AAAA")
        _lock(site.hub).touch()
        with pytest.raises(LeaseContended):
            party.leases.swap(TICKET, party.claiming())
        assert _lock(site.hub).exists()
        assert Intents(party.repository.place.common).pending() == ()
