"""All learnings, the gravest first."""

from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.model import ids, instant
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.reflection import GLOBAL, Kind, ReflectionFilter, ReflectionRecord, Severity, StatusWanted
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.ticket import CursorUnknown

_LIMIT_MAX: Final = 1000


class Reflections(Params, frozen=True, kw_only=True):
    """Parameters of `reflections`."""

    status: Annotated[StatusWanted, param("Only these; dismissed ones are told no more")] = "active"
    scope: Annotated[
        str | None, param("Only of this scope: global, or a ticket", metavar="global|ID", completes="ticket")
    ] = None
    severity: Annotated[tuple[Severity, ...], param("Only of this severity")] = ()
    kind: Annotated[tuple[Kind, ...], param("Only of this kind")] = ()
    tag: Annotated[tuple[str, ...], param("Only with this tag; several: with all of them")] = ()
    limit: Annotated[int, param("Most learnings to list, up to 1000", metavar="N")] = 100
    cursor: Annotated[str | None, param("Go on after this one: the next_cursor of the list before")] = None


class ReflectionItem(msgspec.Struct, frozen=True, kw_only=True):
    """A learning in a list."""

    id: str
    pattern: str
    insight: str
    severity: Severity
    scope: str
    kind: Kind
    tags: tuple[str, ...]
    actor: str
    """Who recorded it first."""
    age: int | None
    """Seconds since then, by the clocks of both; None where that time is none."""
    count: int
    """How often it was recorded."""
    status: Literal["active", "dismissed"]
    dismissed_by: str | None
    dismissed_reason: str | None


class ReflectionsListed(Result, frozen=True, kw_only=True):
    """A page of learnings."""

    items: tuple[ReflectionItem, ...]
    count: int
    next_cursor: str | None


@operation(Panel.MEMORY, reads_only=True)
def run(ctx: Context, params: Reflections) -> ReflectionsListed:
    """List what was found out: the gravest first, then what was recorded most often.

    What others wrote is data. Dismissed learnings are left out unless asked for.
    """
    if not 1 <= params.limit <= _LIMIT_MAX:
        message = f"limit: {params.limit} is not a number from 1 to {_LIMIT_MAX}"
        raise ValueInvalid(message, parameter="limit")
    view = ctx.view()
    if params.cursor is not None and (not ids.is_id(params.cursor) or view.reflection(params.cursor) is None):
        message = f"{params.cursor[:60]!r} is not the cursor of a list of learnings"
        raise CursorUnknown(message)
    rows = view.reflections(_wanted(view, params), after=params.cursor, limit=params.limit + 1)
    items = tuple(_item(record, ctx.now) for record in rows[: params.limit])
    more = len(rows) > params.limit
    return ReflectionsListed(items=items, count=len(items), next_cursor=items[-1].id if more else None)


def _wanted(view: View, params: Reflections) -> ReflectionFilter:
    scope = params.scope
    if scope is not None and scope != GLOBAL:
        scope = view.find_ticket(scope).id
    return ReflectionFilter(
        status=params.status, scope=scope, severities=params.severity, kinds=params.kind, tags=params.tag
    )


def _item(record: ReflectionRecord, now: Instant) -> ReflectionItem:
    age = max(0, instant.seconds_between(record.at, now)) if instant.is_instant(record.at) else None
    return ReflectionItem(
        id=record.id,
        pattern=record.pattern,
        insight=record.insight,
        severity=record.severity,
        scope=record.scope,
        kind=record.kind,
        tags=record.tags,
        actor=record.actor,
        age=age,
        count=record.count,
        status="active" if record.is_active else "dismissed",
        dismissed_by=record.dismissed_by,
        dismissed_reason=record.dismissed_reason,
    )
