"""The server: `exo mcp` and `exo-mcp`. Parses its own few words, checks that the extra is there, picks a transport."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.errors import INTERRUPTED, Environment, ExoError, Usage

TOOLSETS: Final = ("core", "sessions", "governance", "all")
TRANSPORTS: Final = ("stdio", "http")
PORT_DEFAULT: Final = 8766
_PORT_MAX: Final = 65535
_HELP: Final = """\
Usage: exo mcp [OPTIONS]

  Serve the operations as tools of the Model Context Protocol.

Options:
  --toolset core|sessions|governance|all  Which tools to show [default: core]
  --transport stdio|http                  How to talk; http listens on loopback only [default: stdio]
  --port N                                Port for http; 0 picks a free one [default: 8766]
  --read-only                             Show only tools that change nothing
  --repo DIR                              Repository to serve (default: here)
  --help                                  Show this message and exit
"""


class ExtraMissing(Environment):
    """A part of the program that is installed apart is not there."""

    code = "EXTRA_MISSING"
    advice = "install it with: pip install 'exo-sidecar[mcp]'"


class PortBusy(Environment):
    """Something else listens on the port."""

    code = "PORT_BUSY"
    advice = "choose another with --port; 0 picks a free one"


class Serving(NamedTuple):
    """What a server shows and how it talks."""

    toolset: str
    transport: str
    port: int
    read_only: bool
    repo: Path
    environ: Mapping[str, str]


def main() -> int:
    """Run the program `exo-mcp`."""
    return serve(sys.argv[1:], os.environ)


def serve(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serve until the client goes away; returns the exit status."""
    if "--help" in argv or "-h" in argv:
        sys.stdout.write(_HELP)
        return 0
    try:
        _run(_parsed(argv, environ))
    except ExoError as error:
        sys.stderr.write(f"error {error.code}: {error.message}\n  hint: {error.hint}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _run(serving: Serving) -> None:
    try:
        from exo_sidecar.mcp import transport  # noqa: PLC0415 - the SDK is an extra, and slow to import
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("exo_sidecar"):
            raise
        message = f"the server needs the package {error.name!r}, which is not installed"
        raise ExtraMissing(message) from error
    if serving.transport == "stdio":
        transport.over_stdio(serving)
    else:
        transport.over_http(serving)


def _parsed(argv: Sequence[str], environ: Mapping[str, str]) -> Serving:
    values = {"--toolset": "core", "--transport": "stdio", "--port": str(PORT_DEFAULT), "--repo": "."}
    read_only = False
    words = iter(argv)
    for word in words:
        flag, equals, value = word.partition("=")
        if word == "--read-only":
            read_only = True
        elif flag in values:
            values[flag] = value if equals else next(words, "")
        else:
            message = f"exo mcp has no option {word[:60]!r}"
            raise Usage(message, hint="exo mcp --help lists them")
    _one_of("--toolset", values["--toolset"], TOOLSETS)
    _one_of("--transport", values["--transport"], TRANSPORTS)
    port = values["--port"]
    if not (port.isascii() and port.isdigit() and int(port) <= _PORT_MAX):
        message = f"--port: {port[:20]!r} is not a port"
        raise Usage(message, hint="a number from 0 to 65535")
    return Serving(
        values["--toolset"], values["--transport"], int(port), read_only, Path(values["--repo"]).absolute(), environ
    )


def _one_of(flag: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        message = f"{flag}: {value[:40]!r} does not exist"
        raise Usage(message, hint=f"one of: {', '.join(allowed)}")
