"""Heartbeat, release and the listing of leases."""

from pathlib import Path

import pytest

from exo_sidecar.leases import backoff
from exo_sidecar.leases.seen import BranchBehind, BranchUpdate
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms
from tests.operations.test_session_start import advance
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

LEASE = "refs/exo/leases/TICKET-T1"


def test_a_heartbeat_is_pushed_when_it_is_due_or_asked_for_and_never_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "1h")
    before = (git(shop.clones[0], "ls-remote", "origin", LEASE), shop.tip())
    assert not shop.ok(0, "lease-heartbeat")["pushed"]
    assert (git(shop.clones[0], "ls-remote", "origin", LEASE), shop.tip()) == before
    advance(monkeypatch, 2500)
    found = shop.ok(0, "lease-heartbeat")
    assert (found["pushed"], found["lease"]["epoch"], found["lease"]["deadline_in"]) == (True, 1, 3600)
    assert not shop.ok(0, "lease-heartbeat")["pushed"]
    assert shop.ok(0, "lease-heartbeat", "--force-push")["pushed"]
    assert shop.tip() == before[1]
    assert git(shop.clones[0], "ls-remote", "origin", LEASE) != before[0]


def test_a_heartbeat_without_a_session_is_refused(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    error = shop.fails(0, "lease-heartbeat")
    assert (error["code"], error["exit"]) == ("LEASE_NOT_HELD", 6)


def test_a_reservation_that_is_given_back_frees_ticket_and_lease(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "next", "--ticket-id", "T1")
    before = shop.commits()
    found = shop.ok(0, "lease-release")
    assert (found["ticket_id"], found["released"], found["epoch"]) == ("TICKET-T1", True, 1)
    assert shop.commits() == before + 1
    assert shop.status(0, "T1") == "todo"
    assert shop.ok(1, "next", "--ticket-id", "T1")["lease"]["epoch"] == 2


def test_a_session_may_go_on_without_its_lease_until_somebody_takes_the_ticket(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    assert shop.ok(0, "lease-release")["released"]
    assert shop.status(0, "T1") == "active"
    assert shop.ok(0, "status")["lease"] is None
    assert shop.fails(0, "lease-heartbeat")["code"] == "LEASE_NOT_HELD"
    assert shop.ok(1, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2
    assert shop.fails(0, "session-finish", "--summary", "s")["code"] == "SESSION_FENCED"


def test_a_release_that_the_branch_keeps_outrunning_waits_between_its_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    really = LeaseDesk._release
    tries: list[TicketId] = []
    pauses: list[int] = []

    def outrun(desk: LeaseDesk, ticket: TicketId, terms: Terms, branch: BranchUpdate | None) -> bool:
        tries.append(ticket)
        if len(tries) < 4:
            message = "the branch moved"
            raise BranchBehind(message)
        return really(desk, ticket, terms, branch)

    monkeypatch.setattr(LeaseDesk, "_release", outrun)
    monkeypatch.setattr(backoff, "pause", pauses.append)
    assert shop.ok(0, "lease-release")["released"]
    assert (len(tries), pauses) == (4, [0, 1, 2])


def test_a_second_release_finds_nothing_and_may_ignore_that(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    shop.ok(0, "lease-release")
    before = shop.tip()
    error = shop.fails(0, "lease-release")
    assert (error["code"], error["exit"]) == ("LEASE_NOT_HELD", 6)
    assert not shop.ok(0, "lease-release", "--ignore-missing")["released"]
    assert shop.tip() == before


def test_nobody_releases_what_another_clone_holds(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    shop.ok(1, "sync")
    assert shop.fails(1, "lease-release", "--ticket-id", "T1")["code"] == "LEASE_NOT_HELD"
    assert [item["state"] for item in shop.ok(1, "leases")["items"]] == ["held"]


def test_leases_are_listed_by_ticket_holder_and_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "next", "--owner", "agent:a", "--ttl", "1h")
    shop.ok(0, "next", "--owner", "agent:b")
    found = shop.ok(0, "leases")
    assert [(item["ticket"], item["holder"]["actor"]) for item in found["items"]] == [
        ("TICKET-T1", "agent:a"),
        ("TICKET-T2", "agent:b"),
    ]
    assert 3600 < found["items"][0]["takeover_in"] <= 3600 * 1.01 + 30
    assert [item["ticket"] for item in shop.ok(0, "leases", "--holder", "agent:b")["items"]] == ["TICKET-T2"]
    assert [item["ticket"] for item in shop.ok(0, "leases", "--ticket-id", "T1")["items"]] == ["TICKET-T1"]
    assert shop.ok(0, "leases", "--stale")["count"] == 0
    advance(monkeypatch, 3600 * 1.01 + 60)
    assert [item["ticket"] for item in shop.ok(0, "leases", "--stale")["items"]] == ["TICKET-T1"]


def test_listing_leases_changes_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "next")
    before = (shop.tip(1), git(shop.clones[1], "for-each-ref"))
    shop.ok(1, "leases")
    assert (shop.tip(1), git(shop.clones[1], "for-each-ref")) == before


def test_leases_come_in_pages(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "next", "--owner", "agent:a")
    shop.ok(0, "next", "--owner", "agent:b")
    first = shop.ok(0, "leases", "--limit", "1")
    assert (first["count"], first["next_cursor"]) == (1, "TICKET-T1")
    second = shop.ok(0, "leases", "--limit", "1", "--cursor", "TICKET-T1")
    assert ([item["ticket"] for item in second["items"]], second["next_cursor"]) == (["TICKET-T2"], None)
    assert shop.fails(0, "leases", "--cursor", "no id")["code"] == "CURSOR_UNKNOWN"
    assert shop.fails(0, "leases", "--limit", "0")["code"] == "VALUE_INVALID"


def test_one_actor_holds_its_share_and_no_more_however_it_claims(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text("leases: {per_actor: 1}\n")
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    side = shop.clones[0].with_name("side")
    git(shop.clones[0], "worktree", "add", "-q", "-b", "side", str(side))
    beside = Shop((side,), shop.hub, shop.tickets)
    error = beside.fails(0, "session-start", "--ticket-id", "T2", "--actor", "agent:a")
    assert (error["code"], error["exit"]) == ("LEASE_QUOTA", 1)
    assert beside.fails(0, "next", "--owner", "agent:a")["code"] == "LEASE_QUOTA"
    assert beside.ok(0, "session-start", "--ticket-id", "T2", "--actor", "agent:b")["lease"]["epoch"] == 1
