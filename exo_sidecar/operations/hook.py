"""Hooks: git's calls on exo, and how they are set up."""

import sys
from typing import Annotated, Literal

import msgspec

from exo_sidecar.host import githooks
from exo_sidecar.model.errors import SidecarMissing
from exo_sidecar.operations import pre_push, session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

PRE_PUSH = "pre-push"


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
    event: Annotated[Literal["pre-push"], param("What is about to happen")]
    remote: Annotated[str, param("The remote that is pushed to", metavar="NAME")] = "origin"
    input: Annotated[str, param("What the caller says: git's lines, one per ref", metavar="TEXT", stdin=True)]


class HookAnswered(Result, frozen=True, kw_only=True):
    """What may happen."""

    decision: Literal["allow"]
    """A refusal is an error, which git shows, and ends the push."""


@operation(Panel.AGENTS, checkout=True, idempotent=True)
def install(ctx: Context, params: HookInstall) -> HooksInstalled:
    """Install git's pre-push hook: it checks the lease and the fence, and never pushes.

    A hook that is there already is kept and runs first. The hook looks and refuses; it is `exo push` that lets the
    server guard the lease.
    """
    worktree = session_facts.worktree_of(ctx)
    if params.remove:
        hook = githooks.remove(worktree, PRE_PUSH, dry_run=ctx.dry_run)
    else:
        hook = githooks.install(worktree, PRE_PUSH, _exo(), dry_run=ctx.dry_run)
    shown = HookShown(layer="git", path=str(hook.path), event=PRE_PUSH, state=hook.state)
    return HooksInstalled(hooks=(shown,))


@operation(Panel.AGENTS, reads_only=True, network=True, mcp=False)
def run(ctx: Context, params: Hook) -> HookAnswered:
    """Answer a hook of git's (plumbing): may this push go?"""
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
