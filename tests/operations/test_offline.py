"""Offline: a ticket taken without its authority is provisional, and the next sync confirms it or tells it lost."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from exo_sidecar.git.locate import locate
from exo_sidecar.host import ancestry, live_sessions
from exo_sidecar.operations import ending, reconciling
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from tests.operations.test_lease_takeover import events
from tests.operations.test_session_start import advance
from tests.support.repositories import commit_files, write_files
from tests.support.working import Shop, a_lone_shop, a_shop


def codes(shop: Shop, number: int, *args: str) -> list[str]:
    """Run a command that must go well and return the codes of its warnings."""
    ran = shop.exo(number, *args)
    assert ran.exit == 0, ran.out + ran.err
    return [warning["code"] for warning in ran.answer["warnings"]]


def leases(shop: Shop, number: int = 0) -> list[tuple[str, str, int]]:
    """Return the leases as the authority shows them."""
    return [(item["ticket"], item["state"], item["epoch"]) for item in shop.ok(number, "leases")["items"]]


def states(shop: Shop, number: int = 0) -> list[str]:
    """Return the states of a clone's live sessions."""
    return [live.state for live in live_sessions.listed(locate(shop.clones[number]).common).sessions]


def all_sync(shop: Shop) -> None:
    """Let every clone sync until all have what all have, and assert that they agree."""
    for number in (*range(len(shop.clones)), *range(len(shop.clones))):
        shop.ok(number, "sync")
    assert len({shop.tip(number) for number in range(len(shop.clones))}) == 1
    for number in range(len(shop.clones)):
        assert shop.ok(number, "audit")["verdict"] == "pass"


def test_a_ticket_taken_offline_is_provisional_and_a_sync_confirms_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    away = shop.lose_hub()
    found = shop.ok(0, "next", "--offline")
    assert found["lease"] == {"epoch": None, "ttl_seconds": 14400, "deadline_in": None, "provisional": True}
    assert shop.ok(0, "next", "--offline")["session_id"] == found["session_id"]
    assert shop.status(0, "T1") == "todo"
    started = shop.ok(0, "session-start", "--offline")
    assert (started["session"]["id"], started["lease"]["provisional"]) == (found["session_id"], True)
    assert "provisional: not confirmed by the authority" in started["bootstrap_prompt"]
    assert shop.ok(0, "session-start", "--offline")["reused"]
    shown = shop.ok(0, "status")
    assert (shown["session"]["status"], shown["lease"]["provisional"]) == ("active", True)
    assert [finding["code"] for finding in shown["findings"]] == ["PROVISIONAL_CLAIM"]
    away.rename(away.with_name("hub.git"))
    ran = shop.exo(0, "sync")
    assert ran.data["provisional"]["won"] == [{"ticket_id": "TICKET-T1", "session_id": found["session_id"], "epoch": 1}]
    assert "CLAIM_CONFIRMED" in [warning["code"] for warning in ran.answer["warnings"]]
    assert leases(shop) == [("TICKET-T1", "held", 1)]
    all_sync(shop)
    assert shop.status(1, "T1") == shop.status(1, "INTENT-1") == "active"
    assert shop.ok(0, "status")["lease"]["epoch"] == 1
    assert shop.ok(0, "session-finish", "--summary", "did it")["released_lease"]
    all_sync(shop)
    assert shop.status(1, "T1") == "review"


def test_what_is_written_under_it_counts_nowhere_until_it_is_confirmed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    shop.ok(0, "ticket-edit", "T1", "--add-label", "mine")
    shop.ok(0, "ticket-move", "T1", "blocked", "--reason", "lunch")
    own = shop.ok(0, "ticket-show", "T1")["ticket"]
    assert (own["status"], own["labels"]) == ("blocked", ["mine"])
    others = shop.ok(0, "ticket-show", "T1", "--actor", "agent:other")["ticket"]
    assert (others["status"], others["labels"]) == ("todo", [])
    shop.ok(0, "sync")
    counts = shop.ok(0, "ticket-show", "T1", "--actor", "agent:other")["ticket"]
    assert (counts["status"], counts["labels"]) == ("blocked", ["mine"])


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_clones_offline_on_one_ticket_one_wins_and_the_other_is_told(tmp_path: Path, first: int) -> None:
    shop = a_shop(tmp_path, clones=2)
    sessions = [
        shop.ok(number, "session-start", "--ticket-id", "T1", "--offline")["session"]["id"] for number in (0, 1)
    ]
    last = 1 - first
    head = commit_files(shop.clones[last], {"src/work.py": "1"})
    write_files(shop.clones[last], {"left.txt": "not committed"})
    assert shop.ok(first, "sync")["provisional"]["lost"] == []
    ran = shop.exo(last, "sync")
    [lost] = ran.data["provisional"]["lost"]
    assert (lost["session_id"], lost["holder"], lost["head"]) == (sessions[last], sessions[first], head)
    assert "CLAIM_LOST" in [warning["code"] for warning in ran.answer["warnings"]]
    all_sync(shop)
    for number in (0, 1):
        entries = shop.ok(number, "ticket-show", "T1", "--history", "--actor", "agent:other")["history"]
        [record] = [entry for entry in entries if entry["type"] == "lease.lost"]
        assert sessions[first] in record["summary"]
    assert leases(shop) == [("TICKET-T1", "held", 1)]
    assert shop.ok(first, "session-finish", "--summary", "won")["ticket_status"] == "review"


def test_a_session_that_lost_is_told_at_every_call_until_it_ends(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    assert shop.ok(0, "sync")["provisional"]["lost"] != []
    for call in (["ticket-edit", "T1", "--add-label", "x"], ["lease-heartbeat"], ["ticket-move", "T1", "review"]):
        error = shop.fails(0, *call)
        assert (error["code"], error["exit"]) == ("LEASE_LOST", 6), call
        assert "exo session-finish" in error["hint"]
    assert shop.fails(0, "push")["code"] == shop.fails(0, "lease-renew")["code"] == "LEASE_LOST"
    assert "LEASE_LOST" in codes(shop, 0, "status")
    assert shop.ok(0, "status")["session"]["status"] == "lost"
    ended = shop.ok(0, "session-finish", "--summary", "for whoever goes on")
    assert (ended["provisional"], ended["memento_path"], ended["released_lease"]) == (True, None, False)
    assert "LEASE_LOST" not in codes(shop, 0, "status")
    assert states(shop) == []
    assert shop.ok(0, "session-start", "--ticket-id", "T2")["lease"]["epoch"] == 1
    all_sync(shop)
    assert leases(shop, 1)[0] == ("TICKET-T1", "held", 1)


def test_a_ticket_that_was_closed_meanwhile_is_lost(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    shop.ok(1, "ticket-move", "T1", "cancelled", "--reason", "no longer wanted")
    shop.ok(1, "sync")
    [lost] = shop.ok(0, "sync")["provisional"]["lost"]
    assert (lost["holder"], "cancelled" in lost["reason"]) == (None, True)
    all_sync(shop)
    assert shop.status(0, "T1") == shop.status(1, "T1") == "cancelled"
    assert [state for _, state, _ in leases(shop)] == ["released"]


def test_work_of_another_holder_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    shop.ok(1, "session-finish", "--summary", "theirs")
    assert shop.ok(0, "sync")["provisional"]["won"][0]["epoch"] == 2
    all_sync(shop)
    shown = shop.ok(1, "ticket-show", "T1")
    values = [version["value"] for each in shown["conflict_values"] for version in each["values"]]
    assert sorted(values) == ["active", "review"]


def test_a_session_that_ended_offline_is_confirmed_and_its_lease_given_back(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    session = shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")["session"]["id"]
    ended = shop.ok(0, "session-finish", "--summary", "alone", "--offline")
    assert (ended["provisional"], ended["memento_path"], ended["released_lease"]) == (True, None, False)
    assert shop.status(0, "T1") == "todo"
    assert "PROVISIONAL_LEASE" in codes(shop, 0, "status")
    assert [won["session_id"] for won in shop.ok(0, "sync")["provisional"]["won"]] == [session]
    assert leases(shop) == [("TICKET-T1", "released", 1)]
    assert states(shop) == []
    all_sync(shop)
    assert shop.status(1, "T1") == "review"
    assert list((shop.clones[1] / ".exo" / "sessions").rglob(f"{session}.md"))


def test_a_session_that_ended_offline_may_have_lost(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    shop.ok(0, "session-finish", "--summary", "alone", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    assert len(shop.ok(0, "sync")["provisional"]["lost"]) == 1
    assert states(shop) == []
    all_sync(shop)
    [record] = [
        entry for entry in shop.ok(1, "ticket-show", "T1", "--history")["history"] if entry["type"] == "lease.lost"
    ]
    assert "alone" in record["summary"]


def test_what_is_known_to_be_taken_is_refused_offline_too(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    shop.ok(1, "session-start", "--ticket-id", "T1")
    shop.ok(0, "leases")  # seen in a listing only: the ledger of this clone does not know yet
    assert shop.fails(0, "next", "--offline", "--ticket-id", "T1")["code"] == "LEASE_HELD"
    mine = shop.ok(0, "next", "--offline", "--ticket-id", "T2", "--owner", "agent:a")
    error = shop.fails(0, "session-start", "--offline", "--ticket-id", "T1")
    assert (error["code"], error["exit"]) == ("LEASE_HELD", 6)
    error = shop.fails(0, "next", "--offline", "--ticket-id", "T2", "--owner", "agent:b")
    assert (error["code"], error["details"]["holder"]) == ("LEASE_HELD", mine["session_id"])
    assert shop.ok(0, "next", "--offline", "--owner", "agent:b")["ticket_id"] == "TICKET-T3"
    assert shop.fails(0, "next", "--offline", "--owner", "agent:c")["code"] == "NO_TICKET"


def test_a_repository_may_refuse_to_take_tickets_offline(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("offline: provisional", "offline: refuse"))
    for call in (["next"], ["session-start", "--ticket-id", "T1"]):
        error = shop.fails(0, *call, "--offline")
        assert (error["code"], error["exit"]) == ("OFFLINE", 8)
        assert "leases.offline" in error["message"]
    assert states(shop) == []


def test_where_the_repository_itself_decides_offline_changes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    found = shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    assert (found["lease"]["epoch"], found["lease"]["provisional"]) == (1, False)
    assert leases(shop) == [("TICKET-T1", "held", 1)]


def test_a_reservation_whose_lease_is_held_can_be_started_on_offline(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "next")
    shop.lose_hub()
    found = shop.ok(0, "session-start", "--offline")
    assert (found["lease"]["epoch"], found["lease"]["provisional"]) == (1, False)


def test_without_the_flag_a_claim_that_reaches_nobody_fails_and_names_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "next", "--ticket-id", "T2", "--offline", "--owner", "agent:a")
    shop.lose_hub()
    for call in (["next"], ["session-start", "--ticket-id", "T1"], ["session-start", "--ticket-id", "T2"]):
        error = shop.fails(0, *call)
        assert error["exit"] == 8, error
        assert "--offline" in error["hint"]


def test_a_reservation_made_offline_can_be_given_up_offline(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "next", "--ticket-id", "T1", "--offline")
    assert not shop.ok(0, "lease-release", "--ticket-id", "T1", "--offline")["released"]
    assert states(shop) == []
    assert shop.ok(0, "sync")["provisional"] == {"won": [], "lost": []}
    assert leases(shop) == []
    assert shop.ok(0, "status")["findings"] == []


@pytest.mark.parametrize("command", [["next"], ["session-start"], ["lease-heartbeat"], ["session-finish"]])
def test_any_call_that_asks_for_leases_confirms_first(tmp_path: Path, command: list[str]) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "next", "--ticket-id", "T1", "--offline")
    if command != ["next"]:
        shop.ok(0, "session-start", "--offline")
    more = ["--summary", "s"] if command == ["session-finish"] else []
    assert "CLAIM_CONFIRMED" in codes(shop, 0, *command, *more)
    all_sync(shop)
    assert leases(shop)[0][2] == 1


def test_a_dry_run_says_that_a_start_offline_is_provisional_and_writes_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.lose_hub()
    before = shop.tip(0)
    foreseen = shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", "--dry-run")
    assert (foreseen["lease"]["epoch"], foreseen["lease"]["provisional"]) == (None, True)
    assert (shop.tip(0), states(shop)) == (before, [])
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    assert shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", "--dry-run")["lease"]["provisional"]


def test_a_dry_run_of_a_start_on_a_reservation_that_holds_is_a_real_one(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "next")
    foreseen = shop.ok(0, "session-start", "--offline", "--dry-run")
    assert (foreseen["lease"]["epoch"], foreseen["lease"]["provisional"]) == (1, False)
    assert shop.ok(0, "session-start", "--offline")["lease"]["epoch"] == 1


def test_a_confirmation_over_a_silent_holder_tells_whom_it_took_the_ticket_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2)
    mine = shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")["session"]["id"]
    theirs = shop.ok(1, "session-start", "--ticket-id", "T1", "--ttl", "1h", "--actor", "agent:b")["session"]["id"]
    shop.ok(0, "leases")
    advance(monkeypatch, 3600 * 1.01 + 31)
    assert shop.ok(0, "sync")["provisional"]["won"] == [{"ticket_id": "TICKET-T1", "session_id": mine, "epoch": 2}]
    [taken] = events(shop, 0, "lease.taken_over")
    assert (taken["session"], taken["previous"], taken["previous_epoch"]) == (mine, theirs, 1)
    all_sync(shop)
    assert shop.fails(1, "lease-heartbeat")["code"] == "LEASE_LOST"


def limited(tmp_path: Path, clones: int = 1) -> Shop:
    """Return clones in which an actor may hold one lease."""
    shop = a_shop(tmp_path, clones=clones, tickets=3)
    shop.let_an_actor_hold(1)
    return shop


def test_an_actor_takes_no_more_offline_than_its_quota(tmp_path: Path) -> None:
    shop = limited(tmp_path)
    shop.ok(0, "next", "--ticket-id", "T1", "--offline", "--owner", "agent:a")
    error = shop.fails(0, "next", "--ticket-id", "T2", "--offline", "--owner", "agent:a")
    assert (error["code"], error["exit"]) == ("LEASE_QUOTA", 1)
    error = shop.fails(0, "session-start", "--ticket-id", "T2", "--offline", "--actor", "agent:a", "--dry-run")
    assert error["code"] == "LEASE_QUOTA"
    assert shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", "--actor", "agent:a")["lease"]["provisional"]
    assert shop.ok(0, "next", "--ticket-id", "T2", "--offline", "--owner", "agent:b")["ticket_id"] == "TICKET-T2"
    shop.ok(0, "sync")
    assert shop.fails(0, "next", "--ticket-id", "T3", "--offline", "--owner", "agent:b")["code"] == "LEASE_QUOTA"


def test_a_claim_over_the_quota_stays_provisional_until_a_lease_is_given_back(tmp_path: Path) -> None:
    shop = limited(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", "--actor", "agent:a")
    shop.ok(1, "session-start", "--ticket-id", "T2", "--actor", "agent:a")
    ran = shop.exo(0, "sync")
    assert ran.data["provisional"] == {"won": [], "lost": []}
    [told] = [warning["message"] for warning in ran.answer["warnings"] if warning["code"] == "CLAIM_UNCONFIRMED"]
    assert "one actor may hold 1" in told
    assert leases(shop) == [("TICKET-T2", "held", 1)]
    shop.ok(1, "session-finish", "--summary", "s")
    assert len(shop.ok(0, "sync")["provisional"]["won"]) == 1


def test_over_the_quota_a_session_that_has_ended_is_confirmed_and_a_ticket_that_is_taken_is_lost(
    tmp_path: Path,
) -> None:
    shop = limited(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline", "--actor", "agent:a")
    shop.ok(0, "session-finish", "--summary", "alone", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T2", "--actor", "agent:a")
    assert len(shop.ok(0, "sync")["provisional"]["won"]) == 1
    assert shop.status(0, "T1") == "review"
    shop.ok(0, "session-start", "--ticket-id", "T3", "--offline", "--actor", "agent:b")
    shop.ok(1, "session-finish", "--summary", "s")
    shop.ok(1, "session-start", "--ticket-id", "T3", "--actor", "agent:b")
    assert len(shop.ok(0, "sync")["provisional"]["lost"]) == 1


STEPS = [
    (LeaseDesk, "claim"),
    (LeaseDesk, "_completed"),
    (Context, "transact"),
    (LeaseDesk, "settled"),
    (reconciling, "_confirmed"),
]


def dies(shop: Shop, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str], number: int) -> None:
    """Sync in a process that ends as if killed when it comes to `step`."""

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(*step, killed)
        with pytest.raises(SystemExit):
            shop.exo(number, "sync")
    common = locate(shop.clones[number]).common
    dead = replace(ancestry.this_process(), started=1)
    for live in live_sessions.listed(common).sessions:
        if live.call is not None:
            live_sessions.write(common, replace(live, call=dead))


@pytest.mark.parametrize("ends", [False, True], ids=["at work", "ended"])
@pytest.mark.parametrize("step", STEPS, ids=[step[1] for step in STEPS])
def test_a_confirmation_that_was_killed_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str], *, ends: bool
) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    if ends:
        shop.ok(0, "session-finish", "--summary", "alone", "--offline")
    dies(shop, monkeypatch, step, 0)
    all_sync(shop)
    assert states(shop) == ([] if ends else ["active"])
    assert [lease[:2] for lease in leases(shop)] == [("TICKET-T1", "released" if ends else "held")]
    assert shop.status(1, "T1") == ("review" if ends else "active")
    if not ends:
        assert shop.ok(0, "session-finish", "--summary", "s")["released_lease"]
        all_sync(shop)
        assert shop.status(1, "T1") == "review"


@pytest.mark.parametrize("step", [(reconciling, "_lost"), (Context, "transact"), (ending, "make_up")])
def test_a_loss_that_was_killed_is_told_by_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str]
) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    dies(shop, monkeypatch, step, 0)
    assert len(shop.ok(0, "sync")["provisional"]["lost"]) == 1
    assert states(shop) == ["lost"]
    all_sync(shop)
    records = [
        entry for entry in shop.ok(1, "ticket-show", "T1", "--history")["history"] if entry["type"] == "lease.lost"
    ]
    assert len(records) == 1
