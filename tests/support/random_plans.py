"""Random plans: a step of random work that records a spec and the ticket that was made of it."""

from exo_sidecar.model.event import Draft, Fields, TicketCreated
from exo_sidecar.model.event_plans import SpecRecorded
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View
from tests.support.random_step import Step


def plan(step: Step, _: View) -> tuple[Draft, ...]:
    """Record a plan of one ticket; clones that record the same one at once make two creations of it."""
    ticket = TicketId(f"TICKET-P{step.value % 3}")
    data = SpecRecorded(title=f"Plan {step.value}", text=f"* Planned {step.value}\n", tickets=(ticket,))
    created = TicketCreated(fields=Fields(title=f"Planned {step.value}", kind="task"))
    return (Draft(subject=f"SPEC-{step.value:04}", data=data), Draft(subject=ticket, data=created))
