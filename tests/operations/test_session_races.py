"""Two commands of one session at once: whichever comes second, the clone is whole afterwards and says so."""

import os
from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.operations import session_suspending
from exo_sidecar.operations.context import Context
from tests.support.process import Command, Ran, exo_command, parallel
from tests.support.repositories import commit_files, git
from tests.support.working import Shop, a_shop

ACTOR: Final = ("--actor", "agent:a")
CALLS: Final = {
    "suspend": ("session-suspend", "--reason", "lunch"),
    "finish": ("session-finish", "--summary", "done", "--set-status", "todo", "--reason", "raced"),
    "handoff": ("session-handoff", "--to", "agent:a", "--summary", "raced"),
    "heartbeat": ("lease-heartbeat",),
    "push": ("push",),
}
CODES: Final = frozenset({0, 1, 5, 6, 8})
"""Done, refused, or to be tried again: never our own fault, never a record that does not verify."""


def _late(command: Command, seconds: float) -> Command:
    """Return a command that begins a little later: started together, the shorter way is always the first."""
    return command._replace(argv=("sh", "-c", f'sleep {seconds}; exec "$@"', "sh", *command.argv))


def race(shop: Shop, pair: tuple[tuple[str, float], tuple[str, float]]) -> list[Ran]:
    """Begin a session, let two of its commands go at once, and look at the clone; then bring the session to its end."""
    clone = shop.clones[0]
    shop.ok(0, "session-start", "--ticket-id", "T1", *ACTOR)
    commit_files(clone, {"work.txt": os.urandom(4).hex()}, "work")
    ran = parallel([_late(exo_command(clone, *CALLS[name], "--json", *ACTOR), after) for name, after in pair])
    told = [(each.exit, each.out, each.err) for each in ran]
    assert {each.exit for each in ran} <= CODES, told
    doctor = shop.exo(0, "doctor")
    assert doctor.exit == 0, (pair, doctor.out, told)
    valid = shop.exo(0, "validate")
    assert valid.exit == 0, (pair, valid.out, told)
    assert git(clone / ".exo", "status", "--porcelain") == ""
    end(shop)
    return ran


def end(shop: Shop) -> None:
    """End whatever session is left."""
    left = {each["status"] for each in shop.ok(0, "session-scan")["items"]}
    if "suspended" in left:
        shop.ok(0, "session-resume", *ACTOR)
    if left:
        shop.ok(0, *CALLS["finish"], *ACTOR)
    assert shop.exo(0, "doctor").exit == 0


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a clone of a hub that sessions are raced in, one after the other."""
    shop = a_shop(tmp_path)
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    return shop


@pytest.mark.parametrize("stash", [(), ("--stash",)])
def test_a_suspension_that_a_finish_came_before_leaves_no_session_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, stash: tuple[str, ...]
) -> None:
    shop.ok(0, "session-start", "--ticket-id", "T1", *ACTOR)

    def finished(_: Context) -> tuple[str, ...]:
        shop.ok(0, *CALLS["finish"], *ACTOR)
        return ()

    monkeypatch.setattr(session_suspending, "_uncommitted", finished)
    error = shop.fails(0, *CALLS["suspend"], *stash, *ACTOR)
    assert (error["code"], error["exit"]) == ("SESSION_NOT_ACTIVE", 1)
    assert shop.exo(0, "doctor").exit == 0
    assert list((shop.clones[0] / ".git" / "exo" / "sessions").glob("SES-*.json")) == []


def test_what_a_killed_suspension_noted_of_a_session_that_had_finished_is_no_lost_lease(shop: Shop) -> None:
    session = shop.ok(0, "session-start", "--ticket-id", "T1", *ACTOR)["session"]["id"]
    note = shop.clones[0] / ".git" / "exo" / "sessions" / f"{session}.json"
    noted = note.read_bytes()
    shop.ok(0, *CALLS["finish"], *ACTOR)
    assert not note.exists()
    note.write_bytes(noted)
    doctor = shop.exo(0, "doctor")
    assert (doctor.exit, "LEASE_LOST" in doctor.out) == (0, False)
    shop.ok(0, "session-start", "--ticket-id", "T1", *ACTOR)
    assert not note.exists()


@pytest.mark.parametrize(
    "pair",
    [
        (("suspend", 0), ("finish", 0)),
        (("suspend", 0.1), ("finish", 0)),
        (("handoff", 0), ("suspend", 0.05)),
        (("suspend", 0), ("heartbeat", 0.1)),
        (("finish", 0), ("push", 0)),
    ],
)
def test_two_commands_of_one_session_at_once_leave_the_clone_whole(
    shop: Shop, pair: tuple[tuple[str, float], tuple[str, float]]
) -> None:
    assert 0 in {each.exit for each in race(shop, pair)}
