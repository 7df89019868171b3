"""Tickets: the record as people edit it, and what the fold knows beside it (docs/format.md, "Rendered files")."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from exo_sidecar.model import glob
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status

Kind = Literal["intent", "epic", "task"]
Risk = Literal["low", "medium", "high"]
Profile = Literal["light", "default", "heavy"]
Scalar: TypeAlias = str | int | tuple[str, ...] | None
"""The value of a scalar field: `checks` is one too, because it is replaced as a whole."""

PRIORITY_MIN: Final = 1
PRIORITY_MAX: Final = 5
TITLE_MAX: Final = 200
TEXT_MAX: Final = 16_384
"""Longest text of one field, in characters; keeps an event line far below its limit."""
COUNT_MAX: Final = 2**31 - 1


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where work on the ticket may write."""

    allow: tuple[str, ...] = (EVERYTHING,)
    deny: tuple[str, ...] = ()

    def outside(self, paths: Iterable[str]) -> list[str]:
        """Return the paths where work may not write, in their order."""
        is_allowed, is_denied = glob.matching(self.allow), glob.matching(self.deny)
        return [path for path in paths if is_denied(path) or not is_allowed(path)]


class Budgets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much work on the ticket may use."""

    max_files_changed: int = 12
    max_loc_changed: int = 400
    max_steps: int = 50
    max_depth: int = 10
    max_duration_seconds: int = 1800


class Admission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the ticket is worth doing."""

    consumer: str = ""
    pain_point: str = ""
    expected_value: str = ""
    validation_path: str = ""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ticket as its YAML file shows it, in this order."""

    id: TicketId
    kind: Kind = "task"
    title: str
    status: Status = Status.TODO
    priority: int = 3
    type: str = "feature"
    parent: TicketId | None = None
    blockers: tuple[TicketId, ...] = ()
    labels: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    scope: Scope = Scope()
    budgets: Budgets = Budgets()
    checks: tuple[str, ...] = ()
    brain_dump: str = ""
    boundary: str = ""
    success_condition: str = ""
    risk: Risk = "medium"
    resource_profile: Profile = "default"
    admission: Admission = Admission()
    created_by: TicketId | None = None
    notes: tuple[str, ...] = ()


FORMER_MAX: Final = 100
SETS: Final = ("blockers", "labels", "links", "scope_allow", "scope_deny")
"""Fields that are edited by adding and removing members."""

BUDGET_FIELDS: Final = Budgets.__struct_fields__
ADMISSION_FIELDS: Final = Admission.__struct_fields__
SCALARS: Final = (
    "kind",
    "title",
    "priority",
    "type",
    "parent",
    "checks",
    "brain_dump",
    "boundary",
    "success_condition",
    "risk",
    "resource_profile",
    "created_by",
    *BUDGET_FIELDS,
    *ADMISSION_FIELDS,
)
"""Fields whose value is one write, by their flat names; `status` is one more, written by moves only."""
FENCE_SETS: Final = ("scope_allow", "scope_deny")
"""Sets that say what work may do: edits of one that did not know each other are a conflict, unlike those of labels."""
SETTLED_FIRST: Final = ("status", *FENCE_SETS, "boundary", *BUDGET_FIELDS)
"""Fields that say what may be done: while one is in conflict gates use the stricter; `next` offers other tickets."""


_DONE: Final = (Status.DONE, Status.ARCHIVED)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One of several values that were written without knowing each other."""

    value: Scalar
    actor: str
    at: str
    event: str
    epoch: int | None = None
    start: Status | None = None
    """Of a status the one that the ticket was moved from; None when it was created with it."""


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with what the fold knows of it."""

    ticket: Ticket
    created_at: str
    creator: str
    """Actor of the first creation."""
    updated_at: str
    resolution: str | None = None
    """How it was closed: done, cancelled, dropped."""
    former_blockers: tuple[TicketId, ...] = ()
    """Tickets that it waited for until somebody took them away, at most FORMER_MAX."""
    conflicts: dict[str, tuple[Version, ...]] = {}
    """Per field in conflict every value, the one that stands first; of scopes none need stand (`value_of`)."""

    @property
    def id(self) -> TicketId:
        """The ticket's id."""
        return self.ticket.id

    def values(self, field: str) -> tuple[Scalar, ...]:
        """Return every value of a field that can be in conflict, each once, the one that stands first."""
        return tuple(
            dict.fromkeys((value_of(self.ticket, field), *(each.value for each in self.conflicts.get(field, ()))))
        )

    @property
    def is_open(self) -> bool:
        """Whether work on it may still happen."""
        return self.ticket.status not in CLOSED

    @property
    def is_satisfied(self) -> bool:
        """Whether it no longer blocks others: done, or archived as done, in every clone."""
        is_done = self.ticket.status is Status.DONE or (
            self.ticket.status is Status.ARCHIVED and self.resolution == "done"
        )
        return is_done and all(version.value in _DONE for version in self.conflicts.get("status", ()))

    @property
    def may_be_open(self) -> bool:
        """Whether work on it may still happen, here or as another clone had it: its end is not to be relied on."""
        return self.is_open or any(version.value not in CLOSED for version in self.conflicts.get("status", ()))


def scalar_of(ticket: Ticket, field: str) -> Scalar:
    """Return the value of a scalar field by its flat name."""
    if field in BUDGET_FIELDS:
        return _scalar(getattr(ticket.budgets, field))
    if field in ADMISSION_FIELDS:
        return _scalar(getattr(ticket.admission, field))
    return _scalar(getattr(ticket, field))


def value_of(ticket: Ticket, field: str) -> Scalar:
    """Return what stands in a field that can be in conflict, `status` and scopes included."""
    if field in FENCE_SETS:
        return ticket.scope.allow if field == "scope_allow" else ticket.scope.deny
    return str(ticket.status) if field == "status" else scalar_of(ticket, field)


def set_of(ticket: Ticket, field: str) -> tuple[str, ...]:
    """Return the members of a set field by its flat name; the default scope counts as no member."""
    match field:
        case "scope_allow":
            return () if ticket.scope.allow == (EVERYTHING,) else ticket.scope.allow
        case "scope_deny":
            return ticket.scope.deny
        case "blockers":
            return ticket.blockers
        case "labels":
            return ticket.labels
        case _:
            return ticket.links


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, str | int | tuple):
        return value
    message = f"{value!r} is no scalar field's value"
    raise TypeError(message)
