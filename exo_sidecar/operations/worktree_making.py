"""A ticket's own worktree: where it goes, what it begins at, and how it is made (docs/guides/worktrees.md)."""

import os
from pathlib import Path

from exo_sidecar.git import graph, linked, refnames
from exo_sidecar.git.locate import main_worktree
from exo_sidecar.git.oid import Oid
from exo_sidecar.host import checkout, session_changes, worktrees
from exo_sidecar.host.worktrees import BaseUnknown, Made, Wanted
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations.context import Context


def branch_of(config: Config, ticket: TicketId) -> str:
    """Return the name of a ticket's branch; ValueInvalid when the settings make one of it that git does not allow."""
    name = f"{config.sessions.branch_prefix}{ticket}"
    if not refnames.is_valid(f"refs/heads/{name}"):
        message = f"sessions.branch_prefix makes {name!r}, which git does not allow as a branch"
        raise ValueInvalid(message, hint="exo config-validate; a prefix like exo/ is fine", parameter="branch_prefix")
    return name


def ticket_of(config: Config, branch: str | None) -> TicketId | None:
    """Return the ticket whose branch it is by its name, None when it is no ticket's."""
    prefix = config.sessions.branch_prefix
    return TicketId(branch.removeprefix(prefix)) if branch and branch.startswith(prefix) and branch != prefix else None


def base_of(ctx: Context, config: Config) -> str | None:
    """Return the name of the branch that work begins at and goes to, None when it is not known here."""
    return session_changes.base_branch(ctx.place, config.git_controls.base_branch, _remotes(config))


def base_commit(ctx: Context, config: Config, named: str | None) -> tuple[str, Oid]:
    """Return the name and the commit that a new branch begins at: the one named, else where the base branch is.

    Raises:
        BaseUnknown: there is none of this name here.
    """
    name = base_of(ctx, config) or config.git_controls.base_branch if named is None else named
    own = [name] if named is not None else []
    candidates = own or [f"refs/heads/{name}", *(f"refs/remotes/{each}/{name}" for each in _remotes(config))]
    for candidate in candidates:
        found = checkout.resolve(ctx.place, candidate)
        if found is not None:
            return name, Oid(found)
    message = f"there is no commit {name[:100]!r} in this clone"
    raise BaseUnknown(message)


def begin_of(ctx: Context, config: Config, ticket: TicketId) -> tuple[str, Oid]:
    """Return the name and the commit that a ticket's new branch begins at: where others left it, else the base branch.

    What others pushed is known as it was last fetched; a branch that went into the base branch is not gone on with.
    BaseUnknown: there is neither.
    """
    branch = branch_of(config, ticket)
    for remote in _remotes(config):
        found = checkout.commit_of(ctx.place, f"refs/remotes/{remote}/{branch}")
        if found is not None:
            left = f"{remote}/{branch}", Oid(found)
            try:
                name, commit = base_commit(ctx, config, None)
            except BaseUnknown:
                return left
            return (name, commit) if graph.is_ancestor(ctx.repository.objects, left[1], commit) else left
    return base_commit(ctx, config, None)


def plan(ctx: Context, config: Config, ticket: TicketId, *, base: str | None, path: str | None) -> tuple[Wanted, str]:
    """Return the worktree that a ticket's is to be, and the name of what its branch begins at; BaseUnknown.

    One that is there keeps its folder unless another one is named, and its branch keeps its commits.
    """
    branch = branch_of(config, ticket)
    existing = linked.on_branch(ctx.place, branch)
    if path is not None:
        target = Path(os.path.realpath(ctx.repo.absolute() / path))
    elif existing is not None and not existing.is_main:
        target = existing.path
    else:
        target = _default_path(ctx, ticket)
    own = checkout.commit_of(ctx.place, f"refs/heads/{branch}")
    if own is not None and base is None:
        return Wanted(branch, target, own), branch
    name, commit = begin_of(ctx, config, ticket) if base is None else base_commit(ctx, config, base)
    if own is not None and own != commit:
        ctx.warn("BRANCH_KEPT", f"{branch} is there already, at {own[:12]}: it was not begun anew at {name}")
    return Wanted(branch, target, own or commit), name


def make(ctx: Context, wanted: Wanted) -> Made:
    """Make the worktree, or return it; with --dry-run only say what would be there."""
    return worktrees.foresee(ctx.place, wanted) if ctx.dry_run else worktrees.make(ctx.place, wanted)


def _default_path(ctx: Context, ticket: TicketId) -> Path:
    """Return the folder beside the main worktree; of a bare repository that lies in its project's folder, in there."""
    main = main_worktree(ctx.place)
    if main is not None:
        return main.parent / f"{main.name}-{ticket}"
    common = ctx.place.common
    if common.name.startswith("."):
        return common.parent / f"{common.parent.name}-{ticket}"
    return common.parent / f"{common.name.removesuffix('.git')}-{ticket}"


def _remotes(config: Config) -> tuple[str, ...]:
    return tuple(dict.fromkeys((config.leases.remote, *config.sync.remotes)))
