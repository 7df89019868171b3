"""The sidecar: the governance branch mounted beside the code, and put right again."""

from typing import Annotated

import msgspec

from exo_sidecar.operations import governing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.governing import Source, Wanted
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
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


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """A plain folder that gave way to the mount."""

    files: int
    commit: str
    """Holds every file byte for byte, under refs/exo/saved/."""
    original: str
    """Where the folder is now."""


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
        migrated=None,
        gitignore_added=mounted.excluded,
        git_repo_created=mounted.git_made,
    )
