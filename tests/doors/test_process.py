"""The program as a process: readers that go away, interruptions, the first word."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from exo_sidecar import __version__
from tests.support.process import exo
from tests.support.repositories import a_repository


def test_the_version_is_one_line(tmp_path: Path) -> None:
    ran = exo(tmp_path, "--version")
    assert (ran.exit, ran.out, ran.err) == (0, f"exo {__version__}\n", "")


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "exo_sidecar", "--help"],
            cwd=tmp_path,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.fixture
def _heard() -> Iterator[None]:
    """Let children hear an interruption also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heard")
def test_an_interruption_exits_130_without_a_traceback(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "exo_sidecar", "ticket-create", "x", "--boundary", "-"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        while not _reads_stdin(process.pid):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert b"Traceback" not in process.stderr.read()


def _reads_stdin(pid: int) -> bool:
    """Whether the process waits in a read of its standard input; where that cannot be seen, after its imports."""
    waiting = Path(f"/proc/{pid}/syscall")
    try:
        return waiting.read_text().startswith("0 0x0 ") if waiting.exists() else _sleeps(pid)
    except OSError:
        return _sleeps(pid)


def _sleeps(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_SLEEPING and psutil.Process(pid).cpu_times().user > 0.05


def test_common_options_mean_the_same_before_and_behind_the_command(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    behind = exo(repository, "status", "--json")
    before = exo(repository, "--json", "status")
    assert (behind.exit, behind.out) == (before.exit, before.out)
    assert behind.data["initialized"] is False


def test_what_cannot_be_parsed_is_explained_to_hot_commands_too(tmp_path: Path) -> None:
    ran = exo(a_repository(tmp_path), "status", "--nonsense", "--json")
    assert ran.exit == 2
    assert ran.answer["error"]["kind"] == "Usage"


def test_help_is_there_for_hot_commands_too(tmp_path: Path) -> None:
    ran = exo(tmp_path, "status", "--help")
    assert ran.exit == 0
    assert "Usage: exo status" in ran.out
