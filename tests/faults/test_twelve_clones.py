"""Twelve clones ask for the next ticket at one moment: each gets one, no two the same, and all agree afterwards."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.forked import Forks, forks
from tests.support.process import Ran, exo_command, parallel
from tests.support.repositories import git
from tests.support.wholeness import check_audit, check_whole, leases_held, ledger
from tests.support.working import Shop, a_shop

CLONES: Final = 12
TICKETS: Final = 16
ROUNDS_LONG: Final = 10
TOGETHER_SECONDS: Final = 100.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Forks]:
    """Processes that have imported everything."""
    with forks(tmp_path / "forks") as running:
        yield running


def ask_at_once(shop: Shop) -> list[Ran]:
    """Run `exo next` in every clone behind one barrier, each as an actor of its own."""
    return parallel(
        [
            exo_command(clone, "next", "--json", env={"EXO_ACTOR": f"agent:clone{number}"})
            for number, clone in enumerate(shop.clones)
        ],
        timeout_seconds=TOGETHER_SECONDS,
    )


def race(shop: Shop, server: Forks) -> float:
    """Let all ask at once; assert that each got a ticket of its own and the hub agrees; return how long it took."""
    started = time.monotonic()
    ran = ask_at_once(shop)
    took = time.monotonic() - started
    assert [each.exit for each in ran] == [0] * CLONES, [each.out + each.err for each in ran if each.exit]
    sessions = {each.data["ticket_id"]: each.data["session_id"] for each in ran}
    assert len(sessions) == CLONES, sorted(each.data["ticket_id"] for each in ran)
    for clone in (shop.clones[0], shop.clones[-1]):
        held = leases_held(server, clone)
        assert {ticket: item["holder"]["session"] for ticket, item in held.items()} == sessions
    return took


def check_agreement(shop: Shop, server: Forks) -> None:
    """Sync everybody; assert that all have one ledger and one tip, every claim in it, and are whole."""
    for _ in range(2):
        for clone in shop.clones:
            ran = server.run(clone, "sync", "--json")
            assert ran.exit == 0, ran.out + ran.err
    ledgers = [ledger(clone) for clone in shop.clones]
    assert all(each == ledgers[0] for each in ledgers)
    assert len({shop.tip(number) for number in range(CLONES)}) == 1
    assert shop.hub is not None
    assert git(shop.hub, "rev-parse", "exo-governance") == shop.tip()
    held = leases_held(server, shop.clones[0])
    for ticket, item in held.items():
        lease = server.run(shop.clones[-1], "ticket-show", ticket, "--json").data["lease"]
        assert (lease["session"], lease["epoch"]) == (item["holder"]["session"], item["epoch"])
    for clone in (shop.clones[0], shop.clones[-1]):
        check_whole(clone)
        check_audit(server, clone)


def give_back(shop: Shop, server: Forks) -> None:
    """Give up every reservation, one clone after the other."""
    for number, clone in enumerate(shop.clones):
        ran = server.run(clone, "lease-release", "--json", env={"EXO_ACTOR": f"agent:clone{number}"})
        assert ran.exit == 0, ran.out + ran.err
    assert leases_held(server, shop.clones[0]) == {}


def test_twelve_clones_that_ask_at_once_get_twelve_tickets(tmp_path: Path, server: Forks) -> None:
    shop = a_shop(tmp_path, clones=CLONES, tickets=TICKETS)
    race(shop, server)
    check_agreement(shop, server)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twelve_clones_ask_at_once_again_and_again(tmp_path: Path, server: Forks) -> None:
    shop = a_shop(tmp_path, clones=CLONES, tickets=TICKETS)
    took = []
    for _ in range(ROUNDS_LONG):
        took.append(race(shop, server))
        check_agreement(shop, server)
        give_back(shop, server)
    print(
        f"{ROUNDS_LONG} rounds of {CLONES} clones: {min(took):.1f} to {max(took):.1f} s until the last had its ticket"
    )
