"""Lanes and limits: no more is worked on than may be, in all clones together, however claims meet."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exo_sidecar.leases import backoff
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View
from exo_sidecar.operations import recount, room
from tests.support.process import exo_command, parallel
from tests.support.working import Shop, a_lone_shop, a_shop

LANES = "[{name: feature, allowed_types: [feature], count: 1}, {name: rest, allowed_types: [bug, '*'], count: 2}]"


def settings(shop: Shop, scheduler: str) -> None:
    """Write `scheduler` into the settings, and have every clone know and accept it."""
    config = shop.clones[0] / ".exo" / "config.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("scheduler:")]
    config.write_text("\n".join([*lines, f"scheduler: {scheduler}", ""]))
    shop.ok(0, "ticket-edit", shop.tickets[0], "--note", "the settings are taken in")
    for number in range(len(shop.clones)):
        if shop.hub is not None:
            shop.ok(number, "sync")
        shop.exo(number, "trust", "--actor", "human:ann")


def lanes(shop: Shop, count: int = 1) -> None:
    settings(shop, "{enabled: true, lanes: " + LANES.replace("count: 1", f"count: {count}") + "}")


def test_a_full_lane_hands_out_nothing_and_another_lane_goes_on(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=3)
    shop.ok(0, "ticket-edit", "T3", "--type", "bug", "--priority", "5")
    lanes(shop)
    first = shop.ok(0, "next", "--owner", "agent:a")
    assert (first["ticket_id"], first["reasoning"]["lane"]) == ("TICKET-T1", "feature")
    second = shop.ok(0, "next", "--owner", "agent:b")
    assert (second["ticket_id"], second["reasoning"]["lane"]) == ("TICKET-T3", "rest")
    held = second["reasoning"]["held_back"]
    assert {each["ticket"]: each["reasons"][0]["code"] for each in held}["TICKET-T2"] == "lane_full"
    error = shop.fails(0, "next", "--owner", "agent:c")
    assert (error["code"], error["exit"]) == ("LANE_FULL", 1)
    assert error["details"]["held_back"] == ["TICKET-T2: lane feature is full: 1 worked on, 1 at once"]
    assert shop.fails(0, "next", "--owner", "agent:c", "--dry-run")["code"] == "LANE_FULL"
    assert shop.fails(0, "next", "--owner", "agent:c", "--ticket-id", "T2")["code"] == "LANE_FULL"
    shop.ok(0, "lease-release", "--ticket-id", "TICKET-T1", "--session", first["session_id"])
    assert shop.ok(0, "next", "--owner", "agent:c", "--ticket-id", "T2")["ticket_id"] == "TICKET-T2"


def test_lanes_hold_only_when_they_are_switched_on(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    settings(shop, "{enabled: false, global_concurrency_limit: 0, lanes: " + LANES + "}")
    first = shop.ok(0, "next", "--owner", "agent:a")
    assert first["reasoning"]["lane"] is None
    assert shop.ok(0, "next", "--owner", "agent:b")["ticket_id"] == "TICKET-T2"


def test_the_limit_of_all_counts_every_lease(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=3)
    shop.ok(0, "ticket-edit", "T3", "--type", "unheard-of")
    settings(shop, "{enabled: true, global_concurrency_limit: 2, lanes: []}")
    shop.ok(0, "next", "--owner", "agent:a")
    assert shop.ok(0, "next", "--owner", "agent:b", "--dry-run")["ticket_id"] == "TICKET-T2"
    shop.ok(0, "session-start", "--ticket-id", "TICKET-T3", "--actor", "agent:x")
    error = shop.fails(0, "next", "--owner", "agent:b")
    assert (error["code"], error["exit"]) == ("CONCURRENCY_LIMIT", 1)


def test_one_lane_may_be_asked_for(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    shop.ok(0, "ticket-edit", "T2", "--type", "bug")
    assert shop.ok(0, "next", "--lane", "bug", "--dry-run")["ticket_id"] == "TICKET-T2"
    assert shop.fails(0, "next", "--lane", "chore", "--dry-run")["code"] == "NO_TICKET"
    error = shop.fails(0, "next", "--lane", "lane", "--dry-run")
    assert (error["code"], error["hint"]) == ("VALUE_INVALID", "lanes: feature, bug, chore")


def test_a_machine_runs_one_heavy_ticket_unless_another_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=3)
    for ticket in ("T1", "T2"):
        shop.ok(0, "ticket-edit", ticket, "--resource-profile", "heavy")
    assert shop.ok(0, "next", "--owner", "agent:a")["ticket_id"] == "TICKET-T1"
    found = shop.ok(0, "next", "--owner", "agent:b")
    assert found["ticket_id"] == "TICKET-T3"
    assert [each["reasons"][0]["code"] for each in found["reasoning"]["held_back"]] == ["heavy"]
    assert "runs a heavy one already" in shop.fails(0, "next", "--owner", "agent:c")["message"]
    assert shop.ok(0, "next", "--owner", "agent:c", "--ticket-id", "T2")["ticket_id"] == "TICKET-T2"


def test_however_many_wait_for_a_full_lane_another_lane_is_found_behind_them(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    shop.ok(0, "plan", "".join(f"* Number {number} (p1)\n" for number in range(50)), "--parent", "INTENT-1")
    shop.ok(0, "plan", "".join(f"* Also {number} (p2)\n" for number in range(50)), "--parent", "INTENT-1")
    shop.ok(0, "ticket-edit", "T1", "--type", "bug", "--priority", "5")
    lanes(shop, count=0)
    found = shop.ok(0, "next", "--owner", "agent:a")
    assert (found["ticket_id"], found["reasoning"]["candidates"]) == ("TICKET-T1", 1)
    assert len(found["reasoning"]["held_back"]) == 20
    error = shop.fails(0, "next", "--owner", "agent:b")
    assert (error["code"], len(error["details"]["held_back"])) == ("LANE_FULL", 20)


def held(shop: Shop) -> set[str]:
    return {each["ticket"] for each in shop.ok(0, "leases")["items"] if each["state"] == "held"}


def test_six_clones_at_once_never_hold_more_than_the_lane_takes(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=6, tickets=6)
    lanes(shop, count=2)
    ran = parallel([exo_command(shop.clones[n], "next", "--owner", f"agent:a{n}", "--json") for n in range(6)])
    won = {n: each.data for n, each in enumerate(ran) if each.exit == 0}
    refused = {each.answer["error"]["code"] for each in ran if each.exit != 0}
    assert 1 <= len(won) <= 2, [each.out for each in ran]
    assert held(shop) == {each["ticket_id"] for each in won.values()}
    assert refused <= {"LANE_FULL", "NO_TICKET"}
    for n, each in won.items():
        shop.ok(n, "lease-release", "--ticket-id", each["ticket_id"], "--session", each["session_id"])
    shop.ok(0, "sync")
    assert [shop.status(0, ticket) for ticket in shop.tickets] == ["todo"] * 6


def meeting(monkeypatch: pytest.MonkeyPatch, between: Callable[[], None]) -> None:
    """Let a claim that looked before this one won happen between this one's win and its count."""
    really, looked = recount.confirm, room.refusal

    def late(view: Callable[[], View], survey: Callable[[], object], ticket: TicketId) -> None:
        monkeypatch.setattr(recount, "confirm", lambda *_: None)
        monkeypatch.setattr(room, "refusal", lambda *_: None)
        between()
        monkeypatch.setattr(room, "refusal", looked)
        monkeypatch.setattr(recount, "confirm", really)
        really(view, survey, ticket)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(recount, "confirm", late)


def test_of_two_claims_that_meet_the_one_that_comes_last_in_the_order_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=2)
    lanes(shop)
    shop.ok(0, "ticket-edit", "T1", "--priority", "5")
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    monkeypatch.setattr(backoff, "pause", lambda _: None)
    meeting(monkeypatch, lambda: shop.ok(1, "next", "--owner", "agent:b", "--ticket-id", "T2"))
    error = shop.fails(0, "next", "--owner", "agent:a", "--ticket-id", "T1")
    assert error["code"] == "LANE_FULL"
    assert held(shop) == {"TICKET-T2"}
    assert shop.status(0, "TICKET-T1") == "todo"


def test_a_claim_that_was_not_last_waits_for_the_other_and_gives_way_when_that_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=2)
    lanes(shop)
    waited: list[int] = []
    monkeypatch.setattr(backoff, "pause", waited.append)
    meeting(monkeypatch, lambda: shop.ok(1, "next", "--owner", "agent:b", "--ticket-id", "T2"))
    error = shop.fails(0, "next", "--owner", "agent:a", "--ticket-id", "T1")
    assert (error["code"], len(waited)) == ("LANE_FULL", recount.RECOUNTS_MAX)
    assert held(shop) == {"TICKET-T2"}
