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
from exo_sidecar.store.transaction import Rule


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
    written: list[str] = []
    rule = _scaffold(written, seed=params.seed)
    mounted = governing.mount_branch(ctx, Wanted(branch=params.branch, remote=params.remote), rule)
    if mounted.migrated is not None:
        ctx.warn("SIDECAR_MIGRATED", f"the folder that was there is {mounted.migrated.original} now")
    if ctx.dry_run and not mounted.already:
        written += scaffold.names(seed=params.seed) if mounted.source != "remote" else ()
    elif mounted.source != "remote":
        ctx.transact(rule)  # writes what is missing where a branch or a folder was there already
        exchange.push(ctx)
    created = tuple(dict.fromkeys(written))
    return Governed(
        created=created,
        mounted=not mounted.already,
        branch=mounted.branch,
        seeded_tickets=scaffold.seeded(created),
        gitignore_updated=mounted.excluded,
    )


def _scaffold(written: list[str], *, seed: bool) -> Rule:
    """Return the rule that writes what is missing and adds its names to `written`."""

    def rule(view: View) -> Outcome:
        outcome = scaffold.scaffold(view, seed=seed)
        written.extend(draft.subject for draft in outcome.events)
        return outcome

    return rule
