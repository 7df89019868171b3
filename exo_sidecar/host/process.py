"""Programs started from here, alone or several at the same moment: bounded in time and output, never left running.

The only place of this room that imports subprocess. A child gets its own process group, no terminal and no input of
ours, and the environment that the caller hands in.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from exo_sidecar.model.errors import Environment, TimedOut

TIMEOUT_SECONDS: Final = 30.0
OUTPUT_MAX_BYTES: Final = 64 * 1024 * 1024
_CHUNK_BYTES: Final = 1 << 16
_BARRIER: Final = 'read _; exec "$@" </dev/null'
"""Waits until its standard input ends. All children share one pipe, so closing it lets them go at once."""
_LOOK_SECONDS: Final = 0.2
"""How soon it is noticed that a program has ended that left something running which holds its output open."""
_WATCHED: Final = '( ( read _ <&3; kill -KILL 0 ) >/dev/null 2>&1 & ) 3<&0; exec "$@" </dev/null'
"""Becomes the program; a guard beside it kills the whole group when we are gone, as our end of the pipe closes."""


class ProgramMissing(Environment):
    """A program is not installed, or not on the search path."""

    code = "PROGRAM_MISSING"
    advice = "install it, or put it on PATH"


class OutputTooLarge(Environment):
    """A program wrote more than anybody could read."""

    code = "OUTPUT_TOO_LARGE"


class Command(NamedTuple):
    """What to start, and where."""

    cwd: Path
    argv: tuple[str, ...]


class Ran(NamedTuple):
    """How a program ended."""

    status: int
    """Its exit status; negative: the signal that ended it."""
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """The last line that it wrote to stderr, else its status: what programs end with when they fail."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"status {self.status}"


class Supervised(NamedTuple):
    """How a program ended that somebody else wrote."""

    status: int | None
    """Its exit status, negative for a signal; None: its time was up."""
    output: bytes
    """The last of what it wrote, both streams as they came."""
    seconds: float


def supervise(
    command: Command,
    *,
    environ: Mapping[str, str],
    timeout_seconds: float,
    keep_bytes: int,
    tick: Callable[[float], None],
) -> Supervised:
    """Run a program that may be slow, talkative, or leave others running, to its end or its limit.

    Nothing of its process group is left afterwards, nor of its descendants at the limit, nor of the group when this
    process is killed meanwhile. Of its output the last `keep_bytes` are kept. `tick` hears now and then how long it has
    been running. ProgramMissing where there is no shell to start it by, or no such folder.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb"):  # closed at the end, or when this process is killed
        words = ("sh", "-c", _WATCHED, "sh", *command.argv)
        try:
            process = _start(words, command.cwd, environ, reading, stderr=subprocess.STDOUT)
        finally:
            os.close(reading)
        started = time.monotonic()
        try:
            output = _tail(process, started + timeout_seconds, keep_bytes, lambda now: tick(now - started))
            status = process.poll()
            if status is None:
                _kill_descendants(process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            _end(process)
        return Supervised(status, output, time.monotonic() - started)


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    timeout_seconds: float = TIMEOUT_SECONDS,
    output_max_bytes: int = OUTPUT_MAX_BYTES,
) -> Ran:
    """Run a program to its end and return what it said.

    Raises:
        TimedOut: it ran longer than `timeout_seconds`; its whole process group was killed.
        OutputTooLarge: its output passed `output_max_bytes`; killed likewise.
        ProgramMissing: there is no such program.
    """
    with _started(argv, cwd, environ) as process:
        return _finish([process], argv[0], timeout_seconds, output_max_bytes)[0]


def start_detached(argv: Sequence[str], *, environ: Mapping[str, str]) -> None:
    """Start a program that goes on when we are gone, in a session of its own, reading and writing nothing of ours.

    Raises:
        TimedOut: the shell in between did not come to its end.
        ProgramMissing: there is no shell.
    """
    # A shell in between makes it nobody's child: no zombie is left where we live on, as a server does.
    words = ("sh", "-c", 'trap "" HUP; "$@" &', "sh", *argv)
    nowhere = subprocess.DEVNULL
    try:
        shell = subprocess.Popen(
            words, env=dict(environ), stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
    except FileNotFoundError as error:
        message = f"{words[0]} was not found"
        raise ProgramMissing(message) from error
    try:
        shell.wait(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        shell.kill()
        shell.wait()
        raise _too_slow(words[0]) from error


def run_together(
    commands: Sequence[Command],
    *,
    environ: Mapping[str, str],
    timeout_seconds: float = TIMEOUT_SECONDS,
    output_max_bytes: int = OUTPUT_MAX_BYTES,
) -> tuple[Ran, ...]:
    """Start all programs, let them go at the same moment, and return how each ended, in order.

    Raises as `run` does; `timeout_seconds` and `output_max_bytes` hold for all of them together.
    """
    reading, writing = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reading)
        with os.fdopen(writing, "wb"):
            processes = [
                stack.enter_context(_started(("sh", "-c", _BARRIER, "sh", *argv), cwd, environ, stdin=reading))
                for cwd, argv in commands
            ]
        return tuple(_finish(processes, commands[0].argv[0], timeout_seconds, output_max_bytes)) if processes else ()


@contextlib.contextmanager
def _started(
    argv: Sequence[str], cwd: Path, environ: Mapping[str, str], *, stdin: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program in a process group of its own, which is killed at the end whatever happens."""
    process = _start(argv, cwd, environ, stdin)
    try:
        yield process
    finally:
        _end(process)


def _finish(
    processes: Sequence["subprocess.Popen[bytes]"], name: str, timeout_seconds: float, output_max_bytes: int
) -> list[Ran]:
    said = _read(processes, name, time.monotonic() + timeout_seconds, output_max_bytes)
    try:
        # All pipes are closed, so what is left is the exits themselves.
        statuses = [process.wait(timeout=timeout_seconds) for process in processes]
    except subprocess.TimeoutExpired as error:
        raise _too_slow(name) from error
    return [Ran(status, *streams) for status, streams in zip(statuses, said, strict=True)]


def _tail(process: "subprocess.Popen[bytes]", deadline: float, keep_bytes: int, tick: Callable[[float], None]) -> bytes:
    """Return the last of what a program writes until it ends or `deadline` has come."""
    pipe = _number(process.stdout)
    parts: deque[bytes] = deque()
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (now := time.monotonic()) < deadline:
            tick(now)
            has_ended = process.poll() is not None
            if has_ended:  # what it left running may write for ever
                deadline = min(deadline, now + _LOOK_SECONDS)
            if not selector.select(0 if has_ended else min(_LOOK_SECONDS, deadline - now)):
                if has_ended:
                    break
                continue
            chunk = os.read(pipe, _CHUNK_BYTES)
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0.0, deadline - now))
                break
            parts.append(chunk)
            size += len(chunk)
            while size - len(parts[0]) >= keep_bytes:
                size -= len(parts.popleft())
    return b"".join(parts)[-keep_bytes:]


def _kill_descendants(pid: int) -> None:
    """Kill what a program has started, and what that has, wherever it went."""
    import psutil  # noqa: PLC0415 - only what takes too long pays for it

    with contextlib.suppress(psutil.Error):
        for descendant in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                descendant.kill()


def _start(
    argv: Sequence[str], cwd: Path, environ: Mapping[str, str], stdin: int, *, stderr: int = subprocess.PIPE
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(environ),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            process_group=0,
        )
    except FileNotFoundError as error:
        message = f"{argv[0]} was not found, or the folder {cwd} is gone"
        raise ProgramMissing(message) from error


def _read(
    processes: Sequence["subprocess.Popen[bytes]"], name: str, deadline: float, limit: int
) -> list[tuple[bytes, bytes]]:
    """Return both streams of each process, read side by side so that none can block its writer."""
    pairs = [(_number(process.stdout), _number(process.stderr)) for process in processes]
    parts: dict[int, list[bytes]] = {number: [] for pair in pairs for number in pair}
    size = 0
    with selectors.DefaultSelector() as selector:
        for number in parts:
            selector.register(number, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_slow(name)
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fd)
                parts[key.fd].append(chunk)
                size += len(chunk)
            if size > limit:
                message = f"{name} wrote more than {limit} bytes"
                raise OutputTooLarge(message)
    return [(b"".join(parts[out]), b"".join(parts[err])) for out, err in pairs]


def _number(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        message = "a program is read through two pipes"
        raise ValueError(message)
    return pipe.fileno()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of the group and close the pipes."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _too_slow(name: str) -> TimedOut:
    return TimedOut(f"{name} took longer than its time limit", hint="try again when the machine is less busy")
