"""Init: a repository becomes governed."""

from typing import Annotated

from exo_sidecar.domain import scaffold
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations import exchange, governing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.governing import Wanted
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.store.mounting import DEFAULT_BRANCH


class Init(Params, frozen=True, kw_only=True):
    """Parameters of `init`."""

    seed: Annotated[bool, param("Add an intent with one task, to try things out")] = False
    branch: Annotated[str, param("Branch that holds the governance state")] = DEFAULT_BRANCH
    remote: Annotated[str, param("Remote to share it with, and that decides about leases")] = "origin"


class Governed(Result, frozen=True, kw_only=True):
    """The repository is governed."""

    created: tuple[str, ...]
    """Documents and tickets that were written now."""
    mounted: bool
    """Whether the mount was made now."""
    branch: str
    seeded_tickets: tuple[TicketId, ...]
    gitignore_updated: bool


@operation(Panel.SET_UP, writes=True, checkout=True, network=True, idempotent=True)
def run(ctx: Context, params: Init) -> Governed:
    """Govern this repository.

    Mounts the governance branch at .exo, writes the documents that are missing and a first ticket, and pushes the
    branch when there is a remote. Where the remote has the branch already, that one is mounted and nothing is created.
    Nothing of the application is staged, committed or switched. Safe to repeat.
    """
    mounted = governing.mount_branch(ctx, Wanted(branch=params.branch, remote=params.remote))
    if mounted.migrated is not None:
        ctx.warn("SIDECAR_MIGRATED", f"the folder that was there is {mounted.migrated.original} now")
    is_taken_over = mounted.source == "remote"
    created = () if is_taken_over else _scaffold(ctx, is_mounted=mounted.already, seed=params.seed)
    if not is_taken_over:
        exchange.push(ctx)
    return Governed(
        created=created,
        mounted=not mounted.already,
        branch=mounted.branch,
        seeded_tickets=scaffold.seeded(created),
        gitignore_updated=mounted.excluded,
    )


def _scaffold(ctx: Context, *, is_mounted: bool, seed: bool) -> tuple[str, ...]:
    """Write what is missing and return the names; on a dry run before the mount everything is missing."""
    if ctx.dry_run and not is_mounted:
        return scaffold.names(seed=seed)
    written: list[tuple[str, ...]] = []

    def rule(view: View) -> Outcome:
        outcome = scaffold.scaffold(view, seed=seed)
        written.append(tuple(draft.subject for draft in outcome.events))
        return outcome

    ctx.transact(rule)
    return written[-1]
