"""Operations for tests of the doors: loaded as a noun of the operations room (see tests/doors/conftest.py)."""

from typing import Annotated, Literal

import msgspec

from exo_sidecar.model.errors import EXIT_STATUS, ExoError, Internal, Kind
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

Small = Annotated[int, msgspec.Meta(ge=1, le=5)]


class EchoParams(Params, frozen=True, kw_only=True):
    """Parameters of every sort."""

    text: Annotated[str, param("What to say", positional=True, metavar="TEXT", stdin=True)]
    size: Annotated[Small | None, param("How large")] = None
    member: Annotated[tuple[str, ...], param("A member of a set")] = ()
    colour: Annotated[Literal["red", "green"], param("Which colour")] = "red"
    loud: Annotated[bool, param("Say it loudly")] = False


class Echoed(Result, frozen=True, kw_only=True):
    """What was said."""

    text: str
    size: int | None
    member: tuple[str, ...]
    colour: str
    loud: bool
    actor: str | None
    dry_run: bool


class FailParams(Params, frozen=True, kw_only=True):
    """How to fail."""

    kind: Annotated[str, param("Kind of error, or crash", positional=True, metavar="KIND")]


class JudgeParams(Params, frozen=True, kw_only=True):
    """What to judge."""

    verdict: Annotated[Literal["pass", "warn", "fail"], param("What to say", positional=True, metavar="VERDICT")]


class Judged(Result, frozen=True, kw_only=True):
    """A report with a verdict."""

    verdict: str


@operation(Panel.REPORTS, writes=True)
def echo(ctx: Context, params: EchoParams) -> Echoed:
    """Say something.

    Longer help with [brackets].
    """
    if params.loud:
        ctx.warn("LOUD", f"{params.text} is loud")
    return Echoed(
        text=params.text,
        size=params.size,
        member=params.member,
        colour=params.colour,
        loud=params.loud,
        actor=ctx.__dict__["_actor"],
        dry_run=ctx.dry_run,
    )


@operation(Panel.REPORTS, reads_only=True)
def fail(ctx: Context, params: FailParams) -> Echoed:
    """Fail in a given way."""
    del ctx
    if params.kind == "crash":
        message = "a secret that stays in the report"
        raise ZeroDivisionError(message)
    kinds = {str(kind): kind for kind in EXIT_STATUS}
    raise _of(kinds[params.kind])


@operation(Panel.REPORTS, reads_only=True)
def judge(ctx: Context, params: JudgeParams) -> Judged:
    """Give a verdict."""
    del ctx
    return Judged(verdict=params.verdict)


@operation(Panel.REPORTS, reads_only=True, fail_status=7)
def prove(ctx: Context, params: JudgeParams) -> Judged:
    """Give a verdict that exits with a status of its own."""
    del ctx
    return Judged(verdict=params.verdict)


@operation(Panel.REPORTS, writes=True, destructive=True)
def drop(ctx: Context, params: FailParams) -> Judged:
    """Lose something."""
    del ctx
    return Judged(verdict=params.kind)


def _of(kind: Kind) -> ExoError:
    for found in ExoError.__subclasses__():
        if found.kind is kind:
            return found(f"it is {kind}", hint="do something else", number=1, names=("a", "b"))
    return Internal("nothing fits")
