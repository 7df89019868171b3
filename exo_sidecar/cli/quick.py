"""Hot paths: `status`, `next --dry-run`, `sync`, without typer and rich; what this cannot parse takes the long way."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from exo_sidecar.cli import options
from exo_sidecar.cli.execute import Call, execute, guarded
from exo_sidecar.cli.terminal import Streams, Terminal
from exo_sidecar.model.errors import Usage
from exo_sidecar.operations.registry import find


def attempt(argv: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Run `argv` here when it is simple enough and return its exit status; None leaves it to `cli.main`."""
    try:
        found, rest = options.take(argv[1:])
    except Usage:
        return None
    if rest or (argv[0] == "next" and not found.dry_run) or (argv[0] == "status" and found.dry_run):
        return None
    if any(word == "" for word in (found.repo, found.actor, found.session)):
        return None
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # never replaced on this path
    streams = Streams(sys.stdin, sys.stdout, sys.stderr)
    cwd = Path.cwd()
    terminal = Terminal(streams, found, environ)
    return guarded(
        argv,
        cwd,
        streams,
        lambda: terminal,
        lambda: execute(Call(find(argv[0]), {}, found, environ, cwd), terminal),
    )
