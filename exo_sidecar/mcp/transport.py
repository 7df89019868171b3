"""Transports: the same server over standard input and output, or over HTTP on loopback."""

import contextlib
import socket
import sys
from typing import Final

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from exo_sidecar.mcp.handlers import server
from exo_sidecar.mcp.server import PortBusy, Serving

_HOST: Final = "127.0.0.1"


def over_stdio(serving: Serving) -> None:
    """Serve one client until it closes its end."""
    anyio.run(_stdio, server(serving))


def over_http(serving: Serving) -> None:
    """Serve on loopback until interrupted; hosts and origins other than loopback are turned away. PortBusy."""
    import uvicorn  # noqa: PLC0415 - only this transport needs it

    listening = _listen(serving.port)
    port = listening.getsockname()[1]
    app = server(serving).streamable_http_app(host=_HOST)
    sys.stderr.write(f"listening on http://{_HOST}:{port}/mcp\n")
    sys.stderr.flush()
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=2)
    with contextlib.closing(listening):
        uvicorn.Server(config).run(sockets=[listening])


async def _stdio(serving: "Server[dict[str, object]]") -> None:
    async with stdio_server() as (read, write):
        await serving.run(read, write, serving.create_initialization_options())


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
    except OSError as error:
        listening.close()
        message = f"port {port} on {_HOST} is taken: {error.strerror}"
        raise PortBusy(message) from error
    return listening
