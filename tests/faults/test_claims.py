"""One ticket, three clones, one moment: exactly one wins, the others are told who, and the token rises for ever."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forked import Forks, Work, forks
from tests.support.process import Ran
from tests.support.wholeness import check_audit, check_whole, code_of, leases_held
from tests.support.working import Shop, a_shop

CLONES = 3
ROUNDS_SHORT = 8
ROUNDS_LONG = 100
TICKET = "TICKET-T1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Forks]:
    """Processes that have imported everything."""
    with forks(tmp_path / "forks") as running:
        yield running


def claims(shop: Shop, server: Forks, *args: str) -> list[Ran]:
    """Run one command in every clone at once, each as an actor of its own."""
    return server.together(
        [
            Work(clone, (*args, "--json"), {"EXO_ACTOR": f"agent:clone{number}"})
            for number, clone in enumerate(shop.clones)
        ]
    )


def contest(shop: Shop, server: Forks, number: int) -> int:
    """Let all claim, assert that one has won, let it give back; return the token that it had."""
    ran = claims(shop, server, "session-start", "--ticket-id", TICKET)
    assert sorted(each.exit for each in ran) == [0, 6, 6], [each.out + each.err for each in ran]
    winner = next(index for index, each in enumerate(ran) if each.exit == 0)
    session = ran[winner].data["session"]["id"]
    for loser in (each for index, each in enumerate(ran) if index != winner):
        assert code_of(loser.out) == "LEASE_HELD"
        assert loser.answer["error"]["details"]["holder"] == session
        assert f"agent:clone{winner}" in loser.answer["error"]["message"]
    held = leases_held(server, shop.clones[winner])
    assert held[TICKET]["holder"]["session"] == session
    give_back(shop, server, winner, number)
    return int(ran[winner].data["lease"]["epoch"])


def give_back(shop: Shop, server: Forks, winner: int, number: int) -> None:
    """End the winner's session; every other time its lease is given up by itself first."""
    clone, env = shop.clones[winner], {"EXO_ACTOR": f"agent:clone{winner}"}
    finish = ("session-finish", "--summary", f"round {number}", "--set-status", "todo")
    commands = [("lease-release",), finish] if number % 2 else [finish]
    for command in commands:
        ran = server.run(clone, *command, "--json", env=env)
        assert ran.exit == 0, (command, ran.out, ran.err)


def check_all(shop: Shop, server: Forks) -> None:
    """Assert that every clone is whole and has the same records."""
    for _ in range(2):
        for clone in shop.clones:
            ran = server.run(clone, "sync", "--json")
            assert ran.exit == 0, ran.out + ran.err
    for clone in shop.clones:
        check_whole(clone)
        check_audit(server, clone)
    assert len({shop.tip(number) for number in range(CLONES)}) == 1


def rounds(folder: Path, server: Forks, count: int) -> None:
    """Hold so many contests for one ticket."""
    shop = a_shop(folder, clones=CLONES, tickets=1)
    tokens = [contest(shop, server, number) for number in range(count)]
    print(f"{count} rounds of {CLONES} clones: one winner each, tokens {tokens[0]} to {tokens[-1]}")
    assert all(later > earlier for earlier, later in itertools.pairwise(tokens)), tokens
    check_all(shop, server)


def test_of_three_clones_that_claim_at_once_one_wins_and_the_token_rises(tmp_path: Path, server: Forks) -> None:
    rounds(tmp_path, server, ROUNDS_SHORT)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hundred_rounds_have_one_winner_each(tmp_path: Path, server: Forks) -> None:
    rounds(tmp_path, server, ROUNDS_LONG)


def test_three_clones_that_ask_for_the_next_ticket_at_once_get_three(tmp_path: Path, server: Forks) -> None:
    shop = a_shop(tmp_path, clones=CLONES, tickets=6)
    for _ in range(2):
        ran = claims(shop, server, "next")
        assert [each.exit for each in ran] == [0, 0, 0], [each.out + each.err for each in ran]
        chosen = [each.data["ticket_id"] for each in ran]
        assert len(set(chosen)) == CLONES, chosen
        held = leases_held(server, shop.clones[0])
        assert {ticket: item["holder"]["session"] for ticket, item in held.items()} == {
            each.data["ticket_id"]: each.data["session_id"] for each in ran
        }
        given = claims(shop, server, "lease-release")
        assert [each.exit for each in given] == [0, 0, 0], [each.out + each.err for each in given]
        assert leases_held(server, shop.clones[0]) == {}
    check_all(shop, server)
