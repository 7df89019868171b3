"""Processes that are ready to work: `exo` forked from a server that has imported everything already.

A kill that is meant for the work of an operation must not land in the start of the interpreter, and calls that are
meant to meet must start within a millisecond. Each call is a real process, leader of a process group of its own.
`python -m tests.support.forked` is the server; `Forks` talks to it.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Self

from exo_sidecar.host import advice_facts, clock
from exo_sidecar.model.boot import BootClock
from tests.support.process import Ran, data_of

WAIT_SECONDS: Final = 60.0
NEVER: Final = 0
_POLL_SECONDS: Final = 0.002
_CHANGES: Final = frozenset(
    {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "fcntl.flock", "subprocess.Popen"}
)
_AHEAD: Final = (
    "dulwich.client",
    "dulwich.object_store",
    "dulwich.pack",
    "exo_sidecar.cli.main",
    "exo_sidecar.cli.command",
    "exo_sidecar.cli.render",
    "exo_sidecar.git.push",
    "exo_sidecar.git.fetch",
    "exo_sidecar.git.transports",
    "exo_sidecar.operations.lease",
    "exo_sidecar.operations.next",
    "exo_sidecar.operations.reserving",
    "exo_sidecar.operations.session",
    "exo_sidecar.operations.sync",
    "exo_sidecar.operations.ticket",
    "filelock",
    "psutil",
    "yaml",
)
"""Imported before the first fork; each is imported by some operation on its way."""


class Work(NamedTuple):
    """A command line for one forked process."""

    cwd: Path
    args: tuple[str, ...]
    env: Mapping[str, str] = {}
    begin_at: float = 0.0
    """Monotonic time before which it does not begin: several that name the same one meet."""
    die_at: int = NEVER
    """Kills itself just before its Nth change of the file system, lock, or process that it starts."""
    die_before: str = ""
    """Of those changes only they count of which a path or a word of the command holds this."""
    at: float = 0.0
    """What both of its clocks say, in seconds since 1970; 0: what they say in life."""


class Call:
    """A process at work; `wait` or `kill` ends it."""

    def __init__(self, server: "Forks", pid: int, out: Path, err: Path) -> None:
        self.pid = pid
        self._server = server
        self._out = out
        self._err = err

    def wait(self) -> Ran:
        """Return what it left behind once it has ended; it is killed when that takes too long."""
        status = self._server.ended(self.pid, WAIT_SECONDS)
        text = self._out.read_text()
        ran = Ran(status, text, self._err.read_text(), data_of(text))
        self._out.unlink()
        self._err.unlink()
        return ran

    def kill(self, *, after_seconds: float) -> Ran:
        """Kill its process group with SIGKILL after a while; `exit` is -9 unless it was quicker."""
        status = self._server.ended(self.pid, after_seconds, kill=True)
        if not self._err.exists():  # it came to nothing
            self._out.unlink(missing_ok=True)
            return Ran(status, "", "", None)
        text = self._out.read_text()
        ran = Ran(status, text, self._err.read_text(), data_of(text))
        self._out.unlink()
        self._err.unlink()
        return ran


class Forks:
    """The server's other end; use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", "tests.support.forked"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),  # and nothing else: readline puts COLUMNS where only the C library sees it
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(WAIT_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def start(self, work: Work) -> Call:
        """Start one process; it leads its own group when this returns."""
        self._count += 1
        out, err = (self._folder / f"{self._count}.{name}" for name in ("out", "err"))
        asked = {**work._asdict(), "cwd": str(work.cwd), "out": str(out), "err": str(err)}
        return Call(self, self._ask({"start": asked}), out, err)

    def run(self, cwd: Path, *args: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run one command line to its end."""
        return self.start(Work(cwd, args, env or {})).wait()

    def together(self, works: list[Work], *, ahead_seconds: float = 0.03) -> list[Ran]:
        """Run several that begin at one moment and return what each left behind, in order."""
        moment = time.monotonic() + ahead_seconds
        calls = [self.start(work._replace(begin_at=moment)) for work in works]
        return [call.wait() for call in calls]

    def ended(self, pid: int, seconds: float, *, kill: bool = False) -> int:
        """Return the exit status of a process, killing it after so many seconds."""
        status = self._ask({"wait": pid, "seconds": seconds})
        assert status != _KILLED_LATE or kill, f"{pid} did not end within {seconds} s"
        return -signal.SIGKILL if status == _KILLED_LATE else status

    def _ask(self, question: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


_KILLED_LATE: Final = -1000
"""What the server answers for a process that it killed because its time was over."""


@contextlib.contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    """Yield a running server whose files are in `folder`."""
    with Forks(folder) as server:
        yield server


def serve(asked: IO[str], answers: IO[str]) -> None:
    """Answer one question a line until there are no more."""
    for name in _AHEAD:
        importlib.import_module(name)
    advice_facts.machine = lambda: advice_facts.Machine(8, 0.5, 16_000)  # how busy the machine is changes no answer
    for line in asked:
        question = json.loads(line)
        answer = _forked(question["start"]) if "start" in question else _ended(question["wait"], question["seconds"])
        answers.write(f"{answer}\n")
        answers.flush()


def _forked(work: dict[str, Any]) -> int:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.setsid()
        os.write(writing, b"1")
        os.close(writing)
        status = 70
        try:
            status = _work(_work_of(work), work["out"], work["err"])
        finally:
            os._exit(status)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    return pid


def _work_of(asked: dict[str, Any]) -> Work:
    return Work(
        Path(asked["cwd"]),
        tuple(asked["args"]),
        asked["env"],
        asked["begin_at"],
        asked["die_at"],
        asked["die_before"],
        asked["at"],
    )


def _work(work: Work, out: str, err: str) -> int:
    """Run the command line as `python -m exo_sidecar` would."""
    run = importlib.import_module("exo_sidecar.cli.main").run
    os.chdir(work.cwd)
    with Path(out).open("w") as stdout, Path(err).open("w") as stderr:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout.fileno(), 1)
        os.dup2(stderr.fileno(), 2)
        environ = {**os.environ, **work.env}
        os.environ.update(work.env)
        while time.monotonic() < work.begin_at:
            time.sleep(max(0.0, min(_POLL_SECONDS, work.begin_at - time.monotonic())))
        if work.at:
            defaults = importlib.import_module("exo_sidecar.operations.context").Context.open.__kwdefaults__
            defaults["clock"] = lambda: datetime.fromtimestamp(work.at, UTC)
            clock.boot_clock = lambda: BootClock(clock.boot_id(), work.at)
        if work.die_at != NEVER:
            sys.addaudithook(_Death(work.die_at, work.die_before))
        status: int = run(list(work.args), environ=environ, cwd=Path.cwd(), stdout=stdout, stderr=stderr)
    return status


class _Death:
    """Kills this process group before the Nth event that changes something, or something that `named` is part of."""

    def __init__(self, number: int, named: str) -> None:
        self._left = number
        self._named = named

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        is_change = event in _CHANGES or (
            event == "open" and isinstance(args[2], int) and bool(args[2] & (os.O_CREAT | os.O_TRUNC))
        )
        if not is_change or self._named not in str(args):
            return
        self._left -= 1
        if self._left == 0:
            os.killpg(0, signal.SIGKILL)


def _ended(pid: int, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(max(0.0, min(_POLL_SECONDS, deadline - time.monotonic())))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    ended_by_itself = not os.WIFSIGNALED(status)
    return os.waitstatus_to_exitcode(status) if ended_by_itself else _KILLED_LATE


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
