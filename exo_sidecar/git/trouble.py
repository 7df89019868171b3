"""What went wrong on the wire, said in our words (model.errors): the one place that knows how transports fail.

The message names the remote by its name, never by an address with a secret, and quotes what the server said, capped and
without control characters. urllib3 is loaded when something did go wrong, not before: most remotes are not reached by
HTTP, and loading it takes as long as a whole exchange with a repository on this machine.
"""

import contextlib
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from dulwich.client import HTTPProxyUnauthorized, HTTPUnauthorized
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository, SendPackError

from exo_sidecar.git.remote import Remote
from exo_sidecar.git.watchdog import Watchdog
from exo_sidecar.model.errors import ExoError, RemoteDenied, RemoteUnreachable, TimedOut

QUOTE_MAX: Final = 300
"""Characters of the server's own words that a message repeats."""
_DENIALS: Final = (
    "permission denied",
    "access denied",
    "authentication failed",
    "resp 403",
    "resp 401",
    "not exported",
)
_FAILURES: Final = (GitProtocolError, HangupException, NotGitRepository, SendPackError, OSError)
_DENIED: Final = (HTTPUnauthorized, HTTPProxyUnauthorized)
_UNREADABLE: Final = (
    ValueError,
    LookupError,
    TypeError,
    AssertionError,
    NotImplementedError,
    zlib.error,
    struct.error,
)
"""What dulwich raises when the other side does not speak git, or not as much of it as is needed."""


class Doubt:
    """Whether control is in the caller's own function at this moment, whose errors are not the remote's."""

    def __init__(self) -> None:
        self.inside = False

    @contextlib.contextmanager
    def callback(self) -> Iterator[None]:
        """Run the body as the caller's own; an error in it passes `translated` unchanged."""
        self.inside = True
        yield
        self.inside = False


@contextlib.contextmanager
def translated(remote: Remote, watchdog: Watchdog, doubt: Doubt) -> Iterator[None]:
    """Turn the failures of a conversation with `remote` into RemoteUnreachable, RemoteDenied or TimedOut."""
    try:
        yield
    except ExoError:
        raise
    except _failures() as error:
        if doubt.inside:
            raise
        raise _named(remote, watchdog, error) from error
    except _DENIED as error:
        if doubt.inside:
            raise
        message = f"{remote} wants other credentials"
        raise RemoteDenied(message, remote=str(remote)) from error


def quoted(text: str) -> str:
    """Return the words of a server as part of one line: capped, control characters blanked."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(clean.split())[:QUOTE_MAX]


def _failures() -> tuple[type[Exception], ...]:
    """Return what the transports raise; Python asks only while it looks for who handles an exception."""
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - 65 ms

    return (*_FAILURES, *_UNREADABLE, HTTPError)


def _named(remote: Remote, watchdog: Watchdog, error: Exception) -> ExoError:
    if watchdog.fired or _is_timeout(error):
        message = f"{remote} did not answer within {watchdog.idle_seconds:g} s"
        return TimedOut(message, remote=str(remote), hint="check the connection; --offline works without it")
    words = _words(error)
    if any(denial in words.lower() for denial in _DENIALS):
        message = f"{remote} denied access: {words}"
        return RemoteDenied(message, remote=str(remote))
    message = f"{remote} could not be reached: {words}"
    return RemoteUnreachable(message, remote=str(remote))


def _is_timeout(error: BaseException | None) -> bool:
    """Whether a time limit stands behind `error`; dulwich wraps them, twice at most."""
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415 - loaded by now
    from urllib3.exceptions import TimeoutError as HttpTimeout  # noqa: PLC0415

    for _ in range(4):
        if error is None:
            return False
        # A refused connection derives from urllib3's time-outs all the same.
        if isinstance(error, TimeoutError | HttpTimeout) and not isinstance(error, NewConnectionError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception) -> str:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - loaded by now

    match error:
        case HangupException(stderr_lines=[*lines]) if lines:
            return quoted(" ".join(line.decode(errors="replace") for line in lines))
        case HangupException():
            return "it closed the connection"
        case NotGitRepository():
            return "there is no repository at its address"
        case _ if isinstance(error, OSError | GitProtocolError | HTTPError):
            return quoted(str(error)) or type(error).__name__
        case _:
            return "it answered with something that is not git"
