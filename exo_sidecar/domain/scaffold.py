"""Scaffold: what a repository starts with, so that the quick start works as written.

Only what is missing is written: an existing document or ticket is never touched.
"""

from collections.abc import Mapping
from typing import Final

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.domain import constitution, first_settings
from exo_sidecar.domain.scan import NOTHING, Proposal
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.event import Data, DocumentEdited, Draft, Fields, TicketCreated
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View

REVIEW_TICKET: Final = TicketId("TICKET-001")
SEED_INTENT: Final = TicketId("INTENT-001")
SEED_TASK: Final = TicketId("TICKET-002")

FEATURES: Final = """\
# Features of this product: what each is for, and the files that make it.
version: 1
features: []
"""

REQUIREMENTS: Final = """\
# Requirements: what the product must do, and how that is shown.
version: 1
requirements: []
"""

_REVIEW_BOUNDARY: Final = "Read .exo/CONSTITUTION.md and .exo/config.yaml with those concerned and edit both to fit."
_SEED_WISH: Final = "Try out how work is governed here: take this intent's task from start to finish."


def texts(proposal: Proposal = NOTHING) -> dict[str, str]:
    """Return the documents that a repository starts with, by name."""
    first = (constitution.text(proposal.rules), first_settings.text(proposal), FEATURES, REQUIREMENTS)
    return dict(zip(DOCUMENTS, first, strict=True))


def scaffold(view: View, documents: Mapping[str, str], *, seed: bool) -> Outcome:
    """Return the events that write the missing documents and first tickets; with `seed` an intent and a task, too."""
    written: list[tuple[str, Data]] = [
        (name, DocumentEdited(base=NO_DIGEST, text=text))
        for name, text in documents.items()
        if view.document(name) is None
    ]
    tickets = {REVIEW_TICKET: _review(), **(_seeds() if seed else {})}
    written += [(ticket, data) for ticket, data in tickets.items() if view.ticket(ticket) is None]
    return Outcome(events=tuple(Draft(subject=subject, data=data) for subject, data in written))


def names(*, seed: bool) -> tuple[str, ...]:
    """Return everything that is written where nothing is there yet."""
    return (*DOCUMENTS, REVIEW_TICKET, *(_seeds() if seed else ()))


def seeded(subjects: tuple[str, ...]) -> tuple[TicketId, ...]:
    """Return those of `subjects` that are tickets of ours."""
    return tuple(ticket for ticket in (REVIEW_TICKET, SEED_INTENT, SEED_TASK) if ticket in subjects)


def _review() -> TicketCreated:
    return TicketCreated(
        fields=Fields(
            kind="task",
            title="Review the generated constitution",
            type="governance",
            priority=2,
            checks=(),
            boundary=_REVIEW_BOUNDARY,
            success_condition="The documents say what the people here want.",
        )
    )


def _seeds() -> dict[TicketId, TicketCreated]:
    intent = Fields(kind="intent", title="Get to know governed work", brain_dump=_SEED_WISH, risk="low")
    task = Fields(
        kind="task",
        title="Take a first ticket from start to finish",
        type="docs",
        parent=SEED_INTENT,
        checks=(),
        success_condition="The ticket is done, and its session left a memento.",
    )
    return {SEED_INTENT: TicketCreated(fields=intent), SEED_TASK: TicketCreated(fields=task)}
