"""The sidecar: the governance branch mounted beside the code, and put right again."""

from typing import Annotated

from exo_sidecar.operations import governing, repairing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.governing import Source, Wanted
from exo_sidecar.operations.migrating import Migrated
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.repairing import Parts, Repaired
from exo_sidecar.store.mounting import DEFAULT_BRANCH, DEFAULT_PATH


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
