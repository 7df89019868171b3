"""Learnings: what somebody found out, recorded for whoever comes next, and dismissed when it holds no longer."""

from typing import Annotated

from exo_sidecar.domain import reflections, wording
from exo_sidecar.model.errors import Internal, ValueInvalid
from exo_sidecar.model.event_memory import ReflectionRecorded
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.reflection import GLOBAL, Kind, ReflectionRecord, Severity, reflection_id
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_scan
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class Reflect(Params, frozen=True, kw_only=True):
    """Parameters of `reflect`."""

    pattern: Annotated[str, param("What it is about, in one line: when one meets this ...", stdin=True)]
    insight: Annotated[str, param("... this is what to know", stdin=True)]
    severity: Annotated[Severity, param("How bad it is not to know it")] = "medium"
    scope: Annotated[str, param("global, or the ticket that it is about", metavar="global|ID", completes="ticket")] = (
        GLOBAL
    )
    kind: Annotated[Kind, param("learning, lesson, blocked_path (a way that does not lead on) or failure_mode")] = (
        "learning"
    )
    tag: Annotated[tuple[str, ...], param("A word to find it by")] = ()
    session_id: Annotated[
        str | None, param("The session that found it out; left away: the caller's", metavar="SESSION_ID")
    ] = None


class Reflected(Result, frozen=True, kw_only=True):
    """A learning, as it stands now."""

    reflection: ReflectionRecord
    merged: bool
    """Whether an equal pattern was there in this scope: then it is counted once more."""


class ReflectDismiss(Params, frozen=True, kw_only=True):
    """Parameters of `reflect-dismiss`."""

    id: Annotated[str, param("The learning", positional=True, metavar="ID")]
    reason: Annotated[str | None, param("Why it holds no longer", stdin=True)] = None


class Dismissed(Result, frozen=True, kw_only=True):
    """A learning that is told no more."""

    reflection: ReflectionRecord


@operation(Panel.MEMORY, writes=True)
def run(ctx: Context, params: Reflect) -> Reflected:
    """Record what was found out, for whoever comes next.

    It is told at the start of sessions in its scope, as a quotation, and stands in LEARNINGS.md. A pattern that is
    there already in this scope is counted once more, whatever its capitals and blanks; the latest insight stands, and
    the gravest severity. No session and no lease is needed.
    """
    view = ctx.view()
    session = _session(ctx, view, params.session_id)
    scope = GLOBAL if params.scope == GLOBAL else view.find_ticket(params.scope).id
    said = reflections.worded(
        ReflectionRecorded(
            pattern=params.pattern,
            insight=params.insight,
            severity=params.severity,
            scope=scope,
            kind=params.kind,
            tags=params.tag,
        )
    )
    wanted = reflection_id(said.scope, said.pattern)
    before: list[ReflectionRecord | None] = []

    def rule(now: View) -> Outcome:
        before.append(now.reflection(wanted))
        return reflections.recorded(said, session)

    after = ctx.transact(rule)
    # The transaction may have begun again: what the last decision saw counts.
    return Reflected(reflection=_again(after, wanted), merged=before[-1] is not None)


@operation(Panel.MEMORY, writes=True)
def dismiss(ctx: Context, params: ReflectDismiss) -> Dismissed:
    """Dismiss a learning that holds no longer: it is told no more.

    It stays in the ledger, and `exo reflections --status dismissed` lists it. Recorded again it is active again.
    """
    reason = wording.passage("reason", params.reason or "") or None
    seen: list[str] = []

    def rule(now: View) -> Outcome:
        record = now.find_reflection(params.id)
        seen.append(record.id)
        return reflections.dismiss(record, reason)

    after = ctx.transact(rule)
    return Dismissed(reflection=_again(after, seen[-1]))


def _session(ctx: Context, view: View, named: str | None) -> SessionId | None:
    """Return the session that is named; only its own actor speaks for it."""
    if named is None:
        return None
    record = session_scan.named(ctx, view, named)
    if record.actor != ctx.caller.actor:
        message = f"{record.id} is a session of {record.actor}, and not of {ctx.caller.actor}"
        raise ValueInvalid(message, hint="leave --session-id away", parameter="session_id")
    return record.id


def _again(view: View, wanted: str) -> ReflectionRecord:
    record = view.reflection(wanted)
    if record is None:
        message = f"{wanted} was written and cannot be read"
        raise Internal(message)
    return record
