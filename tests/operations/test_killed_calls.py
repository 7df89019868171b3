"""Calls that were killed between two of their writes: the next call finds out what they had done, and goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from exo_sidecar.git.locate import locate
from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.operations import claiming, giving_back, recount
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from tests.support.working import Shop, a_shop

Step = tuple[object, str]


def dies(shop: Shop, monkeypatch: pytest.MonkeyPatch, step: Step, *args: str) -> None:
    """Run a command that ends as if killed when it comes to `step`, and let its process be dead."""

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(*step, killed)
        with pytest.raises(SystemExit):
            shop.exo(0, *args)
    common = locate(shop.clones[0]).common
    dead = replace(ancestry.this_process(), started=1)
    for live in live_sessions.listed(common).sessions:
        if live.call is not None:
            live_sessions.write(common, replace(live, call=dead))


def states(shop: Shop) -> list[str]:
    """Return the states of this clone's live sessions."""
    return [live.state for live in live_sessions.listed(locate(shop.clones[0]).common).sessions]


def leases(shop: Shop) -> list[tuple[str, str]]:
    """Return the leases as the authority shows them."""
    return [(item["ticket"], item["state"]) for item in shop.ok(0, "leases")["items"]]


@pytest.mark.parametrize("step", [(LeaseDesk, "settled"), (claiming, "_written")], ids=["written", "won"])
def test_a_start_that_was_killed_is_taken_up_or_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    shop = a_shop(tmp_path)
    dies(shop, monkeypatch, step, "session-start", "--ticket-id", "T1")
    assert states(shop) == ["claiming"]
    found = shop.ok(0, "session-start", "--ticket-id", "T1")
    assert found["reused"] == (step[1] == "settled")
    assert states(shop) == ["active"]
    assert leases(shop) == [("TICKET-T1", "held")]
    assert shop.ok(0, "session-finish", "--summary", "s")["session_id"] == found["session"]["id"]


def test_an_adoption_that_was_killed_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path)
    session = shop.ok(0, "next")["session_id"]
    dies(shop, monkeypatch, (LeaseDesk, "settled"), "session-start")
    found = shop.ok(0, "session-start")
    assert (found["session"]["id"], found["reused"]) == (session, True)
    assert shop.ok(0, "session-finish", "--summary", "s")["released_lease"]


def test_a_claim_that_was_killed_before_anything_was_sent_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)
    dies(shop, monkeypatch, (LeaseDesk, "claim"), "next")
    assert states(shop) == ["claiming"]
    assert shop.ok(0, "next")["ticket_id"] == "TICKET-T1"
    assert states(shop) == ["reserved"]


def after_sync(shop: Shop) -> None:
    """Sync."""
    assert "END_CONFIRMED" in [warning["code"] for warning in shop.exo(0, "sync").answer["warnings"]]


def after_release(shop: Shop) -> None:
    """Do what a person would who wants the lease to be free."""
    assert shop.ok(0, "lease-release", "--ticket-id", "T1")["released"]


def after_start(shop: Shop) -> None:
    """Take another ticket."""
    shop.ok(0, "session-start", "--ticket-id", "T2")
    shop.ok(0, "session-finish", "--summary", "s")


def test_a_claim_that_was_killed_while_lanes_were_counted_is_given_back_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, tickets=2)
    config = shop.clones[0] / ".exo" / "config.yaml"
    lane = "{name: all, allowed_types: ['*'], count: 1}"
    config.write_text(config.read_text() + f"\nscheduler: {{enabled: true, lanes: [{lane}]}}\n")
    shop.ok(0, "ticket-edit", "T2", "--note", "the settings are taken in")
    dies(shop, monkeypatch, (recount, "confirm"), "next", "--owner", "agent:a")
    assert leases(shop) == [("TICKET-T1", "held")]
    assert shop.status(0, "TICKET-T1") == "todo"
    ran = shop.exo(0, "next", "--owner", "agent:a")
    assert [each["code"] for each in ran.answer["warnings"]] == ["CLAIM_GIVEN_BACK"]
    assert (ran.exit, ran.data["ticket_id"], ran.data["lease"]["epoch"]) == (0, "TICKET-T1", 2)
    assert leases(shop) == [("TICKET-T1", "held")]


@pytest.mark.parametrize("go_on", [after_sync, after_release, after_start])
def test_the_lease_of_a_finish_that_was_killed_is_given_back_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go_on: Callable[[Shop], None]
) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    dies(shop, monkeypatch, (giving_back, "hand_back"), "session-finish", "--summary", "s")
    assert shop.status(0, "T1") == "review"
    assert leases(shop) == [("TICKET-T1", "held")]
    go_on(shop)
    assert ("TICKET-T1", "released") in leases(shop)
    assert states(shop) == []


def test_a_finish_that_was_killed_before_it_was_written_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    dies(shop, monkeypatch, (Context, "transact"), "session-finish", "--summary", "s")
    shop.ok(0, "sync")
    assert leases(shop) == [("TICKET-T1", "held")]
    assert shop.ok(0, "session-finish", "--summary", "s")["released_lease"]
    assert states(shop) == []


def test_a_lease_that_a_finish_keeps_is_not_given_back_by_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    dies(shop, monkeypatch, (giving_back, "hand_back"), "session-finish", "--summary", "s", "--keep-lease")
    shop.ok(0, "sync")
    assert leases(shop) == [("TICKET-T1", "held")]
