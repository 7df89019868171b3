"""Hooks: git's calls on exo, and how they are set up."""

import sys
from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.host import githooks
from exo_sidecar.model.errors import SidecarMissing
from exo_sidecar.operations import commit_signing, pre_push, session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

PRE_PUSH: Final = "pre-push"
COMMIT_MSG: Final = "commit-msg"
EVENTS: Final = (PRE_PUSH, "prepare-commit-msg", COMMIT_MSG)
"""Where git calls exo."""


class HookInstall(Params, frozen=True, kw_only=True):
    """Parameters of `hook-install`."""

    remove: Annotated[bool, param("Take exo's hooks away and bring the user's back")] = False


class HookShown(msgspec.Struct, frozen=True, kw_only=True):
    """One hook."""

    layer: str
    path: str
    event: str
    state: str
    """created, updated, unchanged, removed, absent."""


class HooksInstalled(Result, frozen=True, kw_only=True):
    """The hooks as they are now."""

    hooks: tuple[HookShown, ...]


class Hook(Params, frozen=True, kw_only=True):
    """Parameters of `hook`."""

    agent: Annotated[Literal["git"], param("Who calls")]
    event: Annotated[Literal["pre-push", "prepare-commit-msg", "commit-msg"], param("What is about to happen")]
    remote: Annotated[str, param("The remote that is pushed to", metavar="NAME")] = "origin"
    input: Annotated[str, param("What the caller says: git's lines, one per ref", metavar="TEXT", stdin=True)] = ""
    message: Annotated[str | None, param("The file with the message of a commit", metavar="PATH")] = None
    source: Annotated[str, param("Where that message comes from, in git's word", metavar="WORD")] = ""


class HookAnswered(Result, frozen=True, kw_only=True):
    """What may happen."""

    decision: Literal["allow"]
    """A refusal is an error, which git shows, and ends the push."""


@operation(Panel.AGENTS, checkout=True, idempotent=True)
def install(ctx: Context, params: HookInstall) -> HooksInstalled:
    """Install git's hooks: a push is checked, and a session's commits name it.

    Hooks that are there already are kept and run first. pre-push looks at the lease and the fence and refuses; it never
    pushes, and it is `exo push` that lets the server guard the lease. prepare-commit-msg and commit-msg add the
    trailers Exo-Session, Exo-Ticket and Exo-Epoch to the messages of a session's commits, and never stop a commit.
    """
    worktree = session_facts.worktree_of(ctx)
    shown = []
    for event in EVENTS:
        if params.remove:
            hook = githooks.remove(worktree, event, dry_run=ctx.dry_run)
        else:
            hook = githooks.install(worktree, event, _exo(), dry_run=ctx.dry_run)
        shown.append(HookShown(layer="git", path=str(hook.path), event=event, state=hook.state))
    return HooksInstalled(hooks=tuple(shown))


@operation(Panel.AGENTS, reads_only=True, network=True, mcp=False)
def run(ctx: Context, params: Hook) -> HookAnswered:
    """Answer a hook of git's (plumbing): may this push go, and which session does this commit name?"""
    if params.event != PRE_PUSH:
        if params.message is not None:
            commit_signing.sign(ctx, params.message, params.source if params.event != COMMIT_MSG else None)
        return HookAnswered(decision="allow")
    try:
        ctx.governed  # noqa: B018 - opens what is not there when nobody governs
    except SidecarMissing:
        return HookAnswered(decision="allow")
    pre_push.check(ctx, pre_push.parse(params.input), params.remote)
    return HookAnswered(decision="allow")


def _exo() -> tuple[str, ...]:
    """Return how just this exo is called by a shell that knows nothing of it."""
    # -P: git runs hooks in the checkout, and no file there can stand in for a module.
    return sys.executable, "-P", "-m", "exo_sidecar"
