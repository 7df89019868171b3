"""Leases are kept alive by whatever the session does: one heartbeat in the background, and its fate is told."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from exo_sidecar.host import clock, heartbeats, live_sessions
from exo_sidecar.host.heartbeats import Note
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.mcp import calls
from exo_sidecar.mcp.catalogue import offered
from exo_sidecar.mcp.server import Serving
from tests.operations.test_session_start import advance
from tests.support.process import Ran, exo, exo_command, parallel
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

ON: Final = {"EXO_NO_HEARTBEAT": ""}
LEASE: Final = "refs/exo/leases/TICKET-T1"
WAIT_SECONDS: Final = 30.0


def until(found: Callable[[], bool]) -> None:
    """Wait until something is so, WAIT_SECONDS at most."""
    deadline = time.monotonic() + WAIT_SECONDS
    never = threading.Event()
    while not found():
        assert time.monotonic() < deadline, "it did not happen"
        never.wait(0.02)


def a_working_shop(folder: Path, *, clones: int = 1) -> Shop:
    """Return a shop whose first clone works on T1 under a lease of a minute."""
    shop = a_shop(folder, clones=clones)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "60s")
    return shop


def facts(shop: Shop) -> LiveSession:
    """Return the facts of the first clone's only session."""
    (found,) = live_sessions.listed(shop.clones[0] / ".git").sessions
    return found


def note(shop: Shop) -> Note | None:
    return heartbeats.read(shop.clones[0] / ".git", facts(shop).session)


def outcome(shop: Shop) -> str:
    found = note(shop)
    return found.outcome if found else "none"


def age(shop: Shop, seconds: float) -> None:
    """Let the lease, and the session's last sign of life, be older than they are."""
    live = facts(shop)
    assert live.held_from is not None
    older = {"held_from": live.held_from - seconds, "heartbeat": live.heartbeat - seconds}
    live_sessions.write(shop.clones[0] / ".git", msgspec.structs.replace(live, **older))


def forget_attempts(shop: Shop) -> None:
    """Let the last attempt be so old that another one may be made."""
    found = note(shop)
    assert found is not None
    heartbeats.write(shop.clones[0] / ".git", facts(shop).session, msgspec.structs.replace(found, tried=None))


def call(shop: Shop, *words: str) -> Ran:
    """Run a command of the first clone as a process, heartbeats on."""
    ran = exo(shop.clones[0], *words, "--json", env=ON)
    assert ran.exit == 0, ran.out
    return ran


def codes(ran: Ran) -> list[str]:
    return [each["code"] for each in ran.answer["warnings"]]


def on_hub(shop: Shop, *words: str) -> str:
    """Ask C git about the hub."""
    assert shop.hub is not None
    return git(shop.hub, *words)


def value(shop: Shop) -> str:
    """Return the lease as the hub has it."""
    return on_hub(shop, "rev-parse", LEASE)


@pytest.mark.parametrize("words", [("status",), ("ticket-list",)])
def test_any_call_sends_a_heartbeat_that_is_due_and_does_not_wait_for_it(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    shop = a_working_shop(tmp_path)
    before = value(shop)
    age(shop, 50)
    assert codes(call(shop, *words)) == []
    until(lambda: outcome(shop) == "kept")
    assert on_hub(shop, "rev-parse", f"{LEASE}^") == before
    left = facts(shop).lease_seconds_left(clock.boot_clock())
    assert left is not None
    assert left > 40
    after = value(shop)
    assert codes(call(shop, *words)) == []
    assert value(shop) == after


def test_calls_made_at_once_send_one_heartbeat(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    before = value(shop)
    age(shop, 50)
    ran = parallel([exo_command(shop.clones[0], "status", "--json", env=ON) for _ in range(4)])
    assert [each.exit for each in ran] == [0] * 4
    until(lambda: outcome(shop) == "kept")
    assert on_hub(shop, "rev-list", "--count", f"{before}..{LEASE}") == "1"


def test_heartbeats_that_start_at_once_push_once(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    before = value(shop)
    age(shop, 50)
    ran = parallel([exo_command(shop.clones[0], "lease-heartbeat", "--json") for _ in range(3)])
    assert sorted(each.data["pushed"] for each in ran) == [False, False, True]
    assert on_hub(shop, "rev-list", "--count", f"{before}..{LEASE}") == "1"


def test_nothing_is_started_when_nothing_is_due(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    before = value(shop)
    call(shop, "status")
    assert note(shop) is None
    age(shop, 30)
    assert facts(shop).lease_seconds_left(clock.boot_clock()) is not None
    call(shop, "status")
    assert (outcome(shop), value(shop)) == ("none", before)


def test_a_call_is_a_sign_of_life_that_is_noted_once_a_minute(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    age(shop, 300)
    call(shop, "ticket-list")
    assert outcome(shop) == "none"
    alive = facts(shop).heartbeat_age(clock.boot_clock())
    assert alive is not None
    assert alive < 60
    first = note(shop)
    call(shop, "ticket-list")
    assert note(shop) == first


@pytest.mark.parametrize("words", [("status", "--offline"), ("next", "--dry-run"), ("ticket-list", "--session", "T2")])
def test_some_calls_are_no_occasion(tmp_path: Path, words: tuple[str, ...]) -> None:
    shop = a_working_shop(tmp_path)
    age(shop, 50)
    exo(shop.clones[0], *words, env=ON)
    exo(shop.clones[0], "status", env={"EXO_NO_HEARTBEAT": "1"})
    assert note(shop) is None


def test_a_caller_without_a_session_keeps_nobody_elses_lease_alive(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    age(shop, 50)
    assert exo(shop.clones[0], "status", "--actor", "agent:other", env=ON).exit == 0
    assert note(shop) is None


def test_a_hub_that_is_silent_slows_no_call_and_the_next_one_tells(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    age(shop, 50)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"git://127.0.0.1:{silent.getsockname()[1]}/hub.git"
        git(shop.clones[0], "remote", "set-url", "origin", address)
        began = time.monotonic()
        assert codes(call(shop, "status")) == []
        assert time.monotonic() - began < 5  # the hub is waited for longer than that
        assert outcome(shop) == "started"
    until(lambda: outcome(shop) == "failed")
    told = call(shop, "ticket-list")
    assert codes(told) == ["REMOTE_UNREACHABLE"]
    assert "the lease of TICKET-T1 could not be kept alive" in told.answer["warnings"][0]["message"]
    assert "could not be kept alive" in call(shop, "status").data["lease"]["trouble"]
    git(shop.clones[0], "remote", "set-url", "origin", str(shop.hub))
    forget_attempts(shop)
    call(shop, "ticket-list")
    until(lambda: outcome(shop) == "kept")
    assert codes(call(shop, "ticket-list")) == []


def test_a_lease_that_was_taken_is_told_by_the_next_call_and_by_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_working_shop(tmp_path, clones=2)
    shop.ok(1, "leases")
    with monkeypatch.context() as later:
        advance(later, 200)
        shop.ok(1, "session-start", "--ticket-id", "T1", "--actor", "agent:quick")
    taken = value(shop)
    age(shop, 50)
    call(shop, "status")
    until(lambda: outcome(shop) == "lost")
    told = call(shop, "ticket-list")
    assert codes(told) == ["LEASE_LOST"]
    assert "held by agent:quick" in told.answer["warnings"][0]["message"]
    assert call(shop, "status").data["lease"]["is_lost"]
    assert "lost; token 1 counts no more" in exo(shop.clones[0], "status", env=ON).out
    forget_attempts(shop)
    call(shop, "status")
    assert (outcome(shop), value(shop)) == ("lost", taken)


def test_a_loss_that_the_ledger_knows_already_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_working_shop(tmp_path, clones=2)
    shop.ok(1, "leases")
    with monkeypatch.context() as later:
        advance(later, 200)
        shop.ok(1, "session-start", "--ticket-id", "T1", "--actor", "agent:quick")
    shop.ok(0, "sync")
    age(shop, 50)
    call(shop, "status")
    until(lambda: outcome(shop) == "lost")
    assert "LEASE_LOST" in codes(call(shop, "ticket-list"))


def test_a_write_after_the_own_deadline_is_warned_and_never_refused(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    assert codes(exo(shop.clones[0], "ticket-edit", "T1", "--title", "One", "--json")) == []
    age(shop, 56)
    late = exo(shop.clones[0], "ticket-edit", "T1", "--title", "Another", "--json")
    assert late.exit == 0, late.out
    assert codes(late) == ["LEASE_DEADLINE_PASSED"]
    assert codes(exo(shop.clones[0], "ticket-list", "--json")) == []


def test_a_tool_call_is_an_occasion_too(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    before = value(shop)
    age(shop, 50)
    serving = Serving("all", "stdio", 0, read_only=False, repo=shop.clones[0], environ={**os.environ, **ON})
    caller = calls.Caller("client", lambda _: None)
    tools = offered(read_only=False)
    whose = {"actor": facts(shop).actor}
    assert not calls.call(tools, serving, "exo_ticket_list", whose, caller).is_error
    until(lambda: outcome(shop) == "kept")
    assert value(shop) != before
    shop.lose_hub()
    age(shop, 50)
    forget_attempts(shop)
    assert calls.call(tools, serving, "exo_ticket_show", {**whose, "id": "NOTHING"}, caller).is_error
    until(lambda: outcome(shop) == "failed")
    told = calls.call(tools, serving, "exo_ticket_list", whose, caller)
    assert any("could not be kept alive" in str(each) for each in told.content)


def test_without_a_remote_the_same_holds(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--ttl", "60s")
    before = git(shop.clones[0], "rev-parse", LEASE)
    age(shop, 50)
    call(shop, "status")
    until(lambda: outcome(shop) == "kept")
    assert git(shop.clones[0], "rev-parse", LEASE) != before


def test_what_was_noted_goes_with_the_session(tmp_path: Path) -> None:
    shop = a_working_shop(tmp_path)
    age(shop, 50)
    call(shop, "status")
    until(lambda: outcome(shop) == "kept")
    shop.ok(0, "session-finish", "--summary", "s")
    assert list((shop.clones[0] / ".git/exo/heartbeats").iterdir()) == []
    assert json.loads(exo(shop.clones[0], "status", "--json", env=ON).out)["data"]["session"] is None
