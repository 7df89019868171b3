"""Worktrees of tickets: made, so that several sessions work side by side in one clone, and removed without loss."""

from typing import Annotated

from exo_sidecar.operations import worktree_making, worktree_removing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.worktree_removing import WorktreeRemoved


class WorktreeCreate(Params, frozen=True, kw_only=True):
    """Parameters of `worktree-create`."""

    ticket_id: Annotated[str, param("Ticket that it is for", metavar="ID", completes="ticket")]
    base: Annotated[str | None, param("What a new branch begins at; left away: the default branch", metavar="NAME")] = (
        None
    )
    path: Annotated[
        str | None, param("Its folder; left away: beside this checkout", metavar="PATH", completes="path")
    ] = None


class WorktreeRemove(Params, frozen=True, kw_only=True):
    """Parameters of `worktree-remove`."""

    path: Annotated[str, param("The worktree's folder", positional=True, metavar="PATH", completes="path")]
    force: Annotated[bool, param("Also with work in it, which is saved as a ref first; for people only")] = False
    delete_branch: Annotated[bool, param("Delete its branch, too")] = False


class WorktreeCreated(Result, frozen=True, kw_only=True):
    """A ticket's worktree."""

    ticket_id: str
    path: str
    branch: str
    base: str
    """What its branch began at; of a branch that was there already, its own name."""
    commit: str
    """What is checked out in a new one."""
    created: bool
    """False: it was there."""


@operation(Panel.SESSIONS, checkout=True, idempotent=True)
def create(ctx: Context, params: WorktreeCreate) -> WorktreeCreated:
    """Make a linked worktree for a ticket, on its own branch; one that is there is returned.

    It lies beside this checkout, governed from the first moment, and this checkout is not changed. A new branch begins
    at the default branch as this clone knows it. Hooks of git do not run; submodules are not filled.
    """
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id
    wanted, base = worktree_making.plan(ctx, view.config(), ticket, base=params.base, path=params.path)
    made = worktree_making.make(ctx, wanted)
    return WorktreeCreated(
        ticket_id=ticket,
        path=str(made.worktree.path),
        branch=wanted.branch,
        base=base,
        commit=wanted.commit,
        created=made.created,
    )


@operation(Panel.SESSIONS, checkout=True, destructive=True)
def remove(ctx: Context, params: WorktreeRemove) -> WorktreeRemoved:
    """Remove a linked worktree; refused while it has uncommitted or unpushed work, or a session at work.

    Its branch stays unless --delete-branch is given. With --force a person removes it all the same: the work is saved
    first, untracked files included, as refs/exo/saved/TICKET/TIME. Files that git ignores go with the folder.
    """
    wish = worktree_removing.Wish(params.path, params.force, params.delete_branch)
    return worktree_removing.remove(ctx, wish)
