"""Sweeping tombstones: what goes, what never goes, and that the counter survives."""

import os
from pathlib import Path

import pytest

from exo_sidecar.git.oid import Oid
from exo_sidecar.leases import sweeping
from exo_sidecar.leases.seen import Seen, Survey
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms
from tests.support.leasing import TICKET, a_lease
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

OID = Oid("a" * 40)
LEASE = "refs/exo/leases/TICKET-T1"


@pytest.fixture(autouse=True)
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sweep begin above no tombstone at all."""
    really = sweeping.choose
    monkeypatch.setattr(sweeping, "choose", lambda *args: really(*args, above=0))


def closed(shop: Shop) -> None:
    """Work on T1, give it back and close it."""
    shop.ok(0, "session-start", "--ticket-id", "T1")
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo")
    shop.ok(0, "ticket-move", "T1", "cancelled", "--reason", "no longer wanted")


@pytest.mark.parametrize("is_lone", [False, True], ids=["hub", "lone"])
def test_the_tombstone_of_a_closed_ticket_goes_and_its_counter_survives(tmp_path: Path, is_lone: bool) -> None:  # noqa: FBT001
    shop = a_lone_shop(tmp_path) if is_lone else a_shop(tmp_path, clones=2)
    closed(shop)
    place = shop.hub or shop.clones[0]
    found = shop.ok(0, "gc-locks", "--yes")
    assert (found["total"], found["swept"], found["kept"], found["refused"]) == (1, ["TICKET-T1"], [], False)
    assert git(place, "for-each-ref", LEASE) == ""
    # A clone that has heard of neither the work nor the end of it claims, and rises above what it then learns.
    with Context.open(shop.clones[-1], environ=os.environ) as ctx:
        won = LeaseDesk(ctx, "next").claim(
            [TicketId("TICKET-T1")], Terms(SessionId("SES-AAAAAAAAAA"), Actor("human:b"), 600)
        )
    assert won.grant.epoch == 2


def test_held_leases_and_open_tickets_stay(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "next", "--ticket-id", "T1")
    shop.ok(0, "lease-release")
    shop.ok(0, "next", "--ticket-id", "T2")
    found = shop.ok(0, "gc-locks", "--yes")
    assert found["swept"] == []
    reasons = {each["ticket"]: each["reason"] for each in found["kept"]}
    assert (reasons["TICKET-T1"], "held" in reasons["TICKET-T2"]) == ("the ticket is not closed", True)


def test_a_server_that_refuses_deletes_is_remembered_and_left_alone(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    closed(shop)
    assert shop.hub is not None
    hook = shop.hub / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$3" in 0000*) echo "no deletes here" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    found = shop.ok(0, "gc-locks", "--yes")
    assert (found["swept"], found["refused"]) == ([], True)
    hook.unlink()
    assert shop.ok(0, "gc-locks", "--yes")["refused"]
    assert git(shop.hub, "for-each-ref", LEASE) != ""


def test_a_sweep_asks_first(tmp_path: Path) -> None:
    assert a_shop(tmp_path).fails(0, "gc-locks")["code"] == "USAGE"


def a_survey(count: int, *, released: bool = True) -> Survey:
    """Return so many leases."""
    return Survey({TicketId(f"TICKET-{n}"): Seen(OID, a_lease(epoch=3, released=released)) for n in range(count)}, {})


def test_few_tombstones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert sweeping.choose(a_survey(500), lambda _: True, lambda _: 3).doomed == {}
    assert len(sweeping.choose(a_survey(501), lambda _: True, lambda _: 3).doomed) == 501


def test_what_the_ledger_does_not_know_the_epoch_of_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = sweeping.choose(a_survey(1), lambda _: True, lambda _: 2, above=0)
    assert (found.doomed, list(found.kept.values())) == ({}, ["its epoch 3 is not in the ledger"])
    damaged = sweeping.choose(Survey({}, {TICKET: "no"}), lambda _: True, lambda _: 9, above=0)
    assert (damaged.doomed, list(damaged.kept)) == ({}, [TICKET])


def test_a_lease_that_changed_meanwhile_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path)
    closed(shop)
    really = sweeping.sweep

    def late(*args: object) -> object:
        git(shop.clones[0], "push", "-q", "-f", "origin", f"main:{LEASE}")
        return really(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sweeping, "sweep", late)
    found = shop.ok(0, "gc-locks", "--yes")
    assert (found["swept"], [each["reason"] for each in found["kept"]]) == ([], ["it changed meanwhile"])
