"""What the tests themselves rely on: barriers, kills, an environment of nobody, no way out of the machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from exo_sidecar.model.ids import Entropy, mint_session
from tests.bench import timing
from tests.support import hostile, hostile_lines
from tests.support.clones import a_fleet
from tests.support.environment import furnish, pinned
from tests.support.inputs import START, FixedClock, seeded
from tests.support.process import Command, data_of, killed, parallel, run, running
from tests.support.repositories import GitFailedError, a_clone, a_hub, a_repository, commit_files, git

SLEEPER = ("sh", "-c", "echo started; exec sleep 30")
APPENDER = "import os; os.write(os.open('out', os.O_APPEND | os.O_CREAT | os.O_WRONLY), b'x' * 10)"


def test_nothing_of_the_person_who_runs_the_tests_is_seen() -> None:
    seen = pinned({"PATH": "/bin", "EXO_ACTOR": "human:me", "GIT_DIR": "/else", "SSH_AUTH_SOCK": "/s"}, Path("/home"))
    assert seen["PATH"] == "/bin"
    assert seen["HOME"] == "/home"
    assert not {"EXO_ACTOR", "GIT_DIR", "SSH_AUTH_SOCK"} & set(seen)


def test_the_environment_of_this_test_is_pinned() -> None:
    assert os.environ["TZ"] == "UTC"
    # No test starts processes that outlive it, unless it is about them.
    assert [name for name in os.environ if name.startswith("EXO_")] == ["EXO_NO_HEARTBEAT"]
    assert (Path(os.environ["HOME"]) / ".gitconfig").is_file()


def test_a_furnished_home_names_the_committer(tmp_path: Path) -> None:
    home = furnish(tmp_path / "home")
    assert git(tmp_path, "config", "--file", str(home / ".gitconfig"), "user.name") == "Ann Tester"


def test_a_connection_that_would_leave_the_machine_is_refused() -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))


def test_a_connection_to_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        assert client.getpeername() == server.getsockname()


def test_a_process_leaves_its_status_and_output(tmp_path: Path) -> None:
    ran = run(
        Command(
            tmp_path, ("sh", "-c", 'read line; echo "{\\"data\\": [1]}"; echo "$line $MARK" >&2; exit 5'), {"MARK": "m"}
        ),
        stdin="typed\n",
    )
    assert (ran.exit, ran.err, ran.data) == (5, "typed m\n", [1])
    assert ran.answer == {"data": [1]}


def test_a_process_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(Command(tmp_path, SLEEPER), timeout_seconds=0.2)


def test_processes_behind_a_barrier_all_run(tmp_path: Path) -> None:
    command = Command(tmp_path, (sys.executable, "-S", "-c", APPENDER))
    assert [ran.exit for ran in parallel([command] * 4)] == [0, 0, 0, 0]
    assert (tmp_path / "out").read_bytes() == b"x" * 40


def test_a_killed_process_says_so_and_keeps_what_it_wrote(tmp_path: Path) -> None:
    ran = killed(Command(tmp_path, SLEEPER), after_seconds=0.3)
    assert (ran.exit, ran.out) == (-9, "started\n")


def test_a_process_that_was_quicker_than_its_killer_ends_as_usual(tmp_path: Path) -> None:
    assert killed(Command(tmp_path, ("true",)), after_seconds=10).exit == 0


def test_a_running_server_ends_with_its_block(tmp_path: Path) -> None:
    with running(Command(tmp_path, SLEEPER)) as process:
        assert process.poll() is None
    assert process.poll() == -9


def test_text_that_is_no_json_has_no_data() -> None:
    assert data_of("three tickets\n") is None
    assert data_of("[]") is None


def test_git_that_refuses_is_an_error_that_quotes_it(tmp_path: Path) -> None:
    with pytest.raises(GitFailedError, match="not a git repository"):
        git(tmp_path, "status")


def test_a_repository_has_one_commit_and_a_clean_status(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert git(repository, "rev-list", "--count", "main") == "1"
    assert git(repository, "status", "--porcelain") == ""


def test_a_repository_without_files_has_an_unborn_head(tmp_path: Path) -> None:
    with pytest.raises(GitFailedError):
        git(a_repository(tmp_path, files={}), "rev-parse", "HEAD")


def test_what_one_clone_pushes_another_pulls(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    tip = commit_files(fleet[0], {"new.txt": "new\n"})
    fleet.git(0, "push", "-q")
    fleet.git(1, "pull", "-q")
    assert fleet.tips("main") == (tip, tip)


def test_a_clone_of_an_empty_hub_can_fill_it(tmp_path: Path) -> None:
    hub = a_hub(tmp_path, files={})
    clone = a_clone(hub)
    tip = commit_files(clone, {"a": "a\n"})
    git(clone, "push", "-q", "origin", "main")
    assert git(hub, "rev-parse", "main") == tip


def test_a_fixed_clock_stands_until_it_is_moved(clock: FixedClock) -> None:
    assert clock() == clock() == START
    clock.advance(-60)
    assert (START - clock()).total_seconds() == 60


def test_seeded_ids_are_the_same_in_every_run(entropy: Entropy) -> None:
    first = mint_session(entropy)
    assert first == mint_session(seeded(0))
    assert first != mint_session(entropy)


def test_what_a_program_takes_leaves_out_what_the_benchmarks_hold(tmp_path: Path) -> None:
    held = bytearray(b"x") * (150 << 20)
    ended = timing.weighed((sys.executable, "-c", "print('said'); raise SystemExit(7)"), tmp_path)
    assert (ended.exit, ended.out) == (7, "said\n")
    assert 0 < ended.used.mib < len(held) >> 20
    with pytest.raises(RuntimeError, match="ended with 7"):
        timing.used((sys.executable, "-c", "raise SystemExit(7)"), tmp_path)


def test_a_long_chain_is_cut_into_segments_that_are_taken(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    lines = list(hostile_lines.random_lines(hostile_lines.SEGMENT_BYTES * 2))
    root = hostile_lines.with_chain(hub, hostile.tree(hub, []), "e" * 16, iter(lines))
    kept = [git(hub, "cat-file", "blob", f"{root}:{hostile.segment_of('e' * 16, number)}") for number in (1, 2, 3)]
    assert "\n".join(kept).encode().splitlines() == lines
    assert max(map(len, kept)) < hostile_lines.SEGMENT_BYTES
