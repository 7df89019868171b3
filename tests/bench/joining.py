"""Joining: clones that worked apart for long, brought together through one hub: time, and memory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from unittest import mock

from exo_sidecar.model.event import Draft, Fields, TicketCreated, TicketEdited, TicketNoted
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from tests.bench import timing
from tests.bench.grounds import context
from tests.bench.timing import EXO, Group, Row, Used
from tests.support.repositories import a_clone, a_hub, git

CLONES: Final = 8
OPERATIONS: Final = 1250
_SHARED: Final = 100
"""Tickets that all clones know, and that they meet on."""
_BRANCH: Final = "exo-governance"


def measure(folder: Path) -> Group:
    """Let eight clones do 1,250 operations each, one commit for each, without a sync; then join them."""
    clones = _worked(folder)
    first = [_synced(clone) for clone in clones]
    second = [_synced(clone) for clone in reversed(clones)]
    third = [_synced(clone) for clone in clones]
    tips = {git(clone, "rev-parse", _BRANCH) for clone in clones}
    assert len(tips) == 1, "the clones did not come together"
    total = sum(each.ms for each in (*first, *second)) / 1000
    peak = max(each.mib for each in (*first, *second))
    what = f"{CLONES} clones, {OPERATIONS:,} operations each"
    return Group(
        "Joining",
        (
            Row(f"exo sync, {what}: first round", timing.of([each.ms for each in first]), _worst(first)),
            Row("second round, in the other order", timing.of([each.ms for each in second]), _worst(second)),
            Row("third round: nothing left to do", timing.of([each.ms for each in third]), _worst(third)),
            Row("until all are equal", None, f"{total:.1f} s, at most {peak:.0f} MiB"),
        ),
    )


@contextlib.contextmanager
def without_waiting_for_the_disk() -> Iterator[None]:
    """Let nothing wait for the disk while grounds are laid; what is measured waits as ever."""
    with mock.patch.object(os, "fsync", _at_once), mock.patch.object(os, "sync", _at_once):
        yield


def _at_once(*_: object) -> None:
    """Do nothing; a mock of its own making would keep every call."""


def _worked(folder: Path) -> list[Path]:
    folder.mkdir()
    hub = a_hub(folder)
    clones = [a_clone(hub, f"clone{number}") for number in range(CLONES)]
    with without_waiting_for_the_disk():
        for number, clone in enumerate(clones):
            timing.started((*EXO, "init"), clone)
            if number == 0:
                _begin(clone)
                timing.started((*EXO, "sync"), clone)
        for number, clone in enumerate(clones):
            _work(clone, number)
    return clones


def _begin(clone: Path) -> None:
    drafts = tuple(Draft(subject=_ticket(number), data=_created(number)) for number in range(_SHARED))
    with context(clone) as ctx:
        ctx.begin("bench", {})
        ctx.transact(lambda _: Outcome(events=drafts))


def _work(clone: Path, own: int) -> None:
    """Write notes and titles of shared tickets, so that clones meet, and now and then a ticket of the clone's own."""
    with context(clone) as ctx:
        ctx.begin("bench", {})
        for number in range(OPERATIONS):
            shared = _ticket((number * 7 + own) % _SHARED)
            match number % 5:
                case 0:
                    draft = Draft(subject=f"TICKET-C{own}N{number}", data=_created(number))
                case 1 | 2:
                    draft = Draft(subject=shared, data=TicketEdited(fields=Fields(title=f"Title {own} {number}")))
                case _:
                    draft = Draft(subject=shared, data=TicketNoted(text=f"note {number} of clone {own}"))
            ctx.store.transact(lambda _, draft=draft: Outcome(events=(draft,)), ctx.stamp())  # type: ignore[misc]


def _synced(clone: Path) -> Used:
    return timing.used((*EXO, "sync"), clone)


def _worst(synced: list[Used]) -> str:
    busy = sum(each.processor_ms for each in synced) / 1000
    longest, peak = max(each.ms for each in synced) / 1000, max(each.mib for each in synced)
    return f"longest {longest:.1f} s, {busy:.1f} s of processor in sum, at most {peak:.0f} MiB"


def _ticket(number: int) -> TicketId:
    return TicketId(f"TICKET-S{number:03}")


def _created(number: int) -> TicketCreated:
    return TicketCreated(fields=Fields(kind="task", title=f"Ticket {number}", type="feature"))
