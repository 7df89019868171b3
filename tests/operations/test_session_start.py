"""Starting: one session a ticket in the world, one session a worktree here, and the agent told what there is."""

import shutil
from pathlib import Path

import msgspec
import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import ancestry, clock, live_sessions
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import SessionId
from exo_sidecar.operations.context import Context
from tests.support.process import exo_command, parallel, run
from tests.support.repositories import git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop

TTL_SECONDS = 3600


def advance(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move this machine's boot clock."""
    really = clock.boot_clock()
    monkeypatch.setattr(clock, "boot_clock", lambda: BootClock(really.boot_id, really.seconds + seconds))


def a_side_worktree(shop: Shop, number: int = 0) -> Path:
    side = shop.clones[number].with_name(f"side{number}")
    git(shop.clones[number], "worktree", "add", "-q", "-b", "side", str(side))
    return side


def test_a_start_takes_the_lease_writes_one_commit_and_pushes_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    before = shop.commits()
    found = shop.ok(0, "session-start", "--ticket-id", "T1", "--model", "m-1", "--task", "only the tests")
    assert (found["session"]["status"], found["session"]["epoch"], found["reused"]) == ("active", 1, False)
    assert found["ticket"]["status"] == "active"
    assert found["lease"]["ttl_seconds"] == 4 * 3600
    assert found["branch"] == {"wanted": "exo/TICKET-T1", "actual": "main", "reason": "git switch -c exo/TICKET-T1"}
    assert found["session"]["base"] == git(shop.clones[0], "rev-parse", "HEAD")
    assert shop.commits() == before + 1
    assert found["sync"]["state"] == "done"
    shop.ok(1, "sync")
    assert shop.status(1, "TICKET-T1") == "active"


def test_the_bootstrap_is_told_and_kept_where_git_does_not_see_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    found = shop.ok(0, "session-start", "--ticket-id", "T1", "--task", "only the tests")
    assert Path(found["bootstrap_path"]).read_text() == found["bootstrap_prompt"]
    assert 'task: "only the tests"' in found["bootstrap_prompt"]
    assert git(shop.clones[0] / ".exo", "status", "--porcelain") == ""


def test_the_application_is_left_exactly_as_it_was(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    write_files(shop.clones[0], {"staged.txt": "s", "dirty.txt": "d"})
    git(shop.clones[0], "add", "staged.txt")
    before = (git(shop.clones[0], "status", "--porcelain"), (shop.clones[0] / ".git" / "index").read_bytes())
    head = git(shop.clones[0], "rev-parse", "HEAD")
    shop.ok(0, "session-start", "--ticket-id", "T1")
    assert (git(shop.clones[0], "status", "--porcelain"), (shop.clones[0] / ".git" / "index").read_bytes()) == before
    assert git(shop.clones[0], "rev-parse", "HEAD") == head


def test_a_start_adopts_what_was_reserved_here_whoever_it_was_reserved_for(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    reserved = shop.ok(0, "next", "--owner", "agent:a")
    found = shop.ok(0, "session-start", "--actor", "agent:b")
    assert found["session"]["id"] == reserved["session_id"]
    assert found["session"]["actor"] == "agent:b"
    assert found["lease"]["epoch"] == reserved["lease"]["epoch"]
    history = [entry["type"] for entry in shop.ok(0, "ticket-show", "T1", "--history")["history"]]
    assert history.count("ticket.moved") == 1


def test_starting_again_on_the_same_ticket_returns_the_session_that_lives(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    first = shop.ok(0, "session-start", "--ticket-id", "T1")
    before = shop.tip()
    for again in (shop.ok(0, "session-start", "--ticket-id", "T1"), shop.ok(0, "session-start")):
        assert (again["reused"], again["session"]["id"]) == (True, first["session"]["id"])
    assert shop.tip() == before


def test_a_second_ticket_in_the_same_worktree_is_refused_and_another_worktree_is_free(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    side = a_side_worktree(shop)
    first = shop.ok(0, "session-start", "--ticket-id", "T1")
    error = shop.fails(0, "session-start", "--ticket-id", "T2")
    assert (error["code"], error["details"]["session"]) == ("SESSION_ALREADY_ACTIVE", first["session"]["id"])
    apart = Shop((side,), shop.hub, shop.tickets)
    assert apart.ok(0, "session-start", "--ticket-id", "T2")["session"]["branch"] == "side"


def test_another_actor_does_not_slip_into_a_living_session(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    assert shop.fails(0, "session-start", "--ticket-id", "T1", "--actor", "agent:b")["code"] == "SESSION_ALREADY_ACTIVE"


def test_without_a_ticket_and_without_a_reservation_a_start_is_refused(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    error = shop.fails(0, "session-start")
    assert (error["code"], error["exit"]) == ("SESSION_TICKET_REQUIRED", 2)


def test_a_ticket_that_another_clone_holds_is_refused_with_its_holder(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    held = shop.ok(0, "session-start", "--ticket-id", "T1", "--actor", "agent:a")
    error = shop.fails(1, "session-start", "--ticket-id", "T1")
    assert (error["code"], error["exit"]) == ("LEASE_HELD", 6)
    assert error["details"]["holder"] == held["session"]["id"]
    assert error["details"]["actor"] == "agent:a"
    assert shop.ok(1, "session-start", "--ticket-id", "T2")["lease"]["epoch"] == 1


def test_of_clones_that_start_at_once_exactly_one_holds(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=3)
    ran = parallel([exo_command(clone, "session-start", "--ticket-id", "T1", "--json") for clone in shop.clones])
    assert sorted(each.exit for each in ran) == [0, 6, 6], [each.out for each in ran]


def test_of_two_that_adopt_one_reservation_at_once_one_holds(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    side = a_side_worktree(shop)
    shop.ok(0, "next", "--ticket-id", "T1")
    ran = parallel(
        [exo_command(place, "session-start", "--ticket-id", "T1", "--json") for place in (shop.clones[0], side)]
    )
    assert sorted(each.exit for each in ran) == [0, 6], [each.out for each in ran]
    states = [item["state"] for item in shop.ok(0, "leases")["items"]]
    assert states == ["held"]


def test_two_starts_at_once_in_one_worktree_leave_one_session(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    wanted = [exo_command(shop.clones[0], "session-start", "--ticket-id", ticket, "--json") for ticket in shop.tickets]
    ran = parallel(wanted)
    assert sorted(each.exit for each in ran) == [0, 1], [each.out for each in ran]
    states = sorted(item["state"] for item in shop.ok(0, "leases")["items"])
    assert states in (["held"], ["held", "released"])


def test_a_preview_shows_the_session_and_leaves_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    before = shop.tip()
    found = shop.ok(0, "session-start", "--ticket-id", "T1", "--dry-run")
    assert (found["session"]["status"], found["bootstrap_path"]) == ("active", None)
    assert shop.tip() == before
    assert shop.ok(0, "leases")["count"] == 0
    assert shop.fails(0, "session-start", "--ticket-id", "TICKET-001", "--dry-run")["code"] == "TICKET_CLOSED"


def test_a_blocked_or_closed_ticket_costs_no_lease(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "ticket-edit", "T1", "--add-blocker", "T2")
    assert shop.fails(0, "session-start", "--ticket-id", "T1")["code"] == "TICKET_BLOCKED"
    assert shop.fails(0, "session-start", "--ticket-id", "TICKET-001")["code"] == "TICKET_CLOSED"
    assert shop.ok(0, "leases")["count"] == 0


def test_without_the_authority_a_start_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    away = shop.lose_hub()
    before = shop.tip()
    error = shop.fails(0, "session-start", "--ticket-id", "T1")
    assert error["exit"] == 8
    assert shop.tip() == before
    shutil.move(away, away.with_name("hub.git"))
    assert shop.ok(0, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 1


def test_a_silent_holder_is_taken_over_with_a_higher_token_and_fenced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "1h", "--actor", "agent:a")
    assert shop.fails(1, "session-start", "--ticket-id", "T1")["code"] == "LEASE_HELD"
    with monkeypatch.context() as later:
        advance(later, TTL_SECONDS * 1.01 + 20)
        assert shop.fails(1, "session-start", "--ticket-id", "T1")["code"] == "LEASE_HELD"
    with monkeypatch.context() as later:
        advance(later, TTL_SECONDS * 1.01 + 60)
        assert shop.ok(1, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2
    before = shop.tip()
    error = shop.fails(0, "session-finish", "--summary", "too late", "--actor", "agent:a")
    assert (error["code"], error["exit"]) == ("SESSION_FENCED", 6)
    assert "epoch 2" in error["message"]
    assert shop.tip() == before


def test_a_silent_holders_ticket_is_handed_out_by_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=1)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "1h")
    assert shop.fails(1, "next")["code"] == "NO_TICKET"
    advance(monkeypatch, TTL_SECONDS * 1.01 + 60)
    assert shop.ok(1, "next")["lease"]["epoch"] == 2


def test_a_claim_whose_call_was_killed_is_given_back_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)

    def killed(_: Context, __: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(Context, "transact", killed)
        with pytest.raises(SystemExit):
            shop.exo(0, "session-start", "--ticket-id", "T1")
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["held"]
    common = locate(shop.clones[0]).common
    [claiming] = live_sessions.listed(common).sessions
    # The call lives as long as this test does, so its claim stands.
    assert shop.fails(0, "session-start", "--ticket-id", "T1")["code"] == "LEASE_HELD"
    dead = msgspec.structs.replace(ancestry.this_process(), started=1)
    live_sessions.write(common, msgspec.structs.replace(claiming, call=dead))
    assert shop.ok(0, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2


def test_a_copied_clone_holds_none_of_the_originals_leases(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    session = shop.ok(0, "session-start", "--ticket-id", "T1")["session"]["id"]
    copied = tmp_path / "copied"
    shutil.copytree(shop.clones[0], copied, symlinks=True)
    copy = Shop((copied,), shop.hub, shop.tickets)
    error = copy.fails(0, "session-finish", "--summary", "me too", "--session", session)
    assert (error["code"], error["exit"]) == ("SESSION_FENCED", 6)
    assert copy.fails(0, "lease-heartbeat", "--force-push", "--session", session)["code"] == "SESSION_FENCED"
    assert shop.ok(0, "session-finish", "--summary", "mine")["released_lease"]


def test_the_session_is_bound_to_the_worktree_and_the_agent_not_to_the_call(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    ran = run(exo_command(shop.clones[0], "session-start", "--ticket-id", "T1", "--json"))
    live = live_sessions.read(locate(shop.clones[0]).common, SessionId(ran.data["session"]["id"]))
    assert live is not None
    assert (live.state, live.worktree, live.epoch) == ("active", str(shop.clones[0]), 1)
    assert live.process is not None
    assert live.process.pid == ancestry.this_process().pid  # what started the call, as an agent does; the call is over
