"""The worktrees of this clone: which ticket each is for, who works there, and what it holds."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from exo_sidecar.git import linked
from exo_sidecar.git.linked import Worktree
from exo_sidecar.git.locate import locate, mount_of
from exo_sidecar.host import advice_facts, checkout
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_facts, worktree_making
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

FILES_SHOWN_MAX: Final = 200


class Worktrees(Params, frozen=True, kw_only=True):
    """Parameters of `worktrees`."""

    all: Annotated[bool, param("Also those that are on no ticket's branch, and the main one")] = False


class WorktreeItem(msgspec.Struct, frozen=True, kw_only=True):
    """One worktree."""

    path: str
    branch: str | None
    """None: no branch is checked out."""
    ticket_id: str | None
    session_id: str | None
    """The session that works there, or whose ticket was reserved there."""
    dirty_files: tuple[str, ...]
    """What is changed and not committed, up to 200."""
    ahead: int | None
    """Commits that the base branch has not; None where that cannot be told."""
    behind: int | None
    governed: bool
    """Whether commands work there as in the main checkout; False where the folder is gone."""


class WorktreesListed(Result, frozen=True, kw_only=True):
    """The worktrees of this clone."""

    items: tuple[WorktreeItem, ...]
    count: int


@operation(Panel.SESSIONS, reads_only=True, idempotent=True)
def run(ctx: Context, params: Worktrees) -> WorktreesListed:
    """List the worktrees of this clone that are on a ticket's branch, with who works there and what is not committed.

    Ahead and behind count commits against the base branch as this clone knows it.
    """
    view = ctx.view()
    config = view.config()
    living = (*session_facts.living(ctx, view, "reserved"), *session_facts.living(ctx, view, "active"))
    at_work = {live.worktree: live.session for live in living if not live.audit}
    base = worktree_making.base_of(ctx, config)
    items: list[WorktreeItem] = []
    for each in linked.listed(ctx.place):
        ticket = worktree_making.ticket_of(config, each.branch)
        if params.all or (ticket is not None and not each.is_main):
            items.append(_item(ctx, view, each, base, at_work.get(str(each.path))))
    return WorktreesListed(items=tuple(items), count=len(items))


def _item(ctx: Context, view: View, worktree: Worktree, base: str | None, session: str | None) -> WorktreeItem:
    """Return what is known of one; what cannot be told of it is a warning, and the others are listed all the same."""
    dirty: tuple[str, ...] = ()
    ahead = behind = None
    governed = False
    try:
        if worktree.is_present:
            dirty = checkout.uncommitted(worktree.path)[:FILES_SHOWN_MAX]
            ahead, behind = _distance(ctx, view, worktree, base)
            governed = _is_governed(ctx, worktree.path)
        else:
            ctx.warn("WORKTREE_GONE", f"the folder {worktree.path} is gone; git worktree prune forgets it")
    except ExoError as error:
        ctx.warn_of(error)
    ticket = worktree_making.ticket_of(view.config(), worktree.branch)
    return WorktreeItem(
        path=str(worktree.path),
        branch=worktree.branch,
        ticket_id=ticket,
        session_id=session,
        dirty_files=dirty,
        ahead=ahead,
        behind=behind,
        governed=governed,
    )


def _distance(ctx: Context, view: View, worktree: Worktree, base: str | None) -> tuple[int | None, int | None]:
    if base is None or checkout.head(locate(worktree.path)).commit is None:
        return None, None
    _, tip = worktree_making.base_commit(ctx, view.config(), None)
    ahead, behind = advice_facts.apart(worktree.path, tip)
    return ahead, behind


def _is_governed(ctx: Context, path: Path) -> bool:
    found = locate(path)
    mount = mount_of(found.common)
    return found.common == ctx.place.common and mount is not None and mount.is_dir()
