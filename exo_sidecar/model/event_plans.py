"""Events of plans: a text that tickets were made of (docs/format.md, "Events")."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from exo_sidecar.model.event_parts import EventData, Id, Ticket, Title

PLAN_TEXT_MAX: Final = 64 * 1024
PLANNED_MAX: Final = 1000


class SpecRecorded(EventData, frozen=True):
    """A written plan, whole; the spec's id is the subject."""

    title: Title
    text: Annotated[str, Meta(min_length=1, max_length=PLAN_TEXT_MAX)]
    input_format: Literal["markdown", "json"] = "markdown"
    parent: Id | None = None
    """What its epics and tasks were put below."""
    tickets: Annotated[tuple[Ticket, ...], Meta(max_length=PLANNED_MAX)] = ()
    """What was made of it; empty when nothing was to be made."""
