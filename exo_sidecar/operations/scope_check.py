"""Scope-check: whether the caller's session may touch files or run a command, and which rule says so."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.host import paths
from exo_sidecar.kernel.check_action import check_action
from exo_sidecar.model.action import Action, CommandAct, Fence, FileAct
from exo_sidecar.model.errors import Usage, ValueInvalid
from exo_sidecar.model.rule import FileAction
from exo_sidecar.operations import fencing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

PATHS_MAX: Final = 1000
_FOR_A_SHELL: Final = re.compile(r"[;&|()<>`$\n\\{}!]")


class ScopeCheck(Params, frozen=True, kw_only=True):
    """Parameters of `scope-check`."""

    path: Annotated[tuple[str, ...], param("A file or folder", positional=True, metavar="PATH", completes="path")] = ()
    action: Annotated[FileAction, param("What would be done to it")] = "write"
    command: Annotated[str | None, param("A command to judge, split as a shell would, never run", metavar="CMD")] = None
    ticket_id: Annotated[
        str | None,
        param("Judge by this ticket in place of the session's own", metavar="ID", completes="ticket"),
    ] = None


class ScopeItem(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement."""

    path: str
    """As it was given; of a command its words."""
    action: str
    decision: Literal["allow", "deny"]
    rule: str
    """The rule or glob that decided, empty where none did."""
    message: str
    layer: str
    """Which of the layers decided, in the order in which they are asked; `allowed`: none refused."""
    hint: str = ""


class ScopeChecked(Result, frozen=True, kw_only=True):
    """The judgements; one that is denied makes the verdict."""

    verdict: Literal["pass", "fail"]
    items: tuple[ScopeItem, ...]
    session_id: str | None
    ticket_id: str | None


@operation(Panel.GOVERNANCE, reads_only=True, idempotent=True)
def run(ctx: Context, params: ScopeCheck) -> ScopeChecked:
    """Say whether the caller's session may touch these files, or run this command.

    Judged is the path as it is written and the place that its links lead to; a deny of either holds. What cannot be
    judged is refused. The same function decides for hooks, pushes and the execution gate. Exit 1 when one is denied.
    """
    if not params.path and params.command is None:
        message = "neither a path nor a command is named"
        raise Usage(message, hint="exo scope-check PATH, or exo scope-check --command CMD")
    if len(params.path) > PATHS_MAX:
        message = f"more than {PATHS_MAX} paths"
        raise ValueInvalid(message, parameter="path")
    fence = fencing.of_caller(ctx, params.ticket_id)
    items = tuple(_judged(name, action, fence) for name, action in _actions(ctx, params))
    return ScopeChecked(
        verdict="fail" if any(each.decision == "deny" for each in items) else "pass",
        items=items,
        session_id=fence.session,
        ticket_id=fence.ticket,
    )


def _actions(ctx: Context, params: ScopeCheck) -> Iterator[tuple[str, Action]]:
    if params.path:
        home = ctx.environ.get("HOME")
        around = paths.survey(ctx.place, ctx.repo.absolute(), Path(home) if home else None)
        if around is None:
            message = "there is no checkout here whose files could be judged"
            raise Usage(message, hint="run it in a worktree of the repository")
        for facts in paths.facts(around, params.path, with_git=params.action == "delete"):
            yield facts.asked, FileAct(action=params.action, path=facts)
    if params.command is not None:
        yield params.command, CommandAct(argv=_split(params.command))


def _split(command: str) -> tuple[str, ...]:
    """Return the words of a command; none where they cannot be told apart, which is refused."""
    if _FOR_A_SHELL.search(command):
        return ("eval", command)  # a line, in which words are not all that there is
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()


def _judged(name: str, action: Action, fence: Fence) -> ScopeItem:
    found = check_action(action, fence)
    return ScopeItem(
        path=name,
        action=action.action if isinstance(action, FileAct) else "command",
        decision=found.decision,
        rule=found.rule,
        message=found.message,
        layer=found.layer,
        hint=found.hint,
    )
