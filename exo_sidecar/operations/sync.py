"""Sync: the governance branch brought over between this clone and a remote."""

from typing import Annotated, NamedTuple

import msgspec

from exo_sidecar.git import remote as remotes
from exo_sidecar.git.remote import Remote
from exo_sidecar.model.config import SyncSettings
from exo_sidecar.model.errors import Environment, ExoError
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.view import Quarantined
from exo_sidecar.operations import expiring, moving, reconciling
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.reconciling import Reconciled
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.sync import distance, sync


class NoRemote(Environment):
    """The repository has no remote of that name to exchange the governance branch with."""

    code = "NO_REMOTE"
    advice = "git remote -v lists the remotes; git remote add origin ADDRESS adds one"


class Sync(Params, frozen=True, kw_only=True):
    """Parameters of `sync`."""

    remote: Annotated[
        str | None, param("The remote to exchange with; the one of the leases when left away", metavar="NAME")
    ] = None


class Exchange(Result, frozen=True, kw_only=True):
    """What was brought over, and how things stand after it."""

    remote: str
    fetched_events: int = 0
    pushed_events: int = 0
    merged: bool = False
    tip: str | None = None
    ahead: int = 0
    behind: int = 0
    rounds: int = 0
    open_findings: tuple[Finding, ...] = ()
    provisional: Reconciled = Reconciled()
    """What became of the claims of this clone that were made offline."""
    quarantined: tuple[Quarantined, ...] = ()


class Counterpart(NamedTuple):
    """A remote, and how long it may take to answer."""

    remote: Remote
    settings: SyncSettings

    @property
    def timeout_seconds(self) -> int:
        """Seconds of silence after which nobody is there."""
        return self.settings.timeout_seconds


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True, idempotent=True)
def run(ctx: Context, params: Sync) -> Exchange:
    """Bring the governance branch over in both directions.

    Fetches, checks, merges and pushes. Nobody is asked to resolve a conflict, no event is lost, and no code branch is
    touched. With nothing new on either side: one connection, no commit. With --dry-run nothing is merged or pushed:
    the distance to the remote is told.
    """
    other = counterpart(ctx, params.remote)
    if ctx.dry_run:
        return report(ctx, other, Exchange(remote=str(other.remote)))
    take_in_edits(ctx)
    ctx.progress(f"syncing with {other.remote}")
    settle_leases(ctx)
    reconciled = reconciling.settle(ctx, "sync")
    done = sync.sync(
        ctx.store, other.remote, timeout_seconds=other.timeout_seconds, rounds_max=other.settings.max_rounds
    )
    tell_left_out(ctx, other, done.left_out)
    moving.by_itself(ctx, other.remote)
    return report(
        ctx,
        other,
        Exchange(
            remote=str(other.remote),
            fetched_events=done.fetched_events,
            pushed_events=done.pushed_events,
            merged=done.merged,
            rounds=done.rounds,
            provisional=reconciled,
        ),
    )


def settle_leases(ctx: Context) -> None:
    """Make up for calls that were killed, or not answered, while they claimed or gave back; what fails is a warning.

    Leases that have expired before this clone's eyes are told of, so that others need not watch them as long.
    """
    desk = LeaseDesk(ctx, "sync")
    try:
        desk.settle()
        expiring.tell(ctx, desk)
    except ExoError as error:
        # Whatever is wrong with a lease, the records of both sides are to come together.
        ctx.warn_of(error)


def counterpart(ctx: Context, name: str | None) -> Counterpart:
    """Return the remote that `name`, the authority or the settings mean; NoRemote, Offline."""
    view = ctx.view()
    settings = view.config()
    authority = view.authority()
    wanted = name or (authority.remote if authority else None) or settings.leases.remote
    if wanted not in ctx.repository.settings.remotes():
        message = f"this repository has no remote {wanted!r}"
        raise NoRemote(message)
    ctx.require_network(f"reaching {wanted}")
    return Counterpart(remotes.named(ctx.repository, wanted), settings.sync)


def take_in_edits(ctx: Context) -> None:
    """Take in every hand edit of the mount before it meets what others wrote."""
    committed = sync.absorb(ctx.store, ctx.stamp())
    for finding in committed.findings:
        ctx.tell(finding)


def tell_left_out(ctx: Context, other: Counterpart, paths: tuple[str, ...]) -> None:
    """Warn of files that the remote's branch held and that were not taken over."""
    for path in paths:
        ctx.warn("LEFT_OUT", f"{path} on the branch of {other.remote} follows from no event; it was not taken over")


def report(ctx: Context, other: Counterpart, done: Exchange) -> Exchange:
    """Return `done` with how things stand now."""
    view = ctx.view()
    apart = distance.measure(ctx.governed, str(other.remote))
    return msgspec.structs.replace(
        done,
        tip=ctx.governed.tip(),
        ahead=apart.ahead,
        behind=apart.behind,
        open_findings=view.findings(),
        quarantined=view.quarantined(),
    )
