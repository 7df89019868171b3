"""Field flags that `intent-create`, `ticket-create` and `ticket-edit` share, declared once.

A flag that is not given is None or empty and writes nothing. Flags are named for people; `scalars` and `sets` give
the same values by the flat names of `model.ticket`.
"""

from typing import Annotated, Final

from exo_sidecar.domain.fields import PARAMETER_OF, BudgetValueInvalid
from exo_sidecar.model import duration
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.ticket import SCALARS, Scalar
from exo_sidecar.operations.registry import Params, param

_FIELD_OF: Final = {**{parameter: field for field, parameter in PARAMETER_OF.items()}, "set_checks": "checks"}
_SET_OF: Final = {
    "blocker": "blockers",
    "label": "labels",
    "link": "links",
    "scope_allow": "scope_allow",
    "scope_deny": "scope_deny",
}
NO_CHECKS: Final = ("none",)
"""What people write to take all checks away."""


class TicketFields(Params, frozen=True, kw_only=True):
    """Fields that every ticket has."""

    priority: Annotated[int | None, param("1 most urgent to 5; a new ticket has 3", metavar="N")] = None
    boundary: Annotated[str | None, param("What is not part of the work", stdin=True)] = None
    success_condition: Annotated[str | None, param("How to tell that it is done", stdin=True)] = None
    max_files: Annotated[int | None, param("Most files changed; 12 when new", metavar="N")] = None
    max_loc: Annotated[int | None, param("Most lines changed; 400 when new", metavar="N")] = None
    max_steps: Annotated[int | None, param("Most steps; 50 when new", metavar="N")] = None
    max_depth: Annotated[int | None, param("Deepest chain of tickets made by tickets; 10 when new", metavar="N")] = None
    max_duration: Annotated[str | None, param("Longest work, like 30m or 2h; 30m when new", metavar="DUR")] = None
    consumer: Annotated[str | None, param("Who benefits")] = None
    pain_point: Annotated[str | None, param("Which problem goes away")] = None
    expected_value: Annotated[str | None, param("Which measurable result is expected")] = None
    validation_path: Annotated[str | None, param("How success will be shown")] = None


class NewTicketFields(TicketFields, frozen=True, kw_only=True):
    """Fields that are given when something is created."""

    id: Annotated[str | None, param("An id of your own; minted when left away", metavar="ID")] = None
    label: Annotated[tuple[str, ...], param("A label")] = ()
    scope_allow: Annotated[tuple[str, ...], param("Where work may write", metavar="GLOB")] = ()
    scope_deny: Annotated[tuple[str, ...], param("Where work may not write", metavar="GLOB")] = ()
    checks: Annotated[tuple[str, ...], param("A check that must pass, by id", metavar="ID")] = ()
    idem_key: Annotated[str | None, param("The same key by the same actor gives the first ticket again")] = None


def scalars(params: TicketFields) -> dict[str, Scalar]:
    """Return the scalar fields that were given, by their flat names; BudgetValueInvalid for a duration that is none."""
    found: dict[str, Scalar] = {}
    for name in params.__struct_fields__:
        field, value = _FIELD_OF.get(name, name), getattr(params, name)
        if field not in SCALARS or value is None or value == ():
            continue
        if name == "max_duration":
            found[field] = _seconds(value)
        else:
            found[field] = () if field == "checks" and value == NO_CHECKS else value
    return found


def sets(params: TicketFields, prefix: str = "") -> dict[str, tuple[str, ...]]:
    """Return the members of set fields that were given under flags that begin with `prefix`, by their flat names."""
    found = {field: getattr(params, prefix + flag, ()) for flag, field in _SET_OF.items()}
    return {field: members for field, members in found.items() if members}


def _seconds(text: str) -> int:
    """Return a duration in seconds; a plain number is seconds already."""
    if text.strip().isascii() and text.strip().isdigit():
        return int(text[:20])
    try:
        return duration.parse(text)
    except ValueInvalid as error:
        message = f"max_duration: {error.message}"
        raise BudgetValueInvalid(message, hint=error.hint, parameter="max_duration") from error
