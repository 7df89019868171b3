"""The command line: words to an operation, its answer to text or JSON. Decides nothing."""

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from exo_sidecar import __version__
from exo_sidecar.cli import direct, options, overview, plain, words
from exo_sidecar.cli.direct import Parsed
from exo_sidecar.cli.execute import Call, execute, guarded
from exo_sidecar.cli.terminal import Streams, Terminal
from exo_sidecar.model.errors import Usage
from exo_sidecar.operations.registry import Operation, find


def run(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path,
    stdout: TextIO,
    stderr: TextIO,
    stdin: TextIO | None = None,
) -> int:
    """Run one command line in `cwd` and return its exit status; nothing is raised but what ends the interpreter."""
    streams = Streams(stdin or sys.stdin, stdout, stderr)

    def terminal() -> Terminal:
        loose = options.Given(
            json=options.looks_json(argv),
            quiet="--quiet" in argv or "-q" in argv,
            plain="--plain" in argv,
            no_color="--no-color" in argv,
            no_input="--no-input" in argv,
        )
        return Terminal(streams, loose, environ)

    return guarded(argv, cwd, streams, terminal, lambda: _run(argv, environ, cwd, streams, terminal()))


def _run(argv: Sequence[str], environ: Mapping[str, str], cwd: Path, streams: Streams, loose: Terminal) -> int:
    before, given = options.split(argv)
    if not given or given[0] in {"--help", "-h"} or given == ("help",):
        return _overview(None, loose)
    if given[0] == "--version":
        loose.say(f"exo {__version__}\n")
        return 0
    if given[0].startswith("-"):
        message = f"no such option: {given[0][:60]}"
        raise Usage(message, hint="exo --help shows the common options")
    if given[0] == "help":
        given = (*given[1:], "--help")
    if given[0] in words.NOUNS and (len(given) == 1 or given[1] in {"--help", "-h"}):
        return _overview(given[0], loose)
    name, rest = words.named(given)
    operation = find(name)
    parsed = direct.attempt(operation, (*before, *rest)) or _parsed(operation, (*before, *rest), streams, loose)
    if isinstance(parsed, int):
        return parsed
    return execute(
        Call(operation, parsed.values, parsed.common, environ, cwd), Terminal(streams, parsed.common, environ)
    )


def _parsed(operation: Operation, given: Sequence[str], streams: Streams, loose: Terminal) -> Parsed | int:
    from exo_sidecar.cli.command import parse  # noqa: PLC0415 - typer and rich: 25 ms, for what needs an explanation

    return parse(operation, given, streams, boxes=loose.boxes and loose.color)


def _overview(noun: str | None, terminal: Terminal) -> int:
    terminal.say(plain.write(overview.page(noun), color=terminal.color, width=terminal.width))
    return 0


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command line on this process's own streams."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a stream of a test has no such method
    return run(argv, environ=environ, cwd=Path.cwd(), stdout=sys.stdout, stderr=sys.stderr, stdin=sys.stdin)
