"""C git, and ssh: the only place in this room that starts a process.

Every child gets an environment without GIT_* (a git hook leaks GIT_DIR and its like into children), its own process
group, and a time limit after which that whole group is killed. Nothing here ever asks on a terminal.
"""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.errors import GitRequired, TimedOut

QUICK_SECONDS: Final = 10.0
"""For calls that answer at once unless something is broken."""
CREDENTIAL_SECONDS: Final = 15.0
"""A credential helper may have to unlock a key ring."""
CLOSE_SECONDS: Final = 30.0
"""For a server on this machine that still runs its hooks after it has reported."""
_KEPT: Final = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
"""They say which settings are the user's; everything else of GIT_* is about another repository or another command."""
_ALWAYS: Final = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1"}
"""Nothing stands for a commit but itself: what is recorded of it must hold in every clone (`git replace` is local)."""
_OF_THE_USER: Final = ("GIT_SSH_COMMAND", "GIT_SSH", "GIT_SSH_VARIANT", "GIT_ASKPASS")
"""How the user's own pushes reach a server."""
GUARDED: Final = "EXO_PUSH"
"""Tells the hooks of a push that it is exo's own, so that they do not check the lease once more."""
PLAIN: Final = ("-c", "core.fsmonitor=false")
"""Git looks for itself: a monitor that is broken or lies would have files look unchanged that are not."""
_NO_HOOKS: Final = ("-c", "core.hooksPath=/dev/null", *PLAIN)


class Finished(NamedTuple):
    """How a process ended."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """The last line that it wrote to stderr: what git ends with when it fails."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("fatal: ") if lines else "git gave no reason"


class Credentials(NamedTuple):
    """What a credential helper knows for an address; never printed."""

    username: str
    password: str


class Child:
    """A process that is talked to through pipes, in the shape that dulwich's protocol classes expect."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            message = "a child is talked to through three pipes"
            raise ValueError(message)
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self.stderr = process.stderr
        self.read = process.stdout.read

    def write(self, data: bytes) -> int:
        """Send all of `data`; blocks while the pipe is full."""
        sent = self._stdin.write(data)
        self._stdin.flush()
        return sent

    def can_read(self) -> bool:
        """Whether a read would return something now."""
        return bool(select.select([self._stdout.fileno()], [], [], 0)[0])

    def kill(self) -> None:
        """Kill the whole process group; a process that is gone already is no error."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the pipes and wait for the end, CLOSE_SECONDS at most, then kill."""
        for pipe in (self._stdin, self._stdout, self.stderr):
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
        try:
            self._process.wait(timeout=CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child: ours, without what speaks of another repository, never prompting."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    return kept | _ALWAYS | dict(extra or {})


def run(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    stdin: bytes = b"",
    timeout_seconds: float = QUICK_SECONDS,
    hooks: bool = False,
    extra: Mapping[str, str] | None = None,
) -> Finished:
    """Run `git <arguments>` to its end, hooks off unless wanted; TimedOut after `timeout_seconds`, GitRequired.

    `extra` is added to the environment that `environment` makes.
    """
    process = _start(["git", *(() if hooks else _NO_HOOKS), *arguments], cwd=cwd, extra=extra)
    return _finished(process, arguments[0], stdin, timeout_seconds)


def run_holding(arguments: Sequence[str], handle: int, *, cwd: Path, timeout_seconds: float) -> Finished:
    """Run `git <arguments>` to its end with a lock's handle open in it: when we die, git holds the lock on."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            ["git", *_NO_HOOKS, *arguments],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            process_group=0,
            pass_fds=(handle,),
        )
    except FileNotFoundError as error:
        message = "git was not found on the search path"
        raise GitRequired(message) from error
    return _finished(process, arguments[0], None, timeout_seconds)


def blob_into(oid: str, handle: int, *, cwd: Path, timeout_seconds: float) -> bool:
    """Write a blob, as it is stored, to an open file, however large it is; whether git could; TimedOut, GitRequired."""
    words = ["git", *_NO_HOOKS, "cat-file", "blob", oid]
    nowhere = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            words, cwd=cwd, env=environment(), stdin=nowhere, stdout=handle, stderr=nowhere, process_group=0
        )
    except FileNotFoundError as error:
        message = "git was not found on the search path"
        raise GitRequired(message) from error
    _finished(process, "cat-file", None, timeout_seconds)
    return process.returncode == 0


def push(words: Sequence[str], *, cwd: Path, timeout_seconds: float) -> Finished:
    """Run `git push <words>` as the user would: with hooks, filters, credentials, signing; TimedOut, GitRequired."""
    kept = {name: os.environ[name] for name in _OF_THE_USER if name in os.environ} | {GUARDED: "1"}
    # Ids are told whole, so that what the server had can be reported.
    process = _start(["git", "-c", "core.abbrev=40", "push", *words], cwd=cwd, extra=kept)
    return _finished(process, "push", b"", timeout_seconds)


def serve(service: str, path: str, *, version_2: bool) -> Child:
    """Start `git upload-pack` or `git receive-pack` on the repository at `path`; hooks of that repository do run."""
    extra = {"GIT_PROTOCOL": "version=2"} if version_2 else None
    return Child(_start(["git", service, path], cwd=None, extra=extra))


def shell(words: Sequence[str]) -> Child:
    """Start ssh, or whatever stands for it in the user's settings."""
    return Child(_start(words, cwd=None, extra=None))


def ssh_command() -> str | None:
    """Return the ssh command that the user's environment names for git, None when it names none."""
    return os.environ.get("GIT_SSH_COMMAND") or os.environ.get("GIT_SSH") or None


def version() -> tuple[int, ...] | None:
    """Return the version of C git as numbers, None when there is none."""
    try:
        words = run(["version"]).stdout.decode(errors="replace").split()
    except GitRequired:
        return None
    numbers = words[2].split(".") if len(words) > 2 else []  # noqa: PLR2004 - "git version 2.39.5"
    return tuple(int(number) for number in numbers if number.isdecimal())


def credential_fill(url: str, common: Path) -> Credentials | None:
    """Ask the user's credential helpers for `url` (which holds no secret itself); None when they know nothing.

    Helpers that the clone with the common directory `common` names are the user's too, wherever this process stands.
    """
    if "\n" in url or "\0" in url:
        return None
    try:
        # No prompt is possible: no terminal prompt, no askpass; so only helpers answer.
        words = [f"--git-dir={common}", "-c", "core.askPass=", "credential", "fill"]
        found = run(words, stdin=f"url={url}\n\n".encode(), timeout_seconds=CREDENTIAL_SECONDS)
    except (TimedOut, GitRequired):
        return None
    if found.status != 0:
        return None
    lines = found.stdout.decode(errors="surrogateescape").split("\n")
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    if "username" not in pairs or "password" not in pairs:
        return None
    return Credentials(pairs["username"], pairs["password"])


def maintenance_detached(common: Path) -> bool:
    """Start packing of loose objects in the background, if there is a C git; whether it was started.

    Only tasks that delete nothing unreachable: another worktree may need it. Loose copies of what is packed go.
    """
    words = ["git", *_NO_HOOKS, f"--git-dir={common}"]
    tasks = "maintenance run --quiet --task=loose-objects --task=incremental-repack"
    # A shell in between makes it nobody's child: it outlives us, and no zombie is left.
    line = f'trap "" HUP; {{ "$@" {tasks}; "$@" prune-packed --quiet; }} >/dev/null 2>&1 </dev/null &'
    try:
        process = _start(["sh", "-c", line, "sh", *words], cwd=common, extra=None)
    except GitRequired:
        return False
    process.communicate(timeout=QUICK_SECONDS)
    return process.returncode == 0


def _finished(process: "subprocess.Popen[bytes]", name: str, stdin: bytes | None, timeout_seconds: float) -> Finished:
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_seconds)
    except subprocess.TimeoutExpired as error:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        message = f"git {name} took longer than {timeout_seconds:g} s"
        raise TimedOut(message) from error
    return Finished(process.returncode, stdout, stderr)


def _start(words: Sequence[str], *, cwd: Path | None, extra: Mapping[str, str] | None) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            list(words), cwd=cwd, env=environment(extra), stdin=pipe, stdout=pipe, stderr=pipe, process_group=0
        )
    except FileNotFoundError as error:
        message = f"{words[0]} was not found on the search path"
        raise GitRequired(message) from error
