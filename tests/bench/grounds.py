"""Governed repositories of any size, with a hub; thousands of tickets are written in one transaction."""

import hashlib
import os
from pathlib import Path
from typing import Final

from exo_sidecar.model.event import Draft, Fields, Sets, TicketCreated
from exo_sidecar.model.ids import CROCKFORD, TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.operations.context import Context
from tests.bench.timing import EXO, started
from tests.support.repositories import a_clone, a_hub

INTENT: Final = "INTENT-BENCH"
_PARTS: Final = 100
_PRIORITIES: Final = 5
_LETTERS: Final = 8


def ticket(number: int) -> TicketId:
    """Return the id of a ticket that `governed` made: as random as a minted one, the same in every run."""
    letters = hashlib.sha256(str(number).encode()).digest()[:_LETTERS]
    return TicketId(f"TICKET-{''.join(CROCKFORD[byte % len(CROCKFORD)] for byte in letters)}")


def governed(folder: Path, tickets: int) -> Path:
    """Make a hub and a governed clone of it in which there are `tickets` tickets below one intent."""
    folder.mkdir()
    clone = a_clone(a_hub(folder))
    fill(clone, tickets)
    return clone


def fill(clone: Path, tickets: int) -> None:
    """Govern a repository and write `tickets` tickets below one intent."""
    started((*EXO, "init"), clone)
    intent = TicketCreated(fields=Fields(kind="intent", title="Bench", brain_dump="a great many tickets"))
    drafts = [Draft(subject=INTENT, data=intent), *(_draft(number) for number in range(tickets))]
    with context(clone) as ctx:
        ctx.begin("bench", {})
        ctx.transact(lambda _: Outcome(events=tuple(drafts)))


def context(clone: Path) -> Context:
    """Open a context as an operation gets it."""
    return Context.open(clone, actor="human:bench", environ=os.environ)


def _draft(number: int) -> Draft:
    fields = Fields(
        kind="task",
        title=f"Ticket number {number}",
        priority=1 + number % _PRIORITIES,
        type="feature",
        parent=INTENT,
    )
    data = TicketCreated(fields=fields, sets=Sets(scope_allow=(f"src/part{number % _PARTS}/**",)))
    return Draft(subject=ticket(number), data=data)
