"""Processes: what identifies one, which agent a call came from, and whether a recorded one still lives.

A pid alone identifies nothing, because pids come round: facts are pid, start time, boot and pid namespace together. Of
another boot, namespace or machine nothing can be known, and unknown is never taken for dead.
"""

# ruff: noqa: SIM905 - sets of plain words read best as text

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from exo_sidecar.host.clock import ON_LINUX, boot_id

Liveness = Literal["alive", "dead", "unknown"]

ANCESTORS_MAX: Final = 64
_PROC: Final = Path("/proc")
_OWN: Final = frozenset({"exo", "exo-mcp"})
_SHELLS: Final = frozenset("ash bash busybox csh dash fish ksh mksh nu pwsh sh tcsh xonsh zsh".split())
_PASSING: Final = frozenset(
    """
    direnv doas env flock git ionice just make mise nice nohup npm npx pipx pre-commit script setsid stdbuf su sudo
    time timeout unshare uv uvx xargs
    """.split()
)
"""They run one command and end with it: never the agent, whatever started them is."""
_TERMINALS: Final = frozenset(
    """
    alacritty containerd-shim docker-init dumb-init foot gnome-terminal- gnome-terminal-server init iterm2 kitty konsole
    launchd login mosh-server screen sshd sshd-session systemd terminal tini tmux tmux: wezterm-gui xfce4-terminal xterm
    """.split()
)
"""Where people type, or the root of everything: shared by whoever works there, so it identifies nobody."""


class ProcessFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a process for as long as this machine runs."""

    pid: int
    started: int
    """Start time in the system's own unit (Linux: clock ticks since boot); compared for equality only."""
    boot_id: str
    namespace: str = ""
    """The pid namespace; empty where the system has none."""
    name: str = ""


class _Seen(NamedTuple):
    """A process as the system shows it now."""

    parent: int
    started: int
    name: str
    words: tuple[str, ...]


def agent_ancestor(pid: int | None = None) -> ProcessFacts | None:
    """Return the nearest ancestor that is neither a shell nor this program, None when that is only a terminal."""
    for number, seen in _ancestors(os.getpid() if pid is None else pid):
        if seen.name in _TERMINALS or number == 1:
            return None
        if not _is_passing(seen):
            return _facts(number, seen)
    return None


def this_process() -> ProcessFacts:
    """Return the facts of the process that asks."""
    pid = os.getpid()
    seen = _look(pid)
    if seen is None:
        # A system that hides a process from itself: nothing can be told of it later either.
        return ProcessFacts(pid=pid, started=0, boot_id=boot_id(), namespace=pid_namespace())
    return _facts(pid, seen)


def ancestors(pid: int | None = None) -> tuple[ProcessFacts, ...]:
    """Return this process's ancestors, the nearest first, at most ANCESTORS_MAX."""
    return tuple(_facts(number, seen) for number, seen in _ancestors(os.getpid() if pid is None else pid))


def liveness(facts: ProcessFacts) -> Liveness:
    """Return whether the process that was recorded still runs; unknown when it cannot be seen from here."""
    if facts.boot_id != boot_id() or facts.namespace != pid_namespace():
        return "unknown"
    seen = _look(facts.pid)
    if seen is None:
        return "alive" if _exists(facts.pid) else "dead"
    return "alive" if seen.started == facts.started else "dead"


def is_same(one: ProcessFacts, other: ProcessFacts) -> bool:
    """Whether both are one process; names do not count, a process may change its own."""
    return (one.pid, one.started, one.boot_id, one.namespace) == (
        other.pid,
        other.started,
        other.boot_id,
        other.namespace,
    )


def pid_namespace() -> str:
    """Return the name of the pid namespace we are in, empty where the system has none."""
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _ancestors(pid: int) -> Iterator[tuple[int, _Seen]]:
    seen = _look(pid)
    for _ in range(ANCESTORS_MAX):
        if seen is None or seen.parent <= 0:
            return
        number = seen.parent
        seen = _look(number)
        if seen is not None:
            yield number, seen


def _is_passing(seen: _Seen) -> bool:
    """Whether it is a shell, this program, or one that only runs another."""
    if seen.name.lstrip("-") in _SHELLS | _PASSING:
        return True
    return any(word == "exo_sidecar" or word.rsplit("/", 1)[-1] in _OWN for word in seen.words[:4])


def _facts(pid: int, seen: _Seen) -> ProcessFacts:
    return ProcessFacts(
        pid=pid, started=seen.started, boot_id=boot_id(), namespace=pid_namespace(), name=seen.name[:64]
    )


def _look(pid: int) -> _Seen | None:
    """Return what the system shows of a process, None when it is gone or hidden."""
    return _look_in_proc(pid) if ON_LINUX else _look_through_psutil(pid)


def _look_in_proc(pid: int) -> _Seen | None:
    """Read /proc: a start time in ticks since boot does not move when somebody sets the wall clock."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return None
    # The name stands in brackets and may itself hold brackets and blanks.
    name, rest = stat.split("(", 1)[1].rsplit(")", 1)
    fields = rest.split()
    if fields[0] == "Z":
        return None
    return _Seen(int(fields[1]), int(fields[19]), name.lower(), _words(line))


def _words(line: bytes) -> tuple[str, ...]:
    return tuple(word.decode(errors="replace") for word in line[:4096].split(b"\0") if word)


def _look_through_psutil(pid: int) -> _Seen | None:
    import psutil  # noqa: PLC0415  25 ms, and Linux needs it not

    try:
        found = psutil.Process(pid)
        with found.oneshot():
            started = round(found.create_time() * 1_000_000)
            return _Seen(found.ppid(), started, found.name().lower(), tuple(found.cmdline()))
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return None


def _exists(pid: int) -> bool:
    """Whether a process of that number runs that we may not look at (a zombie is none: it only waits to be counted)."""
    if ON_LINUX:
        return not os.access(_PROC / str(pid), os.F_OK) and _can_signal(pid)
    return _can_signal(pid)


def _can_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
