"""Governance that was born in two clones separately, and meets later: through one hub or two, whoever comes first."""

from pathlib import Path

import pytest

from tests.support.clones import Fleet, a_fleet
from tests.support.governed import asked, done, refusal
from tests.support.repositories import git

ORDERS = [(0, 1), (1, 0)]
BRANCH = "exo-governance"


def born_apart(folder: Path) -> Fleet:
    """Make two clones of one hub that were governed while neither had a remote; each has work of its own."""
    fleet = a_fleet(folder, 2)
    for number in range(2):
        git(fleet[number], "remote", "remove", "origin")
        done(fleet[number], "init")
        done(fleet[number], "intent-create", f"Born in {number}", "--brain-dump", "x", "--id", f"INTENT-B{number}")
        done(fleet[number], "ticket-create", "Work", "--parent", f"INTENT-B{number}", "--id", f"TICKET-W{number}")
        config = fleet[number] / ".exo" / "config.yaml"
        config.write_text(f"{config.read_text()}\n# Written in clone {number}.\nx-clone{number}: true\n")
        done(fleet[number], "status")
    return fleet


def a_hub_for(fleet: Fleet, name: str) -> Path:
    """Make an empty hub."""
    hub = fleet.hub.with_name(f"{name}.git")
    git(fleet.hub.parent, "init", "-q", "--bare", "-b", "main", str(hub))
    return hub


def connect(fleet: Fleet, number: int, name: str, hub: Path) -> None:
    """Tell one clone of a remote."""
    git(fleet[number], "remote", "add", name, str(hub))


def assert_joined(fleet: Fleet) -> None:
    """Assert that both know everything, at one commit, and that it verifies."""
    assert len(set(fleet.tips())) == 1
    for number in range(2):
        known = {each["id"] for each in done(fleet[number], "ticket-list", "--limit", "50")["items"]}
        assert {"INTENT-B0", "INTENT-B1", "TICKET-W0", "TICKET-W1"} <= known
        assert done(fleet[number], "audit")["verdict"] != "fail"
        assert git(fleet[number], "-C", ".exo", "status", "--porcelain") == ""
        assert "x-clone0: true" in (fleet[number] / ".exo" / "config.yaml").read_text()
        assert "x-clone1: true" in (fleet[number] / ".exo" / "config.yaml").read_text()


@pytest.mark.parametrize("order", ORDERS)
def test_two_births_are_joined_through_one_hub_and_one_place_decides_about_leases(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    fleet = born_apart(tmp_path)
    hub = a_hub_for(fleet, "joint")
    for number in (*order, *order):
        if not git(fleet[number], "remote"):
            connect(fleet, number, "origin", hub)
        done(fleet[number], "sync")
    assert_joined(fleet)
    work_goes_on(fleet)


@pytest.mark.parametrize("order", ORDERS)
def test_two_births_with_a_hub_each_are_joined_through_both(tmp_path: Path, order: tuple[int, int]) -> None:
    fleet = born_apart(tmp_path)
    hubs = [a_hub_for(fleet, f"hub{number}") for number in range(2)]
    for number in range(2):
        connect(fleet, number, f"home{number}", hubs[number])
        done(fleet[number], "sync", "--remote", f"home{number}")
    for number in range(2):
        connect(fleet, number, f"home{1 - number}", hubs[1 - number])
    for number in (*order, *order):
        for remote in ("home0", "home1"):
            done(fleet[number], "sync", "--remote", remote)
    assert_joined(fleet)
    tips = {git(hub, "rev-parse", BRANCH) for hub in hubs}
    assert tips == set(fleet.tips())
    work_goes_on(fleet)


@pytest.mark.parametrize("order", ORDERS)
def test_a_session_at_work_while_both_meet_goes_on_and_ends_in_order(tmp_path: Path, order: tuple[int, int]) -> None:
    """Its lease was taken at a place that may not decide any more; what it wrote counts all the same."""
    fleet = born_apart(tmp_path)
    session = done(fleet[1], "session-start", "--ticket-id", "TICKET-W1")["session"]["id"]
    hub = a_hub_for(fleet, "joint")
    for number in range(2):
        connect(fleet, number, "origin", hub)
    for number in (*order, *order):
        done(fleet[number], "sync")
    assert_joined(fleet)
    shown = done(fleet[0], "ticket-show", "TICKET-W1")
    assert [(each["id"], each["status"]) for each in shown["sessions"]] == [(session, "active")]
    done(fleet[1], "ticket-edit", "TICKET-W1", "--note", "at work")
    finish(fleet)
    for number in (1, 0, 1):
        done(fleet[number], "sync")
    assert_joined(fleet)
    shown = done(fleet[0], "ticket-show", "TICKET-W1")
    assert (shown["ticket"]["status"], shown["ticket"]["notes"]) == ("review", ["at work"])
    assert "finished" in [each["status"] for each in shown["sessions"]]


def finish(fleet: Fleet) -> None:
    """End the session of clone 1, whichever of the two places decides about leases now.

    Of two that were named without knowledge of each other the one that stands follows from random clone ids.
    """
    words = ("session-finish", "--summary", "Done while two became one.")
    ran = asked(fleet[1], *words)
    if ran.exit == 0:
        return
    error = ran.answer["error"]
    if error["code"] == "AUTHORITY_MISMATCH":  # decided in clone 0 alone
        assert "exo leases-move" in error["hint"]
        done(fleet[0], "leases-move", "--remote", "origin", "--yes")
        done(fleet[1], "sync")
        error = refusal(fleet[1], *words)
    assert error["code"] == "SESSION_FENCED"
    assert "exo session-finish --offline" in error["hint"]
    done(fleet[1], *words, "--offline")


def work_goes_on(fleet: Fleet) -> None:
    """Assert that of one ticket one clone holds the lease, and the other is told."""
    done(fleet[0], "session-start", "--ticket-id", "TICKET-W1")
    assert refusal(fleet[1], "session-start", "--ticket-id", "TICKET-W1")["code"] == "LEASE_HELD"
    done(fleet[1], "session-start", "--ticket-id", "TICKET-W0")
