"""Real processes: one, many behind a barrier, and one that is killed in the middle.

Output goes to temporary files rather than pipes: a child that fills a pipe while it holds the clone's lock would
stop the others, and the test would measure its own plumbing.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

TIMEOUT_SECONDS: Final = 60.0
_BARRIER: Final = 'read _; exec "$@" </dev/null'
"""Waits until its standard input ends: all children share one pipe, so closing it starts them at once."""


class Command(NamedTuple):
    """What to start, and where; `env` is added to the environment of the tests."""

    cwd: Path
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}


class Ran(NamedTuple):
    """What a process left behind; `data` is the JSON object on its stdout's `data`, None when there is none."""

    exit: int
    out: str
    err: str
    data: Any
    """JSON: what a test expects of it stands in its asserts."""

    @property
    def answer(self) -> Any:  # noqa: ANN401 - JSON, as above
        """The whole JSON object on stdout, which is how a refusal's `error` is read."""
        return json.loads(self.out)


def exo_command(cwd: Path, *args: str, env: Mapping[str, str] | None = None) -> Command:
    """Return the command that runs `exo` with this interpreter and this working tree, whatever is installed."""
    return Command(cwd, (sys.executable, "-P", "-m", "exo_sidecar", *args), env or {})


def exo(
    cwd: Path,
    *args: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Ran:
    """Run `exo` as a real process in `cwd` and return what it left behind; it has no terminal."""
    return run(exo_command(cwd, *args, env=env), stdin=stdin, timeout_seconds=timeout_seconds)


def run(command: Command, *, stdin: str = "", timeout_seconds: float = TIMEOUT_SECONDS) -> Ran:
    """Run any command to its end; its whole process group is killed when the time is over."""
    with _captured() as (out, err), tempfile.TemporaryFile("w+") as typed:
        typed.write(stdin)
        typed.seek(0)
        with _started(command, typed.fileno(), out, err) as process:
            process.wait(timeout_seconds)
        return _ran(process.returncode, out, err)


def parallel(commands: Sequence[Command], *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[Ran]:
    """Start all commands behind a barrier, let them go at once, and return what each left behind, in order."""
    reading, writing = os.pipe()
    deadline = time.monotonic() + timeout_seconds
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reading)
        with os.fdopen(writing, "wb"):
            children = []
            for command in commands:
                out, err = stack.enter_context(_captured())
                waiting = command._replace(argv=("sh", "-c", _BARRIER, "sh", *command.argv))
                children.append((stack.enter_context(_started(waiting, reading, out, err)), out, err))
        for process, _, _ in children:
            process.wait(max(deadline - time.monotonic(), 0.01))
        return [_ran(process.returncode, out, err) for process, out, err in children]


def killed(command: Command, *, after_seconds: float) -> Ran:
    """Start `command` and kill its process group with SIGKILL after a while; `exit` is -9 unless it was quicker."""
    with _captured() as (out, err):
        with _started(command, subprocess.DEVNULL, out, err) as process, contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after_seconds)
        return _ran(process.returncode, out, err)


@contextlib.contextmanager
def running(command: Command) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a command running, a server for example, while the block is executed; then kill its process group."""
    with _started(command, subprocess.DEVNULL, subprocess.DEVNULL, subprocess.DEVNULL) as process:
        yield process


@contextlib.contextmanager
def _started(
    command: Command, stdin: int, out: IO[bytes] | int, err: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """Start in a process group of its own, which is killed at the end whatever happens."""
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env={**os.environ, **command.env},
        stdin=stdin,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(TIMEOUT_SECONDS)


@contextlib.contextmanager
def _captured() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        yield out, err


def _ran(status: int, out: IO[bytes], err: IO[bytes]) -> Ran:
    out.seek(0)
    err.seek(0)
    text = out.read().decode()
    return Ran(status, text, err.read().decode(), data_of(text))


def data_of(text: str) -> Any:  # noqa: ANN401 - JSON: what a test expects of it stands in its asserts
    """Return `data` of the JSON object that `text` is, None when it is something else."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer.get("data") if isinstance(answer, dict) else None
