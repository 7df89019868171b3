"""Whole stories over servers as they run in the world: nginx with a password, ssh with a key."""

from pathlib import Path

import pytest

from tests.support.process import exo
from tests.support.repositories import a_hub, git
from tests.support.servers import kinds
from tests.support.working import Shop


@pytest.mark.parametrize("kind", ["nginx", "sshd"])
def test_two_clones_govern_claim_work_and_finish_over_a_server(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    hub = a_hub(tmp_path)
    with kinds.a_server(kind, tmp_path) as server:
        shop = Shop((server.clone(tmp_path / "one"), server.clone(tmp_path / "two")), hub, ("TICKET-T1",))
        shop.ok(0, "init")
        shop.ok(0, "ticket-move", "TICKET-001", "cancelled", "--reason", "not part of the story")
        shop.ok(0, "intent-create", "Intent", "--brain-dump", "why", "--id", "INTENT-1")
        shop.ok(0, "ticket-create", "Title", "--parent", "INTENT-1", "--id", "TICKET-T1")
        shop.ok(0, "sync")
        ran = exo(shop.clones[1], "init", "--json")
        assert ran.exit == 0, ran.out + ran.err
        assert shop.status(1, "T1") == "todo"

        reserved = shop.ok(0, "next")
        assert (reserved["lease"]["epoch"], reserved["ticket"]["id"]) == (1, "TICKET-T1")
        assert shop.fails(1, "next", "--ticket-id", "T1")["code"] == "LEASE_HELD"
        assert shop.ok(0, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 1
        assert shop.fails(1, "session-start", "--ticket-id", "T1")["code"] == "LEASE_HELD"

        found = shop.ok(0, "session-finish", "--summary", "half", "--set-status", "todo")
        assert (found["released_lease"], found["sync"]["state"]) == (True, "done")
        tips = {git(each, "rev-parse", "refs/heads/exo-governance") for each in (shop.clones[0], hub)}
        assert len(tips) == 1

        assert shop.ok(1, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2
        assert shop.ok(1, "session-finish", "--summary", "whole")["ticket_status"] == "review"
        shop.ok(0, "sync")
        assert shop.status(0, "T1") == "review"
    git(hub, "fsck", "--strict")


@pytest.mark.parametrize("kind", ["nginx", "sshd"])
def test_a_server_that_went_away_stops_claims_and_not_the_rest(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    hub = a_hub(tmp_path)
    with kinds.a_server(kind, tmp_path) as server:
        shop = Shop((server.clone(tmp_path / "one"),), hub, ())
        shop.ok(0, "init")
    error = shop.fails(0, "next")
    assert (error["code"], error["exit"]) == ("REMOTE_UNREACHABLE", 8)
    assert shop.ok(0, "status")["lease"] is None
