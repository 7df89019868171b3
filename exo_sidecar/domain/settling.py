"""Settling: which of the values written at once holds (docs/guides/tickets.md, "Two clones, one field").

An ordinary edit of a field settles it too, because it knew all values. Settling adds that somebody can say "this one"
without writing anything new: a value that stands, one of the others, and also on a ticket that is closed.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from exo_sidecar.domain import moves, tickets
from exo_sidecar.domain.fields import PARAMETER_OF, BudgetValueInvalid
from exo_sidecar.domain.holding import HumanRequired, Standing, lease_held, session_fenced
from exo_sidecar.domain.moves import Ask, Judged
from exo_sidecar.domain.tickets import Change
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.model import duration, lifecycle
from exo_sidecar.model.errors import ExoError, Refused, ValueInvalid
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import BUDGET_FIELDS, FENCE_SETS, SCALARS, Scalar, TicketRecord
from exo_sidecar.model.view import View

OPERATION: Final = "resolve"
OURS: Final = ("ours",)
THEIRS: Final = ("theirs",)
_NONE: Final = ("none",)
_FIELDS: Final = ("status", *FENCE_SETS, *SCALARS)
_FIELD_OF: Final = {parameter: field for field, parameter in PARAMETER_OF.items()}
_NUMBERS: Final = frozenset({"priority", *BUDGET_FIELDS})
_SHOWN: Final = 60


class NothingToResolve(Refused):
    """Nothing of that sort was written in several clones at once, or somebody has settled it already."""

    code = "NOTHING_TO_RESOLVE"
    advice = "exo resolve lists what is open"


def field_named(record: TicketRecord, name: str | None) -> str:
    """Return the field in conflict that `name` means, the only one when it is None.

    Raises:
        NothingToResolve: the ticket, or that field of it, is in no conflict.
        ValueInvalid: there is no such field, or none is named and several are open.
    """
    found = sorted(record.conflicts)
    if name is None and len(found) == 1:
        return found[0]
    if name is None and found:
        message = f"several fields of {record.id} are open: {', '.join(found)}"
        raise ValueInvalid(message, hint="name one with --field", parameter="field")
    if name is None:
        message = f"no field of {record.id} is in conflict"
        raise NothingToResolve(message, ticket=record.id)
    plain = name.strip().lower().replace("-", "_")
    field = _FIELD_OF.get(plain, plain)
    if field not in record.conflicts and field not in _FIELDS:
        message = f"field: {name[:_SHOWN]!r} is no field that can be in conflict"
        raise ValueInvalid(message, hint=f"one of {', '.join(found or _FIELDS)}", parameter="field")
    if field not in record.conflicts:
        message = f"{field} of {record.id} is in no conflict"
        raise NothingToResolve(message, ticket=record.id, field=field)
    return field


def settle(view: View, record: TicketRecord, field: str, take: tuple[str, ...], standing: Standing) -> Outcome:
    """Return the events that settle a field in conflict, or the refusal; who may edit and move may settle, and no more.

    Raises:
        ValueInvalid: `theirs` names none of several, or a value is malformed; and what `tickets.edit` raises.
    """
    value = _chosen(record, field, take)
    if field == "status":
        return _settle_status(view, record, lifecycle.parse(str(value)), standing)
    if field in FENCE_SETS:
        globs = value if isinstance(value, tuple) else ()
        wanted = () if globs == (EVERYTHING,) else globs
        stands = record.values(field)[0]
        gone = tuple(member for member in stands if member not in wanted) if isinstance(stands, tuple) else ()
        # Taking `**` away takes nothing away; but the edit has to name the field to count as a write of it.
        change = Change({}, {field: wanted}, {field: gone or (() if wanted else (EVERYTHING,))}, settles=True)
    else:
        change = Change({field: value}, {}, {}, settles=True)
    return tickets.edit(view, record, change, standing)


def choices(values: Sequence[Scalar]) -> str:
    """Return values in conflict in a few words each."""
    return "; ".join(_short(value) for value in values)


def _chosen(record: TicketRecord, field: str, take: tuple[str, ...]) -> Scalar:
    values = record.values(field)
    if take == OURS:
        return values[0]
    if take != THEIRS:
        return _parsed(field, take)
    if len(values) == 2:  # noqa: PLR2004 - ours, and theirs
        return values[1]
    message = f"{field} of {record.id} has {len(values) - 1} other values: {choices(values[1:])}"
    raise ValueInvalid(message, hint="say which one: --take VALUE", parameter="take", field=field)


def _parsed(field: str, texts: tuple[str, ...]) -> Scalar:
    """Return a value that somebody wrote; whether the field takes it is judged with the edit."""
    if field in FENCE_SETS or field == "checks":
        members = () if texts == _NONE else texts
        return (EVERYTHING,) if field == "scope_allow" and not members else members
    if len(texts) != 1:
        message = f"take: {field} has one value, not {len(texts)}"
        raise ValueInvalid(message, hint="give --take once", parameter="take", field=field)
    text = texts[0]
    if field in _NUMBERS and text.strip().isascii() and text.strip().isdigit():
        return int(text.strip()[:20])
    if field == "max_duration_seconds":
        return _seconds(text)
    return text


def _seconds(text: str) -> int:
    try:
        return duration.parse(text)
    except ValueInvalid as error:
        message = f"take: {error.message}"
        raise BudgetValueInvalid(message, hint=error.hint, parameter="take") from error


def _settle_status(view: View, record: TicketRecord, wanted: Status, standing: Standing) -> Outcome:
    """Return the chosen move once more; a status that no clone wrote is moved to from the one that stands."""
    others = tuple(Status(str(value)) for value in record.values("status") if value != wanted)
    reason = f"settles {choices(record.values('status'))}"
    if len(others) == len(record.values("status")):
        return moves.move(view, record, Ask(end=wanted, operation=OPERATION, reason=reason), standing)
    start = _start(record, wanted, others)
    if start is None:
        message = f"{record.id} cannot go back to {wanted}: no move of the lifecycle leads there"
        return refused(ValueInvalid(message, hint=f"take one of {choices(others)}", parameter="take", field="status"))
    refusal = _status_refusal(view, record, wanted, others, standing)
    if refusal is not None:
        return refused(refusal)
    ask = Ask(end=wanted, operation=OPERATION, reason=reason, settles=True)
    return moves.moved(record, (start, wanted), ask, standing)


def _start(record: TicketRecord, wanted: Status, others: tuple[Status, ...]) -> Status | None:
    """Return where the chosen move began; of a ticket that two clones created, another status that leads there."""
    known = (version.start for version in record.conflicts["status"] if version.value == wanted)
    return next((each for each in (*known, *others) if each is not None and lifecycle.row(each, wanted)), None)


def _status_refusal(
    view: View, record: TicketRecord, wanted: Status, others: tuple[Status, ...], standing: Standing
) -> ExoError | None:
    """Return why the caller may not choose: a person may, whoever holds the ticket; an agent what it could move."""
    if standing.fenced:
        return session_fenced(record.id, standing.session)
    if standing.human:
        return None
    if standing.holding is not None and not standing.holds:
        return lease_held(record.id, standing.holding)
    # Its checks were asked for when the move was written.
    ask = Ask(end=wanted, operation=OPERATION, reason="settles", shown=Shown(is_assumed=True))
    for other in others:
        row = lifecycle.row(other, wanted)
        if row is None:
            message = f"whether {record.id} is {wanted} or {other} is for a person to decide"
            return HumanRequired(message, ticket=record.id, field="status")
        there = msgspec.structs.replace(record, ticket=msgspec.structs.replace(record.ticket, status=other))
        refusal = moves.unmet(Judged(view, there, ask, standing), row)
        if refusal is not None:
            return refusal
    return None


def _short(value: Scalar) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return shown or "(empty)"
