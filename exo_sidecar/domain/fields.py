"""Fields of a ticket as people give them, checked and made into what an event holds.

Names are the flat ones of `model.ticket`: SCALARS and SETS. Raises, because a malformed value leaves nothing to judge;
every error names its field in the details.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET

from exo_sidecar.domain import wording
from exo_sidecar.model import glob
from exo_sidecar.model.errors import IdNotFound, ScopeInvalid, Usage, ValueInvalid
from exo_sidecar.model.event import LINE_BYTES_MAX, Data, Fields, Sets
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.hierarchy import InvalidParent
from exo_sidecar.model.ticket import (
    ADMISSION_FIELDS,
    BUDGET_FIELDS,
    COUNT_MAX,
    PRIORITY_MAX,
    PRIORITY_MIN,
    SCALARS,
    SETS,
    Scalar,
    Scope,
    Ticket,
    scalar_of,
    set_of,
)
from exo_sidecar.model.view import View

MEMBERS_MAX: Final = 200
"""Most members of one set field: what a person can still look through."""
NO_TICKET: Final = "none"
"""What people write to take a parent or creator away."""
_LONGEST: Final[dict[str, int]] = {"checks": 200, "labels": wording.WORD_MAX, "links": wording.MEMBER_MAX}
"""Longest member of a field, in characters."""
PARAMETER_OF: Final = {
    "max_files_changed": "max_files",
    "max_loc_changed": "max_loc",
    "max_duration_seconds": "max_duration",
}
"""Names of parameters that are shorter than their field's."""
_ENVELOPE_BYTES: Final = 16 * 1024
"""Room that is left in a line for everything but its data."""
_PASSAGES: Final = frozenset({"brain_dump", "boundary", "success_condition", *ADMISSION_FIELDS})
_TICKETS: Final = frozenset({"parent", "created_by"})


class BudgetValueInvalid(Usage):
    """A budget is not a whole number from 0."""

    code = "BUDGET_VALUE_INVALID"
    advice = f"budgets are whole numbers from 0 to {COUNT_MAX}; durations like 30m or 2h"


def clean(view: View, given: Mapping[str, Scalar]) -> Fields:
    """Return the scalar fields that are `given` as an event holds them.

    Raises:
        ValueInvalid: a text, word or number is outside of what its field takes.
        BudgetValueInvalid: a budget is not a whole number from 0.
        InvalidParent: the parent named does not exist.
        IdNotFound: the creating ticket named does not exist; IdAmbiguous, IdInvalid likewise.
    """
    values = {name: _scalar(view, name, value) for name, value in given.items()}
    try:
        return msgspec.convert(values, Fields)
    except msgspec.ValidationError as error:
        raise _outside(str(error)) from error


def clean_sets(view: View, given: Mapping[str, tuple[str, ...]]) -> Sets:
    """Return members to add as an event holds them, each once, in the order given.

    Raises:
        ScopeInvalid: a scope glob is malformed, absolute, or leaves the repository.
        ValueInvalid: a label or link is blank, too long or not one line.
        IdNotFound: a blocker does not exist; IdAmbiguous, IdInvalid likewise.
    """
    return _sets({name: tuple(_member(view, name, text) for text in texts) for name, texts in given.items()})


def members_named(view: View, ticket: Ticket, given: Mapping[str, tuple[str, ...]]) -> Sets:
    """Return members to take away: of blockers by any name of the ticket, of the others exactly as they stand."""
    found: dict[str, tuple[str, ...]] = {}
    for name, texts in given.items():
        stripped = tuple(text.strip() for text in texts)
        if name == "blockers":
            stripped = tuple(_blocker_named(view, ticket, text) for text in stripped)
        found[name] = stripped
    return _sets(found)


def applied(ticket: Ticket, fields: Fields, add: Sets, remove: Sets) -> Ticket:
    """Return the ticket as it is after the change."""
    written = {name: value for name in SCALARS if (value := getattr(fields, name)) is not UNSET}
    plain = {name: value for name, value in written.items() if name not in (*BUDGET_FIELDS, *ADMISSION_FIELDS)}
    allow = _joined(set_of(ticket, "scope_allow"), add.scope_allow, remove.scope_allow)
    return msgspec.structs.replace(
        ticket,
        **plain,
        blockers=_joined(ticket.blockers, add.blockers, remove.blockers),
        labels=_joined(ticket.labels, add.labels, remove.labels),
        links=_joined(ticket.links, add.links, remove.links),
        scope=Scope(allow=allow or (EVERYTHING,), deny=_joined(ticket.scope.deny, add.scope_deny, remove.scope_deny)),
        budgets=msgspec.structs.replace(ticket.budgets, **_only(written, BUDGET_FIELDS)),
        admission=msgspec.structs.replace(ticket.admission, **_only(written, ADMISSION_FIELDS)),
    )


def changed(before: Ticket, after: Ticket) -> dict[str, Scalar]:
    """Return the scalar fields in which the tickets differ, by flat name, as `after` has them."""
    return {name: value for name in SCALARS if (value := scalar_of(after, name)) != scalar_of(before, name)}


def size_fault(ticket: Ticket, data: Data) -> ValueInvalid | None:
    """Return why the change is too large for one event or record, None when it is not."""
    largest = max(len(msgspec.json.encode(data)), len(msgspec.json.encode(ticket)))
    limit = LINE_BYTES_MAX - _ENVELOPE_BYTES
    if largest <= limit:
        return None
    message = f"{ticket.id} would take {largest} bytes; at most {limit} are allowed"
    return ValueInvalid(message, hint="shorten its texts, or link to a file instead", ticket=ticket.id)


def _scalar(view: View, name: str, value: Scalar) -> Scalar:
    if name in BUDGET_FIELDS:
        return _budget(name, value)
    if name == "priority":
        return _priority(value)
    if name == "checks":
        checks = value if isinstance(value, tuple) else ()
        return tuple(dict.fromkeys(wording.line(name, check, longest=_LONGEST["checks"]) for check in checks))
    if name in _TICKETS:
        return _ticket_named(view, name, value)
    if not isinstance(value, str):
        return value
    if name in _PASSAGES:
        return wording.passage(name, value)
    return wording.title(name, value) if name == "title" else wording.line(name, value, longest=wording.WORD_MAX)


def _budget(name: str, value: Scalar) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_MAX:
        return value
    parameter = PARAMETER_OF.get(name, name)
    message = f"{parameter}: {value!r} is not a whole number from 0"
    raise BudgetValueInvalid(message, parameter=parameter, field=name)


def _priority(value: Scalar) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and PRIORITY_MIN <= value <= PRIORITY_MAX:
        return value
    message = f"priority: {value!r} is not a number from {PRIORITY_MIN} to {PRIORITY_MAX}"
    raise ValueInvalid(message, hint="1 is the most urgent, 5 the least", parameter="priority", field="priority")


def _ticket_named(view: View, name: str, value: Scalar) -> str | None:
    if not isinstance(value, str) or value.strip().lower() == NO_TICKET:
        return None
    try:
        return view.find_ticket(value).id
    except IdNotFound as error:
        if name != "parent":
            error.details["field"] = name
            raise
        message = f"there is no ticket {value.strip()[:60]!r} to be the parent"
        raise InvalidParent(message, parent=value.strip()[:60], field=name) from error


def _member(view: View, name: str, text: str) -> str:
    if name == "blockers":
        return _blocker(view, text)
    if name in {"scope_allow", "scope_deny"}:
        return _glob(name, text)
    return wording.line(name, text, longest=_LONGEST[name])


def _blocker(view: View, text: str) -> str:
    try:
        return view.find_ticket(text).id
    except IdNotFound as error:
        error.details["field"] = "blockers"
        raise


def _blocker_named(view: View, ticket: Ticket, text: str) -> str:
    return text.upper() if text.upper() in ticket.blockers else _blocker(view, text)


def _glob(name: str, text: str) -> str:
    try:
        return glob.parse(text.strip())
    except ScopeInvalid as error:
        error.details["field"] = name
        raise


def _sets(found: Mapping[str, tuple[str, ...]]) -> Sets:
    unique = {name: tuple(dict.fromkeys(members)) for name, members in found.items() if name in SETS}
    for name, members in unique.items():
        if len(members) > MEMBERS_MAX:
            message = f"{name} has {len(members)} members; at most {MEMBERS_MAX} are allowed"
            raise ValueInvalid(message, parameter=name, field=name)
    return Sets(
        blockers=unique.get("blockers", ()),
        labels=unique.get("labels", ()),
        links=unique.get("links", ()),
        scope_allow=unique.get("scope_allow", ()),
        scope_deny=unique.get("scope_deny", ()),
    )


def _joined(members: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(member for member in (*members, *add) if member not in remove))


def _only(values: Mapping[str, Scalar], names: tuple[str, ...]) -> dict[str, Scalar]:
    return {name: value for name, value in values.items() if name in names}


def _outside(text: str) -> ValueInvalid:
    """Return msgspec's complaint as ours; it ends with the field: `... - at `$.risk``."""
    what, _, place = text.partition(" - at ")
    name = place.strip("`").removeprefix("$.")
    message = f"{name}: {what.replace('`', '')}" if name else text
    return ValueInvalid(message, parameter=name, field=name)
