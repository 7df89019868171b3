"""Next: the best free ticket, reserved once, whoever asks at the same moment."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View
from exo_sidecar.operations import exchange, reserving
from exo_sidecar.operations.claiming import Claimed
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.reserving import Wish
from tests.support.process import exo_command, parallel
from tests.support.repositories import git
from tests.support.working import a_lone_shop, a_shop


def test_the_best_ticket_is_reserved_in_one_commit_and_told_with_its_reasons(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    before = shop.commits()
    found = shop.ok(0, "next", "--owner", "agent:a")
    assert found["ticket_id"] == "TICKET-T1"
    assert found["ticket"]["status"] == "active"
    assert found["lease"]["epoch"] == 1
    assert found["reasoning"]["score"] == 300
    assert found["reasoning"]["candidates"] == 2
    assert shop.commits() == before + 1
    assert shop.status(0, "INTENT-1") == "active"
    assert git(shop.clones[0], "rev-parse", "origin/exo-governance") == shop.tip()


def test_a_repeated_call_returns_the_same_reservation_and_another_owner_another(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    first = shop.ok(0, "next")
    again = shop.ok(0, "next")
    assert (again["session_id"], again["reused"], first["reused"]) == (first["session_id"], True, False)
    assert shop.ok(0, "next", "--owner", "agent:b")["ticket_id"] == "TICKET-T2"


def test_a_repository_without_a_remote_is_its_own_authority(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    assert shop.ok(0, "next")["lease"]["epoch"] == 1
    assert shop.ok(0, "leases")["authority"] == "local"
    assert shop.fails(0, "next", "--owner", "agent:b")["code"] == "NO_TICKET"


def test_calls_at_once_in_several_clones_get_a_ticket_each(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=4)
    commands = [exo_command(shop.clones[n % 2], "next", "--owner", f"agent:a{n}", "--json") for n in range(4)]
    ran = parallel(commands)
    assert [each.exit for each in ran] == [0] * 4, [each.out for each in ran]
    assert {each.data["ticket_id"] for each in ran} == set(shop.tickets)
    assert {each.data["lease"]["epoch"] for each in ran} == {1}


def test_with_one_ticket_for_three_calls_one_gets_it_and_the_others_are_told_why(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=1)
    commands = [exo_command(shop.clones[n % 2], "next", "--owner", f"agent:a{n}", "--json") for n in range(3)]
    ran = parallel(commands)
    assert sorted(each.exit for each in ran) == [0, 4, 4], [each.out for each in ran]


def test_with_nothing_to_hand_out_every_reason_is_named(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "ticket-edit", "TICKET-T1", "--add-blocker", "TICKET-T2")
    shop.ok(0, "next")
    error = shop.fails(0, "next", "--owner", "agent:b")
    assert (error["code"], error["exit"]) == ("NO_TICKET", 4)
    held = " ".join(error["details"]["held_back"])
    assert "TICKET-T1: blocker TICKET-T2 is active" in held
    assert "TICKET-T2 is held by" in held


def test_a_ticket_that_is_named_is_reserved_or_refused(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    assert shop.ok(0, "next", "--ticket-id", "T2")["ticket_id"] == "TICKET-T2"
    error = shop.fails(1, "next", "--ticket-id", "TICKET-T2", "--owner", "agent:b")
    assert (error["code"], error["exit"]) == ("LEASE_HELD", 6)
    assert error["details"]["actor"] == "human:ann-tester"
    assert error["details"]["epoch"] == 1
    assert shop.fails(0, "next", "--ticket-id", "INTENT-1")["code"] == "TICKET_IS_CONTAINER"
    assert shop.fails(0, "next", "--ticket-id", "TICKET-001")["code"] == "TICKET_CLOSED"


def test_only_tickets_of_the_wanted_sort_are_handed_out(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "ticket-edit", "TICKET-T2", "--type", "bug", "--add-label", "ui")
    assert shop.fails(0, "next", "--type", "docs")["code"] == "NO_TICKET"
    assert shop.ok(0, "next", "--type", "bug", "--label", "ui")["ticket_id"] == "TICKET-T2"


def test_a_preview_writes_nothing_and_needs_no_network(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.lose_hub()
    before = shop.tip()
    found = shop.ok(0, "next", "--dry-run")
    assert (found["ticket_id"], found["session_id"], found["lease"]) == ("TICKET-T1", None, None)
    assert shop.tip() == before
    assert not git(shop.clones[0], "for-each-ref", "refs/exo/leases")


def test_without_the_authority_nothing_is_reserved(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.lose_hub()
    before = shop.tip()
    error = shop.fails(0, "next")
    assert (error["code"], error["exit"]) == ("REMOTE_UNREACHABLE", 8)
    assert shop.tip() == before
    assert shop.status(0, "TICKET-T1") == "todo"


@pytest.mark.parametrize("given", [("--ttl", "10s"), ("--ttl", "25h"), ("--hours", "25"), ("--hours", "0")])
def test_a_ttl_out_of_bounds_is_refused_before_anything_is_asked(tmp_path: Path, given: tuple[str, str]) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    error = shop.fails(0, "next", *given)
    assert (error["code"], error["exit"]) == ("TTL_OUT_OF_RANGE", 2)
    assert shop.ok(0, "leases")["count"] == 0


def test_an_actor_holds_no_more_leases_than_its_quota(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=3)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("per_actor: 8", "per_actor: 1"))
    shop.ok(0, "next", "--ticket-id", "T1")
    error = shop.fails(0, "next", "--ticket-id", "T2")
    assert (error["code"], error["exit"]) == ("LEASE_QUOTA", 1)
    assert shop.ok(0, "next", "--ticket-id", "T2", "--owner", "agent:b")["ticket_id"] == "TICKET-T2"


@pytest.mark.parametrize("rounds", [2, 3])
def test_when_all_that_was_listed_was_taken_meanwhile_it_lists_again_up_to_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    really, calls = reserving.claim, []

    def late(ctx: Context, desk: LeaseDesk | None, view: View, wish: Wish, tickets: Sequence[TicketId]) -> Claimed:
        calls.append(tickets)
        if len(calls) > rounds:
            return really(ctx, desk, view, wish, tickets)
        monkeypatch.setattr(reserving, "claim", really)
        taken = tickets[0]
        shop.ok(1, "next", "--ticket-id", taken)
        monkeypatch.setattr(reserving, "claim", late)
        return really(ctx, desk, view, wish, [taken])

    monkeypatch.setattr(reserving, "claim", late)
    if rounds == 2:
        assert shop.ok(0, "next")["ticket_id"] == "TICKET-T3"
    else:
        assert shop.fails(0, "next")["code"] == "NO_TICKET"
    assert len(calls) == 3


def test_a_ticket_that_turns_out_closed_is_given_back_and_the_next_one_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "ticket-move", "TICKET-T1", "cancelled", "--reason", "no longer wanted")
    shop.ok(0, "sync")
    really, calls = exchange.pull, []

    def late(ctx: Context) -> Exchanged:
        calls.append(ctx)
        return exchange.skipped("the test") if len(calls) == 1 else really(ctx)

    monkeypatch.setattr(exchange, "pull", late)
    assert shop.ok(1, "next")["ticket_id"] == "TICKET-T2"
    states = {item["ticket"]: (item["state"], item["epoch"]) for item in shop.ok(1, "leases")["items"]}
    assert states == {"TICKET-T1": ("released", 1), "TICKET-T2": ("held", 1)}


def test_what_was_handed_to_somebody_is_kept_for_them(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    shop.ok(0, "session-handoff", "--to", "agent:b", "--summary", "the rest", "--actor", "agent:a")
    error = shop.fails(0, "next", "--ticket-id", "T1", "--owner", "agent:c")
    assert (error["code"], error["details"]["to"]) == ("HANDOFF_RESERVED", "agent:b")
    assert shop.fails(0, "next", "--ticket-id", "T1", "--owner", "agent:c", "--dry-run")["code"] == "HANDOFF_RESERVED"
    shop.ok(0, "ticket-move", "T1", "todo", "--actor", "human:ann")
    found = shop.ok(0, "next", "--owner", "agent:c")
    assert found["ticket_id"] == "TICKET-T2"
    assert [each["reasons"][0]["code"] for each in found["reasoning"]["held_back"]] == ["handoff"]
    assert shop.ok(0, "next", "--owner", "agent:b")["ticket_id"] == "TICKET-T1"
