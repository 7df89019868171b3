"""Taking over: from a silent holder, by force, over damage; and what the old holder is told."""

import json
from pathlib import Path

import pytest

from exo_sidecar.leases import attempt
from exo_sidecar.leases.attempt import Plan
from exo_sidecar.model import duration
from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations import claiming
from exo_sidecar.operations.lease_desk import LeaseDesk
from tests.operations.test_killed_calls import dies
from tests.operations.test_session_start import advance
from tests.support.process import exo_command, parallel
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

LEASE = "refs/exo/leases/TICKET-T1"
FORCE = ("lease-takeover", "--ticket-id", "T1", "--force", "--reason", "the laptop is lost", "--yes")
FORCED = (*FORCE, "--actor", "human:jane")
SILENT = 3600 * 1.01 + 31


def events(shop: Shop, number: int, kind: str) -> list[dict[str, object]]:
    """Return the data of one type's events, of every writer."""
    folder = shop.clones[number] / ".exo" / "ledger"
    lines = [json.loads(line) for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text().splitlines()]
    return [line["data"] for line in lines if line["type"] == kind]


def at_work(tmp_path: Path, clones: int = 2) -> Shop:
    """Return clones of which the first works on T1 for an hour, and all know it."""
    shop = a_shop(tmp_path, clones=clones)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "1h", "--actor", "agent:a")
    for number in range(1, clones):
        shop.ok(number, "leases")
        shop.ok(number, "sync")
    return shop


def test_a_holder_that_may_be_alive_is_not_taken_over_and_the_time_left_is_named(tmp_path: Path) -> None:
    shop = at_work(tmp_path)
    error = shop.fails(1, "lease-takeover", "--ticket-id", "T1", "--yes")
    assert (error["code"], error["exit"]) == ("LEASE_NOT_STALE", 1)
    assert 3600 < error["details"]["seconds_left"] <= 3667
    assert f"{duration.show(error['details']['seconds_left'])} are left" in error["message"]
    assert git(shop.clones[1], "for-each-ref", "refs/exo/leases") == ""


def test_a_takeover_asks_first(tmp_path: Path) -> None:
    shop = at_work(tmp_path)
    assert shop.fails(1, "lease-takeover", "--ticket-id", "T1")["code"] == "USAGE"


def test_a_silent_holder_is_taken_over_with_a_higher_epoch_and_told_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at_work(tmp_path)
    advance(monkeypatch, SILENT)
    found = shop.ok(1, "lease-takeover", "--ticket-id", "T1", "--yes")
    assert (found["lease"]["epoch"], found["previous"]["actor"], found["previous"]["epoch"]) == (2, "agent:a", 1)
    assert found["previous"]["seen_for"] >= 3600
    assert found["left_behind"] == {"branch": "main", "worktree": None, "dirty_files": []}
    assert shop.ok(1, "session-start")["session"]["id"] == found["session_id"]
    taken = events(shop, 1, "lease.taken_over")
    assert [(each["previous_epoch"], each.get("forced", False)) for each in taken] == [(1, False)]
    assert shop.fails(0, "lease-heartbeat", "--force-push")["code"] == "LEASE_LOST"
    assert shop.fails(0, "session-finish", "--summary", "s")["code"] == "SESSION_FENCED"
    shop.ok(0, "sync")
    error = shop.fails(0, "lease-heartbeat")
    assert (error["code"], "ticket-create --created-by" in error["hint"]) == ("LEASE_LOST", True)
    assert shop.fails(0, "session-finish", "--summary", "s")["code"] == "SESSION_FENCED"
    assert "SESSION_FENCED" in [each["code"] for each in shop.exo(0, "status").answer["warnings"]]


def test_a_session_whose_ticket_was_taken_can_start_on_another_in_the_same_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at_work(tmp_path)
    advance(monkeypatch, SILENT)
    shop.ok(1, "lease-takeover", "--ticket-id", "T1", "--yes")
    shop.ok(0, "sync")
    assert shop.fails(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")["code"] == "SESSION_FENCED"
    started = shop.ok(0, "session-start", "--ticket-id", "T2", "--actor", "agent:a")
    assert shop.ok(0, "session-finish", "--summary", "s")["session_id"] == started["session"]["id"]


@pytest.mark.parametrize("command", [("next", "--ticket-id", "T1"), ("session-start", "--ticket-id", "T1")])
def test_whoever_follows_a_silent_holder_tells_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    shop = at_work(tmp_path)
    advance(monkeypatch, SILENT)
    before = shop.commits(1)
    shop.ok(1, *command)
    assert [each["previous_actor"] for each in events(shop, 1, "lease.taken_over")] == ["agent:a"]
    assert shop.commits(1) == before + 1


def test_a_person_takes_over_by_force_with_a_reason_and_sees_what_was_left(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    old = shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")["session"]
    (shop.clones[0] / "half.txt").write_text("half done")
    found = shop.ok(0, *FORCED)
    assert (found["lease"]["epoch"], found["previous"]["holder"]) == (2, old["id"])
    assert found["left_behind"]["worktree"] == str(shop.clones[0])
    assert "half.txt" in found["left_behind"]["dirty_files"]
    assert (shop.clones[0] / "half.txt").read_text() == "half done"
    taken = events(shop, 0, "lease.taken_over")
    assert [(each["forced"], each["reason"]) for each in taken] == [(True, "the laptop is lost")]


def test_status_of_whoever_was_taken_from_says_that_the_lease_is_lost(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    shop.ok(1, *FORCED)
    shop.ok(0, "sync")
    lease = shop.ok(0, "status")["lease"]
    assert (lease["is_lost"], lease["epoch"]) == (True, 1)
    assert "lost" in lease["trouble"]


def test_of_two_takeovers_by_force_at_once_one_wins_and_whoever_follows_it_names_it(tmp_path: Path) -> None:
    shop = at_work(tmp_path, clones=3)
    old = shop.ok(1, "leases")["items"][0]["holder"]["session"]
    ran = parallel([exo_command(shop.clones[number], *FORCED, "--json") for number in (1, 2)])
    won = sorted((each.data for each in ran if each.exit == 0), key=lambda data: data["lease"]["epoch"])
    assert won
    assert [each["previous"]["holder"] for each in won] == [old, *(each["session_id"] for each in won[:-1])]
    for refused in (each.answer["error"] for each in ran if each.exit):
        assert (refused["code"], refused["details"]["holder"]) == ("LEASE_HELD", won[0]["session_id"])
    [item] = shop.ok(0, "leases")["items"]
    assert (item["holder"]["session"], item["epoch"]) == (won[-1]["session_id"], won[-1]["lease"]["epoch"])
    assert item["state"] == "held"


def test_force_is_meant_for_the_holder_that_was_read_and_not_for_one_who_came_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at_work(tmp_path, clones=3)
    really, winners = attempt.choose, []

    def passed(*args: object, **words: object) -> Plan | ExoError:
        monkeypatch.setattr(attempt, "choose", really)
        plan = really(*args, **words)  # type: ignore[arg-type]
        winners.append(shop.ok(2, *FORCED)["session_id"])
        return plan

    monkeypatch.setattr(attempt, "choose", passed)
    error = shop.fails(1, *FORCED)
    assert (error["code"], error["exit"], error["details"]["holder"]) == ("LEASE_HELD", 6, winners[0])
    assert shop.ok(1, "leases")["items"][0]["epoch"] == 2
    found = shop.ok(1, *FORCED)
    assert (found["lease"]["epoch"], found["previous"]["holder"]) == (3, winners[0])


def test_force_is_for_people_and_needs_a_reason(tmp_path: Path) -> None:
    shop = at_work(tmp_path)
    before = git(shop.clones[1], "ls-remote", "origin", LEASE)
    assert shop.fails(1, *FORCE, env={"CLAUDECODE": "1"})["code"] == "HUMAN_REQUIRED"
    assert shop.fails(1, *FORCE, "--actor", "agent:b")["code"] == "HUMAN_REQUIRED"
    assert shop.fails(1, *FORCED, env={"CLAUDECODE": "1"})["code"] == "HUMAN_REQUIRED"
    error = shop.fails(1, "lease-takeover", "--ticket-id", "T1", "--force", "--yes")
    assert (error["code"], error["exit"]) == ("REASON_REQUIRED", 2)
    assert git(shop.clones[1], "ls-remote", "origin", LEASE) == before


@pytest.mark.parametrize("kind", ["lone", "hub"])
@pytest.mark.parametrize("value", ["commit", "blob"])
def test_a_lease_that_cannot_be_read_is_taken_over_by_force_alone(tmp_path: Path, kind: str, value: str) -> None:
    shop = a_lone_shop(tmp_path) if kind == "lone" else a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    place = shop.hub or shop.clones[0]
    git(place, "update-ref", LEASE, git(place, "rev-parse", "main" if value == "commit" else "main:README.md"))
    assert shop.fails(0, "lease-takeover", "--ticket-id", "T1", "--yes")["code"] == "LEASE_DAMAGED"
    found = shop.ok(0, *FORCED)
    assert (found["lease"]["epoch"], found["previous"]["actor"]) == (2, "agent:a")
    item = shop.ok(0, "leases")["items"][0]
    assert (item["epoch"], item["holder"]["session"]) == (2, found["session_id"])


def test_a_takeover_that_was_killed_is_given_back_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at_work(tmp_path, clones=1)
    dies(shop, monkeypatch, (claiming, "_written"), *FORCED)
    again = shop.ok(0, *FORCED)
    assert (again["lease"]["epoch"], again["previous"]) == (3, None)
    dies(shop, monkeypatch, (LeaseDesk, "settled"), *FORCED)
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["held"]


def test_a_ticket_that_is_free_is_simply_reserved(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    found = shop.ok(0, "lease-takeover", "--ticket-id", "T1", "--yes")
    assert (found["previous"], found["lease"]["epoch"]) == (None, 1)


def test_with_dry_run_the_holder_is_named_and_nothing_changes(tmp_path: Path) -> None:
    shop = at_work(tmp_path)
    before = (shop.tip(1), git(shop.clones[1], "ls-remote", "origin", LEASE))
    found = shop.ok(1, *FORCED, "--dry-run")
    assert (found["previous"]["actor"], found["session_id"], found["lease"]) == ("agent:a", None, None)
    assert (shop.tip(1), git(shop.clones[1], "ls-remote", "origin", LEASE)) == before


def test_what_one_clone_watched_for_long_enough_others_believe_until_the_next_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at_work(tmp_path, clones=3)
    (shop.clones[2] / ".git" / "exo" / "leases" / "observed.json").unlink()
    advance(monkeypatch, SILENT)
    shop.ok(1, "sync")
    shop.ok(1, "sync")
    assert len(events(shop, 1, "lease.expired")) == 1
    shop.ok(0, "sync")
    assert len(events(shop, 0, "lease.expired")) == 1
    shop.ok(2, "sync")
    item = shop.ok(2, "leases", "--stale")["items"][0]
    assert (item["ticket"], item["seen_for"], item["takeover_in"]) == ("TICKET-T1", 0, 0)
    shop.ok(0, "lease-heartbeat", "--force-push")
    assert shop.fails(2, "lease-takeover", "--ticket-id", "T1", "--yes")["code"] == "LEASE_NOT_STALE"


def test_a_clone_that_saw_nothing_takes_over_what_another_saw_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at_work(tmp_path, clones=3)
    (shop.clones[2] / ".git" / "exo" / "leases" / "observed.json").unlink()
    advance(monkeypatch, SILENT)
    shop.ok(1, "next", "--ticket-id", "T2")
    assert len(events(shop, 1, "lease.expired")) == 1
    assert shop.ok(2, "next", "--ticket-id", "T1")["lease"]["epoch"] == 2


def test_a_value_of_our_own_is_never_told_to_have_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = at_work(tmp_path)
    shop.ok(0, "leases")
    advance(monkeypatch, SILENT)
    shop.ok(0, "sync")
    assert events(shop, 0, "lease.expired") == []


def test_a_renewal_changes_the_ttl_and_keeps_the_epoch(tmp_path: Path) -> None:
    shop = at_work(tmp_path)
    found = shop.ok(0, "lease-renew", "--ttl", "2h")
    assert (found["pushed"], found["lease"]["epoch"], found["lease"]["ttl_seconds"]) == (True, 1, 7200)
    assert shop.ok(1, "leases")["items"][0]["ttl_seconds"] == 7200
    assert shop.ok(0, "lease-renew")["lease"]["ttl_seconds"] == 7200
    assert shop.fails(0, "lease-renew", "--ttl", "2d")["code"] == "TTL_OUT_OF_RANGE"
    assert shop.fails(1, "lease-renew", "--ticket-id", "T1")["code"] == "LEASE_NOT_HELD"
    shop.ok(1, *FORCED)
    assert shop.fails(0, "lease-renew")["code"] == "LEASE_LOST"
