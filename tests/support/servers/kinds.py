"""The transports by name, and places that hold leases behind each of them."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import authority, names
from exo_sidecar.leases.refs import open_leases
from exo_sidecar.model.lease import Authority
from tests.support.leasing import AUTHORITY, Counter, ManualBoot, Party, Site, a_daemon, has_daemon
from tests.support.repositories import a_hub, a_repository, git
from tests.support.servers import nginx, sshd
from tests.support.servers.ground import Server
from tests.support.servers.proxy import Line, a_line

Mode: TypeAlias = Literal["refs", "branch"]

KINDS: Final = ("path", "daemon", "nginx", "sshd")


def missing(kind: str) -> str:
    """Return the programs of a transport that this machine lacks, empty when it lacks none."""
    lacking: dict[str, Callable[[], str]] = {
        "path": lambda: "",
        "daemon": lambda: "" if has_daemon() else "git daemon",
        "nginx": nginx.missing,
        "sshd": sshd.missing,
    }
    return lacking[kind]()


def need(kind: str) -> None:
    """Skip the test when this machine cannot serve by `kind`."""
    lacking = missing(kind)
    if lacking:
        pytest.skip(f"not here: {lacking}")


@contextlib.contextmanager
def a_server(kind: str, folder: Path) -> Iterator[Server]:
    """Serve the bare repositories in `folder`."""
    match kind:
        case "daemon":
            with a_daemon(folder) as address:
                yield Server(address)
        case "nginx":
            with nginx.a_webserver(folder) as server:
                yield server
        case "sshd":
            with sshd.an_ssh_server(folder) as server:
                yield server
        case _:
            yield Server(str(folder))


@contextlib.contextmanager
def a_bad_line(kind: str, folder: Path) -> Iterator[tuple[Server, Line]]:
    """Serve the bare repositories in `folder` behind a proxy that can be told to misbehave."""
    with a_server(kind, folder) as server:
        front, _, port = server.address.rpartition(":")
        with a_line(int(port)) as (own, line):
            yield server._replace(address=f"{front}:{own}"), line


def a_site_at(server: Server, folder: Path, *, mode: Mode = "refs", timeout_seconds: float = 20.0) -> Site:
    """Return the place `hub.git` in `folder`, made if need be, as clones reach it through `server`."""
    boot, counter = ManualBoot(), Counter()
    hub = folder / "hub.git"
    kept = Authority(id=AUTHORITY, remote="origin", mode=mode)

    def party(session: str) -> Party:
        clone = a_repository(folder, session)
        git(clone, "remote", "add", "origin", server.url())
        server.equip(clone)
        repository = Repository(locate(clone))
        leases = open_leases(repository, kept, clock=boot, operation="test", timeout_seconds=timeout_seconds)
        return Party(repository, leases, session, boot, counter)

    site = Site(party, hub if hub.exists() else a_hub(folder), server.url())
    # Written here, not sent: a place that refuses to be an authority is of interest too.
    oid, data = authority.commit_of(AUTHORITY)
    with Repository(locate(site.hub)) as repository:
        repository.objects.write([("tree", b""), ("commit", data)])
    git(site.hub, "update-ref", names.of(mode).authority, oid)
    return site


@contextlib.contextmanager
def a_served_site(kind: str, folder: Path, mode: Mode = "refs") -> Iterator[Site]:
    """Yield a place that holds leases, reached by `kind`."""
    with a_server(kind, folder) as server:
        yield a_site_at(server, folder, mode=mode)
