"""What every server needs: its program, a free port, a folder of its own, a start that was seen, an end for certain."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.repositories import git

START_SECONDS: Final = 20.0
END_SECONDS: Final = 10.0
_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where servers live; the search path of an ordinary user often lacks it."""
_POLL_SECONDS: Final = 0.02


class Server(NamedTuple):
    """A server of the repositories in a folder."""

    address: str
    """What stands before the repository's path below the folder."""
    settings: Mapping[str, str] = {}
    """What a clone must have set to be let in: credentials never stand in an address."""

    def url(self, name: str = "hub.git") -> str:
        """Return the address of a repository."""
        return f"{self.address}/{name}"

    def equip(self, clone: Path) -> None:
        """Set in `clone` what it needs to be let in."""
        for name, value in self.settings.items():
            git(clone, "config", name, value)

    def clone(self, folder: Path, name: str = "hub.git") -> Path:
        """Clone a repository into `folder` by C git, with the settings kept in the clone."""
        words = [word for pair in self.settings.items() for word in ("-c", "=".join(pair))]
        git(folder.parent, "clone", "-q", *words, self.url(name), str(folder))
        return folder


def program(name: str) -> str | None:
    """Return the path of a server program, None when this machine lacks it."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}")


def required(name: str) -> str:
    """Return the path of a program that is here."""
    found = program(name)
    assert found is not None, f"{name} is not here"
    return found


def git_program(name: str) -> Path | None:
    """Return the path of one of git's own programs, None when this git comes without it."""
    path = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / name
    return path if path.exists() else None


def a_free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def a_short_folder() -> Iterator[Path]:
    """Yield a folder whose path is short enough for a socket in it, and remove it."""
    with tempfile.TemporaryDirectory(prefix="exo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def started(argv: Sequence[str], log: Path, *, listens_at: int | str) -> Iterator[None]:
    """Run a server until the block ends; it begins when the server takes connections at that port or socket."""
    with log.open("wb") as sink:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True)
    try:
        _await(process, listens_at, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, 9)  # children of its own, if it left any: the group is ours alone


def answers(listens_at: int | str) -> bool:
    """Whether somebody takes connections at that port of loopback, or socket."""
    family = socket.AF_UNIX if isinstance(listens_at, str) else socket.AF_INET
    with socket.socket(family) as probe:
        place = listens_at if isinstance(listens_at, str) else ("127.0.0.1", listens_at)
        return probe.connect_ex(place) == 0


def _await(process: "subprocess.Popen[bytes]", listens_at: int | str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(listens_at):
        running = process.poll() is None and time.monotonic() < deadline
        assert running, f"{process.args!r} did not start: {log.read_text(errors='replace')}"
        time.sleep(_POLL_SECONDS)
