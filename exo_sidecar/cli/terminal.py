"""The terminal as a call sees it: three streams, and what they can show. Nothing here knows an operation."""

import contextlib
import os
from collections.abc import Mapping
from typing import Final, NamedTuple, TextIO

from exo_sidecar.cli.options import Given
from exo_sidecar.cli.plain import clean

_UNLIMITED: Final = 1_000_000
_NARROWEST: Final = 20
_WIDEST: Final = 1000


class Streams(NamedTuple):
    """Where a call reads and writes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO


class Terminal:
    """The streams of one call, and how they are to be written to."""

    def __init__(self, streams: Streams, common: Given, environ: Mapping[str, str]) -> None:
        forced = bool(environ.get("FORCE_COLOR"))
        dumb = environ.get("TERM") == "dumb"
        self.streams = streams
        self.quiet = common.quiet
        self.json = common.wants_json
        self.boxes = not (common.plain or dumb) and (forced or streams.stdout.isatty())
        bare = common.no_color or common.plain or dumb or bool(environ.get("NO_COLOR"))
        self.color = not bare and (forced or streams.stdout.isatty())
        self.color_aside = not bare and (forced or streams.stderr.isatty())
        self.interactive = not common.no_input and streams.stdin.isatty() and streams.stderr.isatty()
        self.width = _width(environ, _descriptor(streams.stdout))
        self._live = streams.stderr.isatty() and not common.quiet and not dumb
        self._shown = False

    def say(self, text: str) -> None:
        """Write to stdout: data, and nothing else."""
        self.clear()
        self.streams.stdout.write(text)

    def aside(self, text: str) -> None:
        """Write to stderr: errors, warnings, hints."""
        self.clear()
        self.streams.stderr.write(text)

    def progress(self, text: str) -> None:
        """Show what is being done, on a terminal only; the next output takes its place."""
        if self._live:
            self.streams.stderr.write(f"\r\x1b[2K{clean(text)[: self.width - 1]}")
            self.streams.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the progress line away."""
        if self._shown:
            self.streams.stderr.write("\r\x1b[2K")
            self._shown = False

    def confirm(self, question: str) -> bool:
        """Ask on the terminal; no answer is no."""
        self.aside(f"{question} [y/N] ")
        self.streams.stderr.flush()
        return self.streams.stdin.readline(16).strip().lower() in {"y", "yes"}


def _width(environ: Mapping[str, str], descriptor: int | None) -> int:
    """Return the columns of the terminal: COLUMNS, else what it says; without one nothing needs to be shortened."""
    if environ.get("COLUMNS", "").isdigit():
        return max(_NARROWEST, min(int(environ["COLUMNS"]), _WIDEST))
    try:
        return max(_NARROWEST, os.get_terminal_size(descriptor).columns) if descriptor is not None else _UNLIMITED
    except OSError:
        return _UNLIMITED


def _descriptor(stream: TextIO) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return stream.fileno()
    return None
