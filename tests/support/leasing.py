"""Leases as tests need them: requests, a boot clock moved by hand, clones of one hub, the places that hold leases."""

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import rules
from exo_sidecar.leases.refs import Decide, LeaseRefs, LocalLeases, RemoteLeases, Seen
from exo_sidecar.leases.rules import Request
from exo_sidecar.leases.sight import look
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import CloneId, Nonce, SessionId, TicketId
from exo_sidecar.model.lease import Holder, Lease
from tests.support.repositories import a_hub, a_repository

TICKET = TicketId("TICKET-0001")
NOW = "2026-01-02T03:04:05Z"
AUTHORITY = "ab" * 16


class ManualBoot:
    """A boot clock that moves when it is told to."""

    def __init__(self, boot_id: str = "boot-1", seconds: float = 1000.0) -> None:
        self.boot_id = boot_id
        self.seconds = seconds

    def __call__(self) -> BootClock:
        """Return a reading."""
        return BootClock(self.boot_id, self.seconds)


class Counter:
    """Numbers that were never given before; nonces are made of them."""

    def __init__(self) -> None:
        self.last = 0

    def nonce(self) -> Nonce:
        """Return a nonce that no other call returned."""
        self.last += 1
        return Nonce(f"{self.last:032x}")


def a_holder(session: str = "SES-AAAA", actor: str = "agent:claude") -> Holder:
    """Return a holder; two of different sessions are different holders."""
    return Holder(session=SessionId(session), clone=CloneId("c" * 16), actor=actor)


def a_lease(
    *, epoch: int = 1, session: str = "SES-AAAA", released: bool = False, nonce: str = "0" * 32, ttl_seconds: int = 600
) -> Lease:
    """Return a lease of TICKET."""
    return Lease(
        ticket=TICKET,
        epoch=epoch,
        state="released" if released else "held",
        holder=a_holder(session),
        nonce=Nonce(nonce),
        ttl_seconds=ttl_seconds,
        claimed_at=NOW,
        renewed_at=NOW,
    )


def a_request(nonce: str, session: str = "SES-AAAA", *, ttl_seconds: int | None = None) -> Request:
    """Return a request for TICKET."""
    return Request(TICKET, a_holder(session), Nonce(nonce), NOW, ttl_seconds)


class Party(NamedTuple):
    """One clone with its session, at the place that holds the leases."""

    repository: Repository
    leases: LeaseRefs
    session: str
    boot: ManualBoot
    counter: Counter

    def request(self, ticket: TicketId = TICKET) -> Request:
        """Return a new request of this party."""
        return a_request(self.counter.nonce(), self.session, ttl_seconds=600)._replace(ticket=ticket)

    def claiming(self, ticket: TicketId = TICKET, highest_epoch: int = 0) -> Decide:
        """Return the decision to claim."""
        request = self.request(ticket)

        def decide(seen: Seen | None) -> Lease | ExoError:
            sight = look(self.repository, seen, self.boot())
            lease = seen.lease if seen else None
            return rules.claim(lease, request, highest_epoch, **sight._asdict())

        return decide

    def releasing(self) -> Decide:
        """Return the decision to release."""
        request = self.request()
        return lambda seen: rules.release(
            seen.lease if seen else None, request, ours=look(self.repository, seen, self.boot()).ours
        )

    def beating(self) -> Decide:
        """Return the decision to send a heartbeat."""
        request = self.request()
        return lambda seen: rules.heartbeat(
            seen.lease if seen else None, request, ours=look(self.repository, seen, self.boot()).ours
        )

    def taking_over(self) -> Decide:
        """Return the decision to take over."""
        request = self.request()

        def decide(seen: Seen | None) -> Lease | ExoError:
            sight = look(self.repository, seen, self.boot())
            return rules.take_over(seen.lease if seen else None, request, 0, **sight._asdict())

        return decide


class Site(NamedTuple):
    """A place that holds leases; `party` makes another clone of it (in the local place: another worktree's view)."""

    party: Callable[[str], Party]
    hub: Path
    url: str


@contextlib.contextmanager
def a_site(kind: str, folder: Path) -> Iterator[Site]:
    """Yield a place of `kind`: local, hub or daemon."""
    boot, counter = ManualBoot(), Counter()
    if kind == "local":
        top = a_repository(folder)

        def at_home(session: str) -> Party:
            repository = Repository(locate(top))
            return Party(repository, LocalLeases(repository, clock=boot), session, boot, counter)

        yield Site(at_home, top / ".git", "local")
        return
    hub = a_hub(folder)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(a_daemon(folder)) + "/hub.git" if kind == "daemon" else str(hub)

        def from_hub(session: str) -> Party:
            repository = Repository(locate(a_repository(folder, session)))
            stack.callback(repository.close)
            leases = RemoteLeases(repository, Remote("origin", url), clock=boot)
            return Party(repository, leases, session, boot, counter)

        yield Site(from_hub, hub, url)


def has_daemon() -> bool:
    """Whether this machine's git brings its daemon."""
    return (Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-daemon").exists()


@contextlib.contextmanager
def a_daemon(folder: Path) -> Iterator[str]:
    """Serve the repositories in `folder` by a git daemon on a free loopback port; yield the address up to the path."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--verbose", "--export-all", "--enable=receive-pack", f"--base-path={folder}", "--reuseaddr"]
    daemon = subprocess.Popen(
        ["git", "daemon", *words, "--listen=127.0.0.1", f"--port={port}", str(folder)],
        stderr=subprocess.PIPE,
        process_group=0,
    )
    with daemon:
        assert daemon.stderr is not None
        assert b"Ready to rumble" in daemon.stderr.readline()
        try:
            yield f"git://127.0.0.1:{port}"
        finally:
            daemon.terminate()
