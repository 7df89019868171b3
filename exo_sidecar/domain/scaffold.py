"""Scaffold: what a repository starts with, so that the quick start works as written.

Only what is missing is written: an existing document or ticket is never touched.
"""

from typing import Final

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.event import Data, DocumentEdited, Draft, Fields, TicketCreated
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View

REVIEW_TICKET: Final = TicketId("TICKET-001")
SEED_INTENT: Final = TicketId("INTENT-001")
SEED_TASK: Final = TicketId("TICKET-002")

CONSTITUTION: Final = """\
# Constitution

How people and agents work together in this repository. Edit it: it is yours, and what stands here holds.

## Purpose

Every change has a ticket that says why. One session works on a ticket at a time, inside of what the ticket allows, and
leaves a record of what was done.

## Work

- Start with `exo next` or `exo session-start`; finish with `exo session-finish`.
- Work belongs to an intent: a wish in somebody's own words. Tasks of type `governance` or `practice` stand alone.
- Only files that the ticket's scope names are changed. A ticket whose scope is too narrow is edited, not ignored.
- Small steps: a ticket that outgrows its budget is split.

## Done

- What the ticket asks for is there, and its checks have passed.
- Tests and documentation came along with the change.
- What was learned and what is left open is written down for the next session.

## People decide

- Whoever forces, overrides or loosens a rule is a person, and says why.
- Agents ask when a decision is not theirs: they block the ticket with a reason.
- Nobody commits secrets. One that got out is replaced, not hidden.
"""

CONFIG: Final = """\
# Settings of exo. What is left away has the value that stands here.
version: 1

# Tickets: whether tasks and epics need a parent, and how deep the tree may be.
tickets:
  require_parent: true
  max_tree_depth: 20

# exo next: how many candidates it tries to claim before it gives up.
dispatch:
  max_attempts: 16

# Leases: the remote that decides, how long a claim lasts without a sign of life, how many one actor may hold, and
# whether --offline takes a ticket provisionally (provisional) or not at all (refuse).
leases:
  remote: origin
  ttl: 4h
  max_ttl: 24h
  per_actor: 8
  offline: provisional

# Sync: by itself around sessions (lifecycle), after each write (always), or never (off). Remotes: whom exo sync
# exchanges with, beside the remote of the leases.
sync:
  auto: lifecycle
  timeout_seconds: 5
  max_rounds: 8
  remotes: []

# The prompt that a session starts with.
bootstrap:
  max_tokens: 1500

# Whether work passes a review before it is done.
lifecycle:
  require_review: false

# Whether the repository may lie on a network file system.
storage:
  network: false
"""

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

TEXTS: Final = dict(zip(DOCUMENTS, (CONSTITUTION, CONFIG, FEATURES, REQUIREMENTS), strict=True))
_REVIEW_BOUNDARY: Final = "Read .exo/CONSTITUTION.md and .exo/config.yaml with those concerned and edit both to fit."
_SEED_WISH: Final = "Try out how work is governed here: take this intent's task from start to finish."


def scaffold(view: View, *, seed: bool) -> Outcome:
    """Return the events that write the missing documents and first tickets; with `seed` an intent and a task, too."""
    written: list[tuple[str, Data]] = [
        (name, DocumentEdited(base=NO_DIGEST, text=text)) for name, text in TEXTS.items() if view.document(name) is None
    ]
    tickets = {REVIEW_TICKET: _review(), **(_seeds() if seed else {})}
    written += [(ticket, data) for ticket, data in tickets.items() if view.ticket(ticket) is None]
    return Outcome(events=tuple(Draft(subject=subject, data=data) for subject, data in written))


def names(*, seed: bool) -> tuple[str, ...]:
    """Return everything that is written where nothing is there yet."""
    return (*TEXTS, REVIEW_TICKET, *(_seeds() if seed else ()))


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
