"""Validate: whether the lifecycle has a move; of a ticket, what stands against it, too."""

from typing import Annotated, Literal

import msgspec

from exo_sidecar.domain import holding, moves
from exo_sidecar.domain.moves import Ask, Judged
from exo_sidecar.model import lifecycle
from exo_sidecar.model.errors import Usage
from exo_sidecar.model.lifecycle import Guard, Move, Status
from exo_sidecar.operations import session_checks
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class Validate(Params, frozen=True, kw_only=True):
    """Parameters of `validate`."""

    current: Annotated[
        str | None, param("The status it has", positional=True, metavar="CURRENT", completes="status")
    ] = None
    target: Annotated[
        str | None, param("The status it is to get", positional=True, metavar="TARGET", completes="status")
    ] = None
    ticket_id: Annotated[
        str | None, param("Judge the guards for this ticket, too", metavar="ID", completes="ticket")
    ] = None
    table: Annotated[bool, param("The whole table; the default without statuses")] = False


class GuardShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a move asks for."""

    guard: str
    met: bool | None = None
    """None: not judged, because no ticket was named or the answer is given with the move itself."""
    message: str = ""


class RowShown(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the lifecycle table."""

    start: Status = msgspec.field(name="from")
    end: Status = msgspec.field(name="to")
    meaning: str
    guards: tuple[str, ...]
    who: str


class Validated(Result, frozen=True, kw_only=True):
    """The answer; with `table` the rows alone."""

    verdict: Literal["pass", "fail"]
    valid: bool
    current: str | None = None
    target: str | None = None
    reason: str = ""
    """What the move means; why there is none."""
    guards: tuple[GuardShown, ...] = ()
    table: tuple[RowShown, ...] = ()


@operation(Panel.TICKETS, reads_only=True, idempotent=True)
def run(ctx: Context, params: Validate) -> Validated:
    """Say whether a ticket may go from one status to another.

    Answers from the table alone, anywhere, without a repository. With --ticket-id what the move asks for is judged for
    that ticket and for the caller. Exit 1 when the answer is no.
    """
    if params.table or (params.current is None and params.target is None):
        return Validated(verdict="pass", valid=True, table=tuple(map(_row, lifecycle.TABLE)))
    if params.current is None or params.target is None:
        message = "validate needs two statuses: the one it has and the one it is to get"
        raise Usage(message, hint="exo validate todo active; exo validate --table shows all")
    current, target = lifecycle.parse(params.current), lifecycle.parse(params.target)
    found = lifecycle.row(current, target)
    if found is None:
        reason = moves.why_not(current, target) or ""
        return Validated(verdict="fail", valid=False, current=current, target=target, reason=reason)
    if params.ticket_id is None:
        return _answer(found, found.meaning, tuple(GuardShown(guard=str(guard)) for guard in found.guards))
    return _of_ticket(ctx, params.ticket_id, found)


def _of_ticket(ctx: Context, ticket: str, wanted: Move) -> Validated:
    view = ctx.view()
    record = view.find_ticket(ticket)
    if record.ticket.status is not wanted.start:
        return _answer(wanted, f"{record.id} is {record.ticket.status}, not {wanted.start}", valid=False)
    standing = holding.standing(view, record.id, ctx.caller, human=ctx.is_person)
    # A reason is given with the move: here it stands for the one that will be. Which operation asks is left open.
    shown = session_checks.known(ctx, view, record, wanted.end)
    judged = Judged(view, record, Ask(end=wanted.end, operation=wanted.by[0], reason="-", shown=shown), standing)
    guards = tuple(_guard(judged, guard) for guard in wanted.guards)
    refusal = moves.unmet(judged, wanted)
    return _answer(wanted, refusal.message if refusal else wanted.meaning, guards, valid=refusal is None)


def _guard(judged: Judged, guard: Guard) -> GuardShown:
    if guard is Guard.REASON:
        return GuardShown(guard=str(guard), message="say it with the move")
    refusal = moves.guard_refusal(judged, guard)
    return GuardShown(guard=str(guard), met=refusal is None, message=refusal.message if refusal else "")


def _answer(wanted: Move, reason: str, guards: tuple[GuardShown, ...] = (), *, valid: bool = True) -> Validated:
    return Validated(
        verdict="pass" if valid else "fail",
        valid=valid,
        current=wanted.start,
        target=wanted.end,
        reason=reason,
        guards=guards,
    )


def _row(move: Move) -> RowShown:
    guards = tuple(str(guard) for guard in move.guards)
    return RowShown(start=move.start, end=move.end, meaning=move.meaning, guards=guards, who=str(move.who))
