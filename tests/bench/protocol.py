"""The MCP server: until it is ready, and one call; plain JSON lines, so that no client's own cost is counted."""

import importlib.util
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from tests.bench import timing
from tests.bench.timing import EXO, Budget, Group, Row

STARTS: Final = 5
CALLS: Final = 25
_READY_MS: Final = 1500.0
_CALL_MS: Final = 20.0
_HELLO: Final[Mapping[str, object]] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


def measure(clone: Path) -> Group:
    """Measure the server on standard input and output; nothing when the extra is not installed."""
    if importlib.util.find_spec("mcp") is None:
        return Group("MCP server (extra not installed)", ())
    calls: list[timing.Sample] = []

    def start(_: int) -> float:
        began = time.perf_counter()
        argv = (*EXO, "mcp")
        with subprocess.Popen(
            argv, cwd=clone, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            _ask(server.stdin, server.stdout, 0, "initialize", _HELLO)
            ready = (time.perf_counter() - began) * 1000
            _say(server.stdin, {"jsonrpc": "2.0", "method": "notifications/initialized"})
            calls.append(_calls(server.stdin, server.stdout))
            server.stdin.close()
        return ready

    ready = timing.sample(STARTS, start)
    best = min(calls, key=lambda found: found.least)
    return Group(
        "MCP server",
        (
            Row("ready", ready, "", (Budget(f"<= {_READY_MS:.0f} ms", ready.least, _READY_MS),)),
            Row("exo_status, one call", best, "", (Budget(f"<= {_CALL_MS:.0f} ms", best.least, _CALL_MS),)),
        ),
    )


def _calls(stdin: IO[bytes], stdout: IO[bytes]) -> timing.Sample:
    params: Mapping[str, object] = {"name": "exo_status", "arguments": {}}
    _ask(stdin, stdout, 1, "tools/call", params)
    return timing.sample(CALLS, lambda number: _ask(stdin, stdout, number + 2, "tools/call", params))


def _ask(stdin: IO[bytes], stdout: IO[bytes], number: int, method: str, params: Mapping[str, object]) -> None:
    _say(stdin, {"jsonrpc": "2.0", "id": number, "method": method, "params": params})
    while True:
        line = stdout.readline()
        answer = json.loads(line)
        if answer.get("id") == number:
            assert "error" not in answer, answer
            return


def _say(stdin: IO[bytes], message: Mapping[str, object]) -> None:
    stdin.write(json.dumps(message).encode() + b"\n")
    stdin.flush()
