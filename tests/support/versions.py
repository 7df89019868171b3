"""Two programs of different render numbers: this one, and the next, which renders and writes what this one cannot know.

The next one is this package with three things put in the place of others before it begins: its number, one byte of
every ticket's file, and the type of the event that a note is.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from exo_sidecar.model import event
from exo_sidecar.store import layout, rendered
from tests.support.inprocess import exo_in_process
from tests.support.process import Command, Ran, run

STAMP: Final = b"# by the next exo\n"
"""What the next program writes at the end of every ticket's file."""
STARRED: Final = "ticket.starred"
"""The type of the next program's notes."""
_NEXT: Final = f"""
import sys
from exo_sidecar.model import event
from exo_sidecar.store import layout, rendered
plain = rendered.ticket_file
layout.RENDER_NUMBER += 1
rendered.ticket_file = lambda record: plain(record) + {STAMP!r}
event.TYPES[{STARRED!r}] = event.TicketNoted
event.NAMES[event.TicketNoted] = {STARRED!r}
from exo_sidecar.__main__ import main
sys.exit(main())
"""


def next_command(cwd: Path, *args: str, env: Mapping[str, str] | None = None) -> Command:
    """Return the command that runs the next program in `cwd`."""
    return Command(cwd, (sys.executable, "-P", "-c", _NEXT, *args), env or {})


def next_exo(cwd: Path, *args: str) -> Ran:
    """Run the next program in this process, which is sooner, and return what it left behind."""
    with as_next():
        return exo_in_process(cwd, *args, "--json")


def next_process(cwd: Path, *args: str) -> Ran:
    """Run the next program as a real process, and return what it left behind."""
    return run(next_command(cwd, *args, "--json"))


def next_ok(cwd: Path, *args: str) -> Any:  # noqa: ANN401 - JSON: what a test expects of it stands in its asserts
    """Run a command of the next program that must go well, and return its data."""
    ran = next_exo(cwd, *args)
    assert ran.exit == 0, ran.out + ran.err
    return ran.data


@contextlib.contextmanager
def as_next() -> Iterator[None]:
    """Be the next program for a while, in this process."""
    plain = rendered.ticket_file
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "RENDER_NUMBER", layout.RENDER_NUMBER + 1)
        patch.setattr(rendered, "ticket_file", lambda record: plain(record) + STAMP)
        patch.setitem(event.TYPES, STARRED, event.TicketNoted)
        patch.setitem(event.NAMES, event.TicketNoted, STARRED)
        yield
