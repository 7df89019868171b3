"""The clone's lock: one at a time, whoever dies lets go of it, and nobody waits for ever."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from exo_sidecar.store import lock
from exo_sidecar.store.lock import CloneLockTimeout

HOLDER = """
import sys
from pathlib import Path
from exo_sidecar.store import lock
with lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def a_holder(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process that holds the lock until its standard input ends."""
    argv = (sys.executable, "-c", HOLDER, str(folder))
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_the_lock_is_free_again_once_it_was_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "exo"
    for _ in range(2):
        with lock.held(folder):
            pass
    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_while_another_process_holds_it_one_waits_and_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_holder(tmp_path) as process:
        monkeypatch.setattr(lock, "LOCK_WAIT_SECONDS", 0.03)
        with pytest.raises(CloneLockTimeout), lock.held(tmp_path):
            pass
        process.communicate()
    with lock.held(tmp_path):
        pass


def test_a_holder_that_is_killed_lets_go(tmp_path: Path) -> None:
    with a_holder(tmp_path) as process:
        process.kill()
    with lock.held(tmp_path):
        assert (tmp_path / "lock").exists()


def test_of_two_threads_the_second_comes_in_when_the_first_has_left(tmp_path: Path) -> None:
    inside: list[str] = []
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with lock.held(tmp_path):
            inside.append("second")

    with lock.held(tmp_path):
        waiting = threading.Thread(target=second)
        waiting.start()
        entered.wait(10)
        inside.append("first")
    waiting.join(10)
    assert inside == ["first", "second"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / "lock").symlink_to(target)
    with pytest.raises(OSError, match="link"), lock.held(tmp_path):
        pass
    assert not target.exists()
