"""dulwich's clients, with what they lack: time limits, a clean environment, credential helpers, protocol 2 on disk.

Imports dulwich.client, which costs 70 ms: only `git.remote` imports this module, and inside a function.
"""

import contextlib
import select
import shlex
import socket
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Final, TypeAlias

from dulwich.client import SSHGitClient, SSHVendor, SubprocessWrapper, TCPGitClient, TraditionalGitClient
from dulwich.protocol import TCP_GIT_PORT, Protocol

from exo_sidecar.git import cgit
from exo_sidecar.git.noting import Noting
from exo_sidecar.git.remote import Address
from exo_sidecar.git.settings import GitSettings
from exo_sidecar.git.watchdog import Watchdog

if TYPE_CHECKING:
    from exo_sidecar.git.smart_http import HttpClient

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override  # dulwich brings it there

Talk: TypeAlias = tuple[Protocol, Callable[[], bool], IO[bytes] | None]
Client: TypeAlias = "LocalClient | DaemonClient | SshClient | HttpClient"

_UPLOAD: Final = b"upload-pack"


class LocalClient(Noting, TraditionalGitClient):
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


class DaemonClient(Noting, TCPGitClient):
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


class SshClient(Noting, SSHGitClient):
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
            from exo_sidecar.git.smart_http import HttpClient  # noqa: PLC0415 - urllib3: 65 ms that no other needs

            return HttpClient(address, settings, watchdog)


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
