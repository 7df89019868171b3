"""Which branch a session works on, and in which checkout: `session-start --branch` (docs/guides/sessions.md)."""

import contextlib
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from exo_sidecar.host import branches, checkout, worktrees
from exo_sidecar.host.caller import Caller
from exo_sidecar.host.worktrees import BaseUnknown, Made
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_facts, worktree_making
from exo_sidecar.operations.context import Context

Mode: TypeAlias = Literal["off", "suggest", "switch", "worktree"]


class BranchShown(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that fits the ticket, and the one that is checked out."""

    wanted: str | None
    actual: str | None
    reason: str | None = None
    """Why they are not the same, or what makes them so."""


def mode(config: Config, wanted: Mode | None) -> Mode:
    """Return what a start does about branches: as it is asked to, else as configured."""
    return wanted or config.sessions.branch


@contextlib.contextmanager
def on_branch(ctx: Context, view: View, ticket: TicketId, wanted: Mode) -> Iterator[str | None]:
    """Check out the ticket's branch for a start, where that is wanted; what then fails takes it back.

    Yields why it was not done, None when it was or nobody asked for it.
    """
    if wanted != "switch":
        yield None
        return
    branch = worktree_making.branch_of(view.config(), ticket)
    others = session_facts.in_worktree(session_facts.living(ctx, view, "active"), session_facts.worktree_of(ctx))
    if others:
        yield f"{others[0].session} ({others[0].actor}) is in this checkout, too"
        return
    if ctx.dry_run:
        yield f"would switch to {branch}, were this checkout clean"
        return
    switched = branches.switch(ctx.place, branch, _begin(ctx, view, ticket))
    try:
        yield switched.reason
    except ExoError:
        if not _is_begun(ctx):
            branches.back(ctx.place, switched)
        raise


def move_to_own(ctx: Context, view: View, ticket: TicketId) -> Made | None:
    """Let the call go on in the ticket's own worktree, made when there is none; None: it is in it already.

    Raises:
        BranchInUse, WorktreePathBusy, BaseUnknown: there can be none.
    """
    config, caller = view.config(), ctx.caller
    if checkout.head(ctx.place).branch == worktree_making.branch_of(config, ticket):
        return None
    wanted, _ = worktree_making.plan(ctx, config, ticket, base=None, path=None)
    made = worktree_making.make(ctx, wanted)
    if ctx.dry_run and made.created:
        ctx.warn("WORKTREE_WANTED", f"the session would work in {wanted.path}, on {wanted.branch}")
        return None
    ctx.work_in(made.worktree.path)
    ctx.caller = Caller(caller.actor, None)
    return made


def take_back(ctx: Context, made: Made | None) -> None:
    """Remove a worktree that was made for a start which then failed; one with anything in it stays."""
    if made is not None and not ctx.dry_run and not _is_begun(ctx):
        worktrees.unmake(ctx.place, made)


def shown(ctx: Context, config: Config, ticket: TicketId, wanted: Mode, reason: str | None) -> BranchShown:
    """Return the branch that fits the ticket beside the one that is really checked out."""
    actual = checkout.head(ctx.place).branch
    if wanted == "off":
        return BranchShown(wanted=None, actual=actual)
    branch = worktree_making.branch_of(config, ticket)
    if branch == actual:
        return BranchShown(wanted=branch, actual=actual)
    exists = checkout.commit_of(ctx.place, f"refs/heads/{branch}") is not None
    return BranchShown(wanted=branch, actual=actual, reason=reason or f"git switch {'' if exists else '-c '}{branch}")


def _is_begun(ctx: Context) -> bool:
    """Whether a session works in the checkout: what failed came after its beginning."""
    return session_facts.at_work(ctx, ctx.view(), session_facts.worktree_of(ctx)) is not None


def _begin(ctx: Context, view: View, ticket: TicketId) -> str | None:
    """Return the commit that a new branch begins at, None for HEAD: the base branch is not known here."""
    try:
        return worktree_making.begin_of(ctx, view.config(), ticket)[1]
    except BaseUnknown:
        return None
