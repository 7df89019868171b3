"""A remote: where it is, how to reach it, and what its addresses may be.

Four transports and no other: this machine (through git's own server programs, so hooks and atomic pushes hold), git://,
http(s):// and ssh. Invariants: nothing of an address is ever taken for an option; no message shows a secret of an
address; every connection ends within its time limit.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from exo_sidecar.git.locate import main_worktree
from exo_sidecar.git.repository import Repository
from exo_sidecar.git.settings import GitSettings
from exo_sidecar.git.watchdog import Watchdog
from exo_sidecar.model.errors import NotFound, Usage

if TYPE_CHECKING:
    from exo_sidecar.git.transports import Client

DEFAULT_TIMEOUT_SECONDS: Final = 20.0
"""Silence for so long means that nobody is there."""
_URL_LENGTH_MAX: Final = 2048
_SCP: Final = re.compile(r"(?P<host>(?:[^/:@\[\]]+@)?(?:\[[0-9A-Fa-f:.]+\]|[^/:\[\]]+)):(?P<path>.+)", re.DOTALL)
_HELPER: Final = re.compile(r"[A-Za-z0-9+.-]+::")
"""`ext::` and its like run a program that the address names."""
_HOST: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f:.]+")
_USER: Final = re.compile(r"[A-Za-z0-9_.+][A-Za-z0-9_.+@-]*")

Scheme: TypeAlias = Literal["local", "git", "http", "https", "ssh"]


class RemoteUnknown(NotFound):
    """The repository has no remote of this name."""

    code = "REMOTE_UNKNOWN"
    advice = "git remote -v lists the remotes; git remote add <name> <address> adds one"


class RemoteUnsupported(Usage):
    """An address is malformed, or of a transport that exo does not use."""

    code = "REMOTE_UNSUPPORTED"
    advice = "use a path, or an address that starts with https://, http://, ssh:// or git://"


class Remote(NamedTuple):
    """A repository elsewhere: its name here, None for a bare address; its addresses, which may hold a password."""

    name: str | None
    url: str
    push_url: str | None = None
    """Where it is written to, when that is another address of the same repository (git's `pushurl`)."""

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has it from 3.12 on
        """Return what messages call it: its name, else its address without user and password."""
        return self.name or without_secret(self.url)

    def __repr__(self) -> str:  # type: ignore[explicit-override]  # as above
        """Return the same as `str`, so that no trace shows a password."""
        return f"Remote({self})"

    def for_push(self) -> "Remote":
        """Return the remote at the address that it is written to."""
        return Remote(self.name, self.push_url or self.url)


class Address(NamedTuple):
    """An address, taken apart; `path` is what the server is asked for."""

    scheme: Scheme
    path: str
    host: str = ""
    port: int | None = None
    username: str | None = None
    password: str | None = None


class Connection(NamedTuple):
    """A client for one remote; used once, under its watchdog."""

    client: "Client"
    path: bytes
    watchdog: Watchdog


def named(repository: Repository, name: str) -> Remote:
    """Return the remote `name`, relative paths of it made absolute as git does; RemoteUnknown."""
    url = repository.settings.remote_url(name)
    if url is None:
        message = f"there is no remote {name!r}"
        raise RemoteUnknown(message)
    common = repository.place.common
    top = main_worktree(repository.place) or (common.parent if common.name == ".git" else common)
    push_url = repository.settings.remote_url(name, push=True) or url
    return Remote(name, _absolute(top, url), None if push_url == url else _absolute(top, push_url))


def parse(remote: Remote) -> Address:
    """Return the parts of the address; RemoteUnsupported when it is of another transport, or not safe to pass on."""
    url = remote.url
    if not url or url.startswith("-") or len(url) > _URL_LENGTH_MAX or any(ord(letter) < ord(" ") for letter in url):
        raise _unsupported(remote)
    if "://" in url:
        return _parse_url(remote)
    if _HELPER.match(url):
        raise _unsupported(remote)
    found = None if url.startswith(("/", ".")) else _SCP.fullmatch(url)
    if found is None:
        return Address("local", url)
    user, _, host = found["host"].rpartition("@")
    return _checked(remote, Address("ssh", found["path"], host.strip("[]"), username=user or None))


def open_client(remote: Remote, settings: GitSettings, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> Connection:
    """Return a client for `remote`; no connection is made yet, and none stays silent for `timeout_seconds`."""
    # Brings in dulwich.client, which a command that stays on this machine need not pay for.
    from exo_sidecar.git import transports  # noqa: PLC0415

    address = parse(remote)
    watchdog = Watchdog(timeout_seconds)
    return Connection(transports.client(address, settings, watchdog), _path_of(address), watchdog)


def without_secret(url: str) -> str:
    """Return `url` without user and password, for messages."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _absolute(top: Path, url: str) -> str:
    if not url or _HELPER.match(url) or "://" in url or url.startswith("-"):
        return url
    if not url.startswith(("/", ".")) and _SCP.fullmatch(url):
        return url
    return str((top / url).resolve())


def _parse_url(remote: Remote) -> Address:
    try:
        parts = urlsplit(remote.url)
        port = parts.port
    except ValueError as error:
        raise _unsupported(remote) from error
    path = unquote(parts.path)
    match parts.scheme:
        case "file":
            return _checked(remote, Address("local", path))
        case "ssh" | "git+ssh" | "ssh+git":
            scheme: Scheme = "ssh"
        case "git":
            scheme = "git"
        case "http":
            scheme = "http"
        case "https":
            scheme = "https"
        case _:
            raise _unsupported(remote)
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password is not None and scheme in {"http", "https"} else None
    if scheme in {"http", "https"}:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
    return _checked(remote, Address(scheme, path, parts.hostname or "", port, username, password))


def _checked(remote: Remote, address: Address) -> Address:
    """Return `address` when no part of it can be taken for an option or for more than it is."""
    if address.path.startswith("-") or not address.path or any(ord(letter) < ord(" ") for letter in address.path):
        raise _unsupported(remote)
    if address.scheme != "local" and not _HOST.fullmatch(address.host):
        raise _unsupported(remote)
    if address.scheme == "ssh" and address.username is not None and not _USER.fullmatch(address.username):
        raise _unsupported(remote)
    return address


def _unsupported(remote: Remote) -> RemoteUnsupported:
    message = f"the address of {remote} is malformed or of a transport that exo does not use"
    return RemoteUnsupported(message)


def _path_of(address: Address) -> bytes:
    """Return the path in the form that dulwich's clients take."""
    return address.path.encode("utf-8", "surrogateescape")
