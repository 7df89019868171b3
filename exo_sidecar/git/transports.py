"""dulwich's clients, with what they lack: time limits, a clean environment, credential helpers, protocol 2 on disk.

Imports dulwich.client, which costs 70 ms: only `git.remote` imports this module, and inside a function.
"""

import contextlib
import select
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote

import urllib3
from dulwich.client import (
    GitClient,
    SSHGitClient,
    SSHVendor,
    SubprocessWrapper,
    TCPGitClient,
    TraditionalGitClient,
    Urllib3HttpGitClient,
    default_urllib3_manager,
)
from dulwich.protocol import TCP_GIT_PORT, Protocol
from urllib3.util import Retry, make_headers

from exo_sidecar.git import cgit
from exo_sidecar.git.remote import Address
from exo_sidecar.git.settings import GitSettings
from exo_sidecar.git.watchdog import Watchdog
from exo_sidecar.model.errors import TimedOut

if TYPE_CHECKING:
    from dulwich.client import AuthCallbackPoolManager, HTTPResponse
    from urllib3 import BaseHTTPResponse, PoolManager

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override  # dulwich brings it there

Talk: TypeAlias = tuple[Protocol, Callable[[], bool], IO[bytes] | None]
Client: TypeAlias = "LocalClient | DaemonClient | SshClient | HttpClient"

_HTTP_RETRIES: Final = Retry(total=5, connect=0, read=0, redirect=5, status=0, other=0)
"""Redirects are followed; anything else is tried again by whoever knows whether that is safe."""
_UPLOAD: Final = b"upload-pack"


class _Noting(GitClient):
    """Remembers what dulwich forgets: what the server said it can do, and what is to be closed when it hangs up."""

    server_capabilities: frozenset[bytes] = frozenset()
    opened: Protocol | None = None

    @override
    def close(self) -> None:
        """Close what is still open; a server that hangs up at once leaves its connection to us."""
        if self.opened is not None:
            self.opened.close()

    @override
    def _negotiate_receive_pack_capabilities(self, server_capabilities: set[bytes]) -> tuple[set[bytes], bytes | None]:
        self.server_capabilities = frozenset(server_capabilities)
        return super()._negotiate_receive_pack_capabilities(server_capabilities)


class LocalClient(_Noting, TraditionalGitClient):
    """A repository on this machine, through git's own server programs: its hooks run, its atomic pushes hold."""

    def __init__(self, watchdog: Watchdog) -> None:
        super().__init__(quiet=True)
        self._watchdog = watchdog

    @override
    def _connect(self, cmd: bytes, path: str | bytes, protocol_version: int | None = None) -> Talk:
        text = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
        child = cgit.serve(cmd.decode("ascii"), text, version_2=cmd == _UPLOAD)
        self.opened = _talk(child, self._watchdog)
        return self.opened, child.can_read, child.stderr


class DaemonClient(_Noting, TCPGitClient):
    """A git daemon, over a socket with a time limit on every step."""

    def __init__(self, address: Address, watchdog: Watchdog) -> None:
        super().__init__(address.host, port=address.port, quiet=True)
        self._watchdog = watchdog

    @override
    def _connect(self, cmd: bytes, path: str | bytes, protocol_version: int | None = None) -> Talk:
        where = (self._host, self._port or TCP_GIT_PORT)
        link = socket.create_connection(where, timeout=self._watchdog.idle_seconds)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watchdog.guard(lambda: _shut(link, socket.SHUT_RDWR))
        reader = link.makefile("rb")

        def close() -> None:
            reader.close()
            link.close()

        def write(data: bytes) -> int:
            link.sendall(data)
            self._watchdog.feed()
            return len(data)

        protocol = Protocol(
            _feeding(reader.read, self._watchdog), write, close, shutdown_write=lambda: _shut(link, socket.SHUT_WR)
        )
        self.opened = protocol
        raw_path = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
        home_path = raw_path[1:] if raw_path.startswith(b"/~") else raw_path
        # The version stands behind two NULs, so that servers that know only the host do not stumble over it.
        wish = b"\0\0version=2\0" if cmd == _UPLOAD else b""
        protocol.send_cmd(b"git-" + cmd, home_path, b"host=" + self._host.encode("idna") + wish)
        return protocol, lambda: bool(select.select([link], [], [], 0)[0]), None


class SshClient(_Noting, SSHGitClient):
    """An ssh server, through the user's ssh program: its keys, agent and settings; it never asks."""

    def __init__(self, address: Address, command: str, watchdog: Watchdog) -> None:
        super().__init__(
            address.host,
            port=address.port,
            username=address.username,
            vendor=_QuietVendor(watchdog),
            ssh_command=command,
            quiet=True,
        )
        self._watchdog = watchdog

    @override
    def _connect(self, cmd: bytes, path: str | bytes, protocol_version: int | None = None) -> Talk:
        protocol, can_read, errors = super()._connect(cmd, path, 2 if cmd == _UPLOAD else 0)
        self.opened = protocol
        protocol.report_activity = lambda _count, _way: self._watchdog.feed()
        return protocol, can_read, errors


class _QuietVendor(SSHVendor):
    """Starts ssh in batch mode, in its own process group, under a watchdog."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog

    @override
    def run_command(
        self,
        host: str,
        command: bytes,
        username: str | None = None,
        port: int | None = None,
        password: str | None = None,
        key_filename: str | None = None,
        ssh_command: str | None = None,
        protocol_version: int | None = None,
    ) -> SubprocessWrapper:
        seconds = max(1, round(self._watchdog.idle_seconds))
        words = [*shlex.split(ssh_command or "ssh"), "-x", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}"]
        if port:
            words += ["-p", str(port)]
        if protocol_version:
            words += ["-o", f"SetEnv GIT_PROTOCOL=version={protocol_version}"]
        target = f"{username}@{host}" if username else host
        child = cgit.shell([*words, "--", target, command.decode("utf-8", "surrogateescape")])
        self._watchdog.guard(child.kill)
        return child  # type: ignore[return-value]  # read, write, close, can_read, stderr are all that is used


class HttpClient(_Noting, Urllib3HttpGitClient):
    """A smart HTTP server: the user's proxy, certificates and headers hold, the credential helpers are asked."""

    def __init__(self, address: Address, settings: GitSettings, watchdog: Watchdog) -> None:
        base = _base_url(address)
        self._asker = _Asker(base, address, settings.path.parent)
        manager = default_urllib3_manager(
            settings.config(), base_url=base, timeout=watchdog.idle_seconds, auth_callback=self._asker.answer
        )
        manager.connection_pool_kw["retries"] = _HTTP_RETRIES
        self._responses = _kept_responses(manager)
        super().__init__(
            base,
            pool_manager=manager,
            config=settings.config(),
            # A name alone is no answer to anything: the helpers are asked for its password.
            username=None if address.password is None else _as_bytes(address.username or ""),
            password=_as_bytes(address.password or ""),
            timeout=watchdog.idle_seconds,
            quiet=True,
        )
        self._watchdog = watchdog

    @override
    def close(self) -> None:
        """Close every connection: those kept for a next request, and those of answers that nobody read to the end."""
        while self._responses:
            self._responses.pop().close()
        self.pool_manager.clear()

    @override
    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> "tuple[HTTPResponse, Callable[[int], bytes]]":
        self._watchdog.feed()
        if self._auth_header is None and self._asker.header is not None:
            # What opened the first door opens the others; a body that is read only once cannot be sent again.
            self._auth_header, self._auth_origin = self._asker.header, self._origin(self._base_url)
        response, read = super()._http_request(url, headers, data, raise_for_status)

        def bounded(count: int) -> bytes:
            if self._watchdog.fired:
                message = "the transfer took too long"
                raise TimedOut(message)
            found = read(count)
            self._watchdog.feed()
            return found

        return response, bounded


def _kept_responses(manager: "AuthCallbackPoolManager | PoolManager") -> "list[BaseHTTPResponse]":
    """Return the list in which every response will be kept: the library drops refusals unread, and open."""
    inner = manager if isinstance(manager, urllib3.PoolManager) else manager._pool_manager  # noqa: SLF001 - no other way
    found: list[BaseHTTPResponse] = []
    ask = inner.urlopen

    def urlopen(
        method: str,
        url: str,
        redirect: bool = True,  # noqa: FBT001, FBT002 - the library's shape
        **words: object,
    ) -> "BaseHTTPResponse":
        response = ask(method, url, redirect, **words)
        found.append(response)
        return response

    inner.urlopen = urlopen  # type: ignore[method-assign]  # seen by its own `request` alone
    return found


class _Asker:
    """Asks the credential helpers once for one server, and never tells another one."""

    def __init__(self, base: str, address: Address, common: Path) -> None:
        self._base = base
        self._address = address
        self._common = common
        self._asked = address.password is not None
        self._found: cgit.Credentials | None = None

    @property
    def header(self) -> str | None:
        """What the helpers know, as the header of a request; None when they were not asked or know nothing."""
        if self._found is None:
            return None
        return make_headers(basic_auth=_as_bytes(f"{self._found.username}:{self._found.password}"))["authorization"]

    def answer(self, url: str, _wanted: str, attempt: int) -> dict[str, str] | None:
        """Return what to answer a refusal at `url`, None when there is nothing new to say."""
        if attempt > 1 or not url.startswith(self._base):
            return None
        if not self._asked:
            self._asked = True
            self._found = cgit.credential_fill(self._named_url(), self._common)
        if self._found is None:
            return None
        return {"username": _as_bytes(self._found.username), "password": _as_bytes(self._found.password)}

    def _named_url(self) -> str:
        """Return the address as git names it to helpers: the path too, which settings may tell apart by."""
        user = f"{quote(self._address.username, safe='')}@" if self._address.username else ""
        scheme, _, rest = self._base.partition("://")
        return f"{scheme}://{user}{rest}{self._address.path.partition('?')[0].lstrip('/')}"


def client(address: Address, settings: GitSettings, watchdog: Watchdog) -> Client:
    """Return the client for `address`; it connects when it is used."""
    match address.scheme:
        case "local":
            return LocalClient(watchdog)
        case "git":
            return DaemonClient(address, watchdog)
        case "ssh":
            command = cgit.ssh_command() or settings.get(("core",), "sshCommand") or "ssh"
            return SshClient(address, command, watchdog)
        case "http" | "https":
            return HttpClient(address, settings, watchdog)


def _as_bytes(text: str) -> str:
    """Return `text` so that urllib3, which encodes as Latin-1, sends the UTF-8 that git sends."""
    return text.encode(errors="surrogateescape").decode("latin-1")


def _base_url(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = f":{address.port}" if address.port else ""
    return f"{address.scheme}://{host}{port}/"


def _talk(child: cgit.Child, watchdog: Watchdog) -> Protocol:
    watchdog.guard(child.kill)
    return Protocol(
        _feeding(child.read, watchdog),
        child.write,
        child.close,
        report_activity=lambda _count, _way: watchdog.feed(),
    )


def _feeding(read: Callable[[int], bytes], watchdog: Watchdog) -> Callable[[int], bytes]:
    def fed(count: int) -> bytes:
        found = read(count)
        watchdog.feed()
        return found

    return fed


def _shut(link: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(how)
