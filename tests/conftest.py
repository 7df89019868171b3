"""Every test: an environment of nobody, no network but loopback, a fixed clock, seeded ids."""

import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import settings

from exo_sidecar.host import ancestry
from exo_sidecar.model.ids import Entropy
from tests.support.environment import furnish, pinned
from tests.support.inputs import FixedClock, seeded

LOOPBACK = ("127.", "::1", "localhost")

# Machines differ in speed: an example that is slow is no failure, the test's own time limit is.
settings.register_profile("exo", deadline=None, max_examples=50, database=None, print_blob=True)
settings.load_profile("exo")


@pytest.fixture(scope="session", autouse=True)
def _environment_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Replace the whole environment; see tests/support/environment.py."""
    wanted = pinned(os.environ, furnish(tmp_path_factory.mktemp("home")))
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(wanted):
            patch.delenv(name)
        for name, value in wanted.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Refuse connections that would leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: tuple[str, int] | str | bytes) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            message = f"a test may not connect to {address[0]}"
            raise AssertionError(message)
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def _started_by_the_tests() -> Iterator[None]:
    """Let a command that runs in this process see what a child sees: the tests started it, whatever started them.

    Under a terminal's shell, or right under init, nothing else would identify the sessions that it begins.
    """
    above = ancestry._ancestors

    def from_here(pid: int) -> Iterator[tuple[int, ancestry._Seen]]:
        seen = ancestry._look(pid)
        if pid == os.getpid() and seen is not None:
            yield pid, seen
        yield from above(pid)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ancestry, "_ancestors", from_here)
        yield


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still until the test advances it."""
    return FixedClock()


@pytest.fixture
def entropy() -> Entropy:
    """A source of bytes that gives the same sequence in every run."""
    return seeded()
