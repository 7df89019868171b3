"""Smart HTTP: dulwich's client with time limits, git's credential helpers, and connections that get closed.

Imports urllib3, which costs as much as all other transports together: only `git.transports` imports this module, and
only for an address that is reached by HTTP.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import urllib3
from dulwich.client import Urllib3HttpGitClient, default_urllib3_manager
from urllib3.util import Retry, make_headers

from exo_sidecar.git import cgit
from exo_sidecar.git.noting import Noting
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

_HTTP_RETRIES: Final = Retry(total=5, connect=0, read=0, redirect=5, status=0, other=0)
"""Redirects are followed; anything else is tried again by whoever knows whether that is safe."""


class HttpClient(Noting, Urllib3HttpGitClient):
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


def _as_bytes(text: str) -> str:
    """Return `text` so that urllib3, which encodes as Latin-1, sends the UTF-8 that git sends."""
    return text.encode(errors="surrogateescape").decode("latin-1")


def _base_url(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = f":{address.port}" if address.port else ""
    return f"{address.scheme}://{host}{port}/"
