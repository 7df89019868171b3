"""The sidecar: the governance branch mounted beside the code, brought over in one direction, and put right again."""

from typing import Annotated

from exo_sidecar.operations import by_person, compacting, governing, repairing
from exo_sidecar.operations.compacting import Compacted
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.governing import Source, Wanted
from exo_sidecar.operations.migrating import Migrated
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.repairing import Parts, Repaired
from exo_sidecar.operations.sync import Exchange, counterpart, report, take_in_edits, tell_left_out
from exo_sidecar.store.governed import DEFAULT_BRANCH
from exo_sidecar.store.mounting import DEFAULT_PATH
from exo_sidecar.sync import sync


class SidecarInit(Params, frozen=True, kw_only=True):
    """Parameters of `sidecar-init`."""

    branch: Annotated[str, param("Branch that holds the governance state")] = DEFAULT_BRANCH
    sidecar: Annotated[str, param("Folder in which it is mounted", metavar="PATH")] = DEFAULT_PATH
    remote: Annotated[str, param("Remote to share it with, and that decides about leases")] = "origin"
    default_branch: Annotated[str, param("First branch of a repository that has to be made")] = "main"
    no_init_git: Annotated[bool, param("Do not make a git repository where there is none")] = False
    no_fetch_remote: Annotated[bool, param("Do not ask the remote; leases are decided here")] = False
    no_commit_migration: Annotated[bool, param("Keep the files of a plain folder, take nothing of it in")] = False


class SidecarMounted(Result, frozen=True, kw_only=True):
    """The governance branch is mounted."""

    branch: str
    sidecar_path: str
    already_mounted: bool
    branch_source: Source
    upstream: str | None
    migrated: Migrated | None
    gitignore_added: bool
    git_repo_created: bool


class SidecarPull(Params, frozen=True, kw_only=True):
    """Parameters of `sidecar-pull`."""

    remote: Annotated[
        str | None, param("The remote to pull from; the one of the leases when left away", metavar="NAME")
    ] = None


class SidecarPush(Params, frozen=True, kw_only=True):
    """Parameters of `sidecar-push`."""

    remote: Annotated[
        str | None, param("The remote to push to; the one of the leases when left away", metavar="NAME")
    ] = None


class Pushed(Result, frozen=True, kw_only=True):
    """What went to the remote."""

    remote: str
    pushed_events: int
    tip: str | None


class SidecarCompact(Params, frozen=True, kw_only=True):
    """Parameters of `sidecar-compact`."""

    reason: Annotated[str, param("Why; it stands in the commit that is left", stdin=True)]


class SidecarRepair(Params, frozen=True, kw_only=True):
    """Parameters of `sidecar-repair`; none of them means all four."""

    render: Annotated[bool, param("Compute every file anew")] = False
    mount: Annotated[bool, param("Put the mount back, and end what plain git left half-done in it")] = False
    index: Annotated[bool, param("Drop and rebuild the local index")] = False
    journal: Annotated[bool, param("Finish or undo what a killed process left")] = False


@operation(Panel.LEASES_AND_SYNC, writes=True, checkout=True, network=True, idempotent=True)
def init(ctx: Context, params: SidecarInit) -> SidecarMounted:
    """Mount the governance branch.

    The local branch is used, else the remote's, else a new one is begun. No file, branch or setting of the application
    is touched, but for the branch's own upstream and a line in git's exclude file. Safe to repeat.
    """
    wanted = Wanted(
        branch=params.branch,
        path=params.sidecar,
        remote=params.remote,
        default_branch=params.default_branch,
        init_git=not params.no_init_git,
        fetch_remote=not params.no_fetch_remote,
        absorb_folder=not params.no_commit_migration,
    )
    mounted = governing.mount_branch(ctx, wanted)
    return SidecarMounted(
        branch=mounted.branch,
        sidecar_path=mounted.path,
        already_mounted=mounted.already,
        branch_source=mounted.source,
        upstream=mounted.upstream,
        migrated=mounted.migrated,
        gitignore_added=mounted.excluded,
        git_repo_created=mounted.git_made,
    )


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True, idempotent=True)
def pull(ctx: Context, params: SidecarPull) -> Exchange:
    """Bring in what others wrote; push nothing.

    The first half of sync: fetches, checks and merges. With --dry-run nothing is fetched or merged: the distance to
    the remote is told as it was last seen.
    """
    other = counterpart(ctx, params.remote)
    if ctx.dry_run:
        return report(ctx, other, Exchange(remote=str(other.remote)))
    take_in_edits(ctx)
    ctx.progress(f"pulling from {other.remote}")
    done = sync.pull(ctx.store, other.remote, timeout_seconds=other.timeout_seconds)
    tell_left_out(ctx, other, done.merged.left_out, done.merged.edited)
    brought = Exchange(remote=str(other.remote), fetched_events=done.merged.events, merged=done.merged.merged, rounds=1)
    return report(ctx, other, brought)


@operation(Panel.LEASES_AND_SYNC, network=True, idempotent=True)
def push(ctx: Context, params: SidecarPush) -> Pushed:
    """Push the governance branch; merge nothing.

    The second half of sync: never forced. When the remote has what is not here yet, nothing is pushed and the error
    says so; sync brings both together.
    """
    other = counterpart(ctx, params.remote)
    ctx.progress(f"pushing to {other.remote}")
    sent = sync.push(ctx.store, other.remote, timeout_seconds=other.timeout_seconds)
    return Pushed(remote=str(other.remote), pushed_events=sent.events, tip=sent.tip)


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True, destructive=True, idempotent=True)
def compact(ctx: Context, params: SidecarCompact) -> Compacted:
    """Begin git's history of the governance branch anew, with the same files in one commit.

    For people only. No event is lost: what clones verify is the ledger, not how git history got there, and each
    accepts the new one at its next sync, with its own unpushed events on top. Leases and sessions stay as they are. A
    remote that forbids it keeps the old history, and so does this clone. Old objects go with git's own clean-up.
    """
    by_person.require(ctx, "begins the branch's history anew", "exo sidecar-compact --reason")
    return compacting.compact(ctx, by_person.reason(params.reason, "beginning the history anew"))


@operation(Panel.LEASES_AND_SYNC, writes=True, checkout=True, idempotent=True)
def repair(ctx: Context, params: SidecarRepair) -> Repaired:
    """Bring the mount back to what the ledger says.

    Hand edits are taken in first and never overwritten; what cannot be taken in is kept in .exo/cache/rejected. A
    merge or rebase that plain git left half-done in the mount is given up. When this clone's own chain is damaged, work
    goes on under a new clone id.
    """
    given = (params.render, params.mount, params.index, params.journal)
    is_all = not any(given)
    parts = Parts(*(each or is_all for each in given))
    return repairing.repair(ctx, parts)
