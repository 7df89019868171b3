"""Moving the place that decides who holds leases."""

from typing import Annotated, Literal

from exo_sidecar.model.errors import Usage
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations import by_person, exchange, moving
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class LeasesMove(Params, frozen=True, kw_only=True):
    """Parameters of `leases-move`."""

    remote: Annotated[
        str | None, param("The remote that is to decide; left away: the one that does", metavar="NAME")
    ] = None
    mode: Annotated[
        Literal["refs", "branch"] | None,
        param("refs: below refs/exo; branch: as branches, for servers that refuse those"),
    ] = None


class LeasesMoved(Result, frozen=True, kw_only=True):
    """Where leases are decided now; with --dry-run where they are decided still."""

    authority: str
    """The remote's name, or `local`."""
    mode: str
    moved: tuple[TicketId, ...]
    """Tickets that had a lease at the old place; nobody held one, and every epoch at the new place is higher."""


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True, destructive=True, idempotent=True)
def run(ctx: Context, params: LeasesMove) -> LeasesMoved:
    """Let another remote, or refs of another sort, decide who holds leases.

    For people only, and only while nobody holds a lease. Clones that have not heard of it are refused at the old place
    until they sync. A move that was killed is finished by the same command. Leases that this repository decided on
    become branches where the remote's server refuses other refs, unless --mode says what they are to be.
    """
    by_person.require(ctx, "moves the leases", "exo leases-move")
    exchange.pull(ctx)
    old = LeaseDesk(ctx, moving.OPERATION).authority
    remote = params.remote or old.remote
    if remote is None:
        message = "leases are decided in this repository, and no remote is named"
        raise Usage(message, hint="name one with --remote")
    mode = params.mode or (old.mode if remote == old.remote else "refs")
    if ctx.dry_run or (remote, mode) == (old.remote, old.mode):
        if not ctx.dry_run:
            moving.finish(ctx)
        return LeasesMoved(authority=old.remote or "local", mode=old.mode, moved=())
    ctx.require_network(f"moving leases to {remote}")
    if old.remote is None and params.mode is None:
        done = moving.move_to(ctx, old, remote)
    else:
        done = moving.move(ctx, old, remote, mode)
    return LeasesMoved(authority=remote, mode=done.authority.mode, moved=done.tickets)
