"""What a session's start and end ask for does not grow with the past: counted, in a long past against hardly any.

Counted are steps of the index's virtual machine (a listing of everything shows there, whatever its statement), objects
and refs of git that are read, and what is asked of git's own programs.
"""

import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from exo_sidecar.git.objects import Object, Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.refs import Refs
from exo_sidecar.host import checkout
from tests.bench import grounds, starting
from tests.bench.starting import Past
from tests.support.inprocess import exo_in_process
from tests.support.process import Command, run

LITTLE: Final = Past(10, 0, 1)
LONG: Final = Past(450, 400, 80)
WORKED_ON: Final = 0
UNTOUCHED: Final = -1
"""The last ticket, which no session has worked on."""
FINISH: Final = ("session-finish", "--summary", "done", "--set-status", "todo", "--json")
_STEPS: Final = 10
_TOLD_MAX: Final = 20_000
"""Characters of git's answers: fifty branches, with a line and a commit each, are looked at in any past."""
_HEAVY: Final = ("typer", "rich", "psutil", "urllib3", "yaml", "xml", "mcp", "pydantic", "asyncio")

_Answer = TypeVar("_Answer")


class Counts(Counter[str]):
    """How often what was asked for, since the last `clear`."""

    def count(self, what: str, ask: Callable[..., _Answer]) -> Callable[..., _Answer]:
        """Return `ask`, counted."""

        def counted(*args: Any, **kwargs: Any) -> _Answer:  # noqa: ANN401 - whatever it takes
            self[what] += 1
            return ask(*args, **kwargs)

        return counted


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Count from here on what this process asks for."""
    found = Counts()
    connect, read, ask = sqlite3.connect, Objects.read, checkout.ask

    def step() -> None:
        found["steps"] += _STEPS

    def connected(*args: Any, **kwargs: Any) -> sqlite3.Connection:  # noqa: ANN401 - as sqlite3 has them
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_progress_handler(step, _STEPS)
        return connection

    def told(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as `checkout.ask` has them
        text = ask(*args, **kwargs)
        found["programs"] += 1
        found["characters"] += len(text)
        return text

    def seen(objects: Objects, oid: Oid) -> Object:
        found["objects"] += 1
        return read(objects, oid)

    monkeypatch.setattr(sqlite3, "connect", connected)
    monkeypatch.setattr(Objects, "read", seen)
    monkeypatch.setattr(checkout, "ask", told)
    for name in ("read", "list", "resolve"):
        monkeypatch.setattr(Refs, name, found.count("refs", getattr(Refs, name)))
    return found


def _start(past: Past, number: int) -> tuple[str, ...]:
    return ("session-start", "--ticket-id", grounds.ticket(number % past.tickets), "--json")


def _counted(clone: Path, past: Past, number: int, counts: Counts) -> tuple[Counts, Counts]:
    """Return what a start and a finish ask for, once everything of before is indexed and pushed."""
    for words in (_start(past, 1), FINISH):
        assert exo_in_process(clone, *words).exit == 0
    found = []
    for words in (_start(past, number), FINISH):
        counts.clear()
        ran = exo_in_process(clone, *words)
        assert ran.exit == 0, ran.out
        found.append(Counts(counts))
    return found[0], found[1]


@pytest.mark.parametrize(("has_hub", "number"), [(False, UNTOUCHED), (True, WORKED_ON)])
def test_a_start_and_a_finish_ask_for_no_more_after_a_long_past(
    tmp_path: Path, counts: Counts, number: int, *, has_hub: bool
) -> None:
    little, long = (starting.laid(tmp_path / name, past) for name, past in (("little", LITTLE), ("long", LONG)))
    if has_hub:
        starting.connect(little)
        starting.connect(long)
    few, many = _counted(little, LITTLE, number, counts), _counted(long, LONG, number, counts)
    for less, more in zip(few, many, strict=True):
        assert more["steps"] <= 1.3 * less["steps"] < 1.3 * LONG.sessions * _STEPS, "a listing of all would be more"
        assert more["objects"] <= 1.2 * less["objects"], "folders are deeper, not read whole"
        # A ticket with earlier sessions has one question more: whether the last one's branch is merged.
        assert more["refs"] <= less["refs"] + 5
        assert more["programs"] <= less["programs"] + 1
        assert more["characters"] <= _TOLD_MAX


def test_a_start_and_a_finish_load_no_library_that_they_have_no_use_for(tmp_path: Path) -> None:
    clone = starting.laid(tmp_path / "little", LITTLE)
    starting.connect(clone)
    for words in (_start(LITTLE, WORKED_ON), FINISH):
        ran = run(Command(clone, (sys.executable, "-X", "importtime", "-m", "exo_sidecar", *words)))
        assert ran.exit == 0, ran.err
        loaded = set(re.findall(r"\|\s+(\S+)$", ran.err, re.MULTILINE))
        assert "exo_sidecar.host.live_sessions" in loaded
        assert {name for name in loaded if name.partition(".")[0] in _HEAVY} == set()
