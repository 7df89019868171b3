"""Plan: a written plan becomes a spec and tickets, all in one commit."""

from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.domain import holding, plan_text, planning
from exo_sidecar.domain.plan_text import PlanFault, PlanInvalid
from exo_sidecar.domain.planning import Made, Planner
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.event_plans import PLAN_TEXT_MAX
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations import document_text
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

_NAME: Final = "the plan"


class Plan(Params, frozen=True, kw_only=True):
    """Parameters of `plan`."""

    input: Annotated[
        str,
        param("The plan, or the file of the checkout that holds it", positional=True, stdin=True, completes="path"),
    ]
    parent: Annotated[
        str | None, param("The intent or epic that all of it goes below", metavar="ID", completes="ticket")
    ] = None
    input_format: Annotated[Literal["auto", "markdown", "json"], param("What the plan is written in")] = "auto"
    no_create: Annotated[bool, param("Judge and record the plan, and make no tickets")] = False


class TicketPlanned(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of the plan."""

    id: TicketId | None
    """None with --no-create."""
    title: str
    kind: str
    parent: TicketId | None
    """None: it stands alone, or with --no-create below an epic that was not made."""
    blockers: tuple[TicketId, ...] = ()


class PlanRecorded(Result, frozen=True, kw_only=True):
    """What became of a plan."""

    spec_id: str
    tickets: tuple[TicketPlanned, ...]
    co_update_warnings: tuple[str, ...]
    """Scopes that leave out some of the files that change together."""


@operation(Panel.TICKETS, writes=True)
def run(ctx: Context, params: Plan) -> PlanRecorded:
    """Turn a written plan into epics and tasks.

    Markdown: `### EPIC title`, and below it lines `* title (scope: src/**) (blocks: title or id) (p1)`; JSON: a list of
    tickets, so that any program can plan. All or nothing: where a line does not hold nothing is written, and every
    fault is named with its line. The text itself is recorded, too.
    """
    text = _text(ctx, params.input)
    form = plan_text.format_of(text) if params.input_format == "auto" else params.input_format
    wanted = planning.Plan(text, form, plan_text.read(text, form), params.parent, create=not params.no_create)
    attempts: list[Made] = []

    def rule(view: View) -> Outcome:
        planner = Planner(
            ctx.caller,
            lambda record: holding.standing(view, record.id, ctx.caller, human=ctx.is_person),
            ctx.entropy,
        )
        attempts.append(planning.plan(view, wanted, planner))
        return attempts[-1].outcome

    ctx.transact(rule)
    made = attempts[-1]  # the transaction may have begun again: the last one counts
    for warning in made.warnings:
        ctx.warn("CO_UPDATE", warning)
    return PlanRecorded(
        spec_id=made.spec, tickets=_shown(made, created=wanted.create), co_update_warnings=made.warnings
    )


def _text(ctx: Context, given: str) -> str:
    """Return the plan: several lines are its text, one line is the name of a file unless it is a ticket's line."""
    if "\n" in given or given.lstrip().startswith(("*", "#", "[", "{")):
        text = given
    else:
        try:
            text = document_text.content(ctx, _NAME, given).decode()
        except UnicodeDecodeError as error:
            raise PlanInvalid((PlanFault(line=1, message=f"{given[:80]!r} is not UTF-8 text"),)) from error
        except ValueInvalid as error:
            error.details["parameter"] = "input"
            error.hint = "name a file of the checkout, or give the text itself: lines `* title`; - reads standard input"
            raise
    text = text.replace("\r\n", "\n")
    if len(text) > PLAN_TEXT_MAX:
        message = f"the plan has {len(text)} characters; at most {PLAN_TEXT_MAX} are taken"
        raise ValueInvalid(message, hint="split it", parameter="input")
    if not text.strip():
        raise PlanInvalid((PlanFault(line=1, message="the plan is empty"),))
    return text


def _shown(made: Made, *, created: bool) -> tuple[TicketPlanned, ...]:
    own = {each.id for each in made.tickets}

    def known(ticket: TicketId | None) -> TicketId | None:
        return ticket if created or ticket not in own else None

    return tuple(
        TicketPlanned(
            id=known(each.id),
            title=each.item.title,
            kind=each.item.kind,
            parent=known(each.parent),
            blockers=tuple(other for other in each.blockers if known(other)),
        )
        for each in made.tickets
    )
