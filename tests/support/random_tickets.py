"""Random work on tickets and documents: what people write, at once and under tokens that are not theirs."""

from typing import Final

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.domain import settling
from exo_sidecar.domain.holding import standing
from exo_sidecar.model import lifecycle
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import (
    DocumentEdited,
    Draft,
    Fields,
    Sets,
    TicketCreated,
    TicketEdited,
    TicketMoved,
    TicketNoted,
    TicketRefused,
)
from exo_sidecar.model.view import View
from tests.support.random_step import Step, other_of, ticket_of
from tests.support.stores import a_session
from tests.support.views import Asking

LABELS: Final = ("a", "b", "ünï", "c d")
SCOPES: Final = ("**", "src/**", "src/lib/**", "docs", "*.py")
SECTIONS: Final = ("Purpose", "Rules", "People")


def create(step: Step, _: View) -> tuple[Draft, ...]:
    fields = Fields(title=f"Title {step.value}", kind="task", priority=step.value % 5 + 1)
    data = TicketCreated(fields=fields, sets=Sets(labels=(_label(step),)), idem_key=f"key{step.value % 3}")
    return (Draft(subject=ticket_of(step), data=data),)


def edit(step: Step, _: View) -> tuple[Draft, ...]:
    fields = (
        Fields(title=f"Title {step.value}"),
        Fields(priority=step.value % 5 + 1, boundary=f"line {step.value}\nother: '#'"),
        Fields(parent=other_of(step)),
        Fields(checks=("pytest", f"step {step.value}"), max_steps=step.value + 1),
    )[step.value % 4]
    return (Draft(subject=ticket_of(step), data=TicketEdited(fields=fields)),)


def add(step: Step, _: View) -> tuple[Draft, ...]:
    return (Draft(subject=ticket_of(step), data=TicketEdited(add=_sets(step))),)


def remove(step: Step, _: View) -> tuple[Draft, ...]:
    return (Draft(subject=ticket_of(step), data=TicketEdited(remove=_sets(step))),)


def fence(step: Step, _: View) -> tuple[Draft, ...]:
    """Write a scope: allow or deny, more or less of it."""
    glob = SCOPES[step.value % len(SCOPES)]
    sets = Sets(scope_deny=(glob,)) if step.value % 3 == 0 else Sets(scope_allow=(glob,))
    data = TicketEdited(remove=sets) if step.value % 2 else TicketEdited(add=sets)
    return (Draft(subject=ticket_of(step), data=data),)


def settle(step: Step, view: View) -> tuple[Draft, ...]:
    """Settle a field in conflict, or all open places of a document; here and perhaps in another clone otherwise."""
    record = view.ticket(ticket_of(step))
    if record is None or not record.conflicts:
        return _settled_document(view)
    fields = sorted(record.conflicts)
    take = ("ours",) if step.value % 3 else ("theirs",)
    caller = standing(view, record.id, Asking())
    try:
        return settling.settle(view, record, fields[step.value % len(fields)], take, caller).events
    except ExoError:  # a parent that is closed by now, several others: what people are told, too
        return ()


def move(step: Step, view: View) -> tuple[Draft, ...]:
    record = view.ticket(ticket_of(step))
    if record is None:
        return ()
    ways = lifecycle.ways_out(record.ticket.status)
    if not ways:
        return ()
    end = ways[step.value % len(ways)].end
    data = TicketMoved(start=record.ticket.status, end=end, operation="ticket-move", reason="because")
    return (Draft(subject=ticket_of(step), data=data),)


def note(step: Step, _: View) -> tuple[Draft, ...]:
    return (Draft(subject=ticket_of(step), data=TicketNoted(text=f"note {step.value}")),)


def document(step: Step, view: View) -> tuple[Draft, ...]:
    name = "config.yaml" if step.value % 2 else "CONSTITUTION.md"
    before = view.document(name)
    text = before.text if before else ""
    if name == "config.yaml":
        key = f"x-{SECTIONS[step.which % 3].lower()}"
        kept = [line for line in text.splitlines() if not line.startswith(f"{key}:")]
        text = "\n".join([*kept, f"{key}: {step.value}"])  # no line feed at the end: the next unit must not run into it
    else:
        text = f"{text}## {SECTIONS[step.which % 3]}\n\nParagraph {step.value}\n\n"
    data = DocumentEdited(base=before.digest if before else NO_DIGEST, text=text)
    return (Draft(subject=name, data=data),)


def hold(step: Step, view: View) -> tuple[Draft, ...]:
    """Work under a lease that this clone believes to be its own: rightly, or fenced, or never held."""
    ticket = ticket_of(step)
    epoch = max(view.highest_epoch(ticket), 1)
    session = a_session(step.value)
    data = TicketEdited(fields=Fields(title=f"Held {step.value}"))
    return (Draft(subject=ticket, data=data, session=session, epoch=epoch),)


def refuse(step: Step, _: View) -> tuple[Draft, ...]:
    start, end = lifecycle.Status.TODO, lifecycle.Status.DONE
    data = TicketRefused(operation="ticket-move", start=start, end=end, code="TRANSITION_INVALID", message="no")
    return (Draft(subject=ticket_of(step), data=data),)


def _settled_document(view: View) -> tuple[Draft, ...]:
    for name in ("config.yaml", "CONSTITUTION.md"):
        found = view.document(name)
        if found is not None and found.conflicts:
            units = tuple(dict.fromkeys(section.name for section in found.conflicts))
            data = DocumentEdited(base=found.digest, text=found.text, settles=units)
            return (Draft(subject=name, data=data),)
    return ()


def _label(step: Step) -> str:
    return LABELS[step.value % len(LABELS)]


def _sets(step: Step) -> Sets:
    return Sets(labels=(_label(step),)) if step.value % 2 else Sets(blockers=(other_of(step),))
