"""Sync: the governance branch brought over between this clone and a remote."""

from typing import Annotated, NamedTuple

import msgspec

from exo_sidecar.git import remote as remotes
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.model import duration
from exo_sidecar.model.config import Config, SyncSettings
from exo_sidecar.model.errors import Environment, ExoError, Usage, ValueInvalid
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.view import Quarantined
from exo_sidecar.operations import accepting, bringing, by_person, expiring, moving, reconciling, trusting
from exo_sidecar.operations.accepting import Rewritten
from exo_sidecar.operations.bringing import Brought
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.reconciling import Reconciled
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.sync import distance, sync
from exo_sidecar.sync.patience import WAIT_SECONDS_MAX, patiently
from exo_sidecar.sync.web_edits import WebEdit


class NoRemote(Environment):
    """The repository has no remote of that name to exchange the governance branch with."""

    code = "NO_REMOTE"
    advice = "git remote -v lists the remotes; git remote add origin ADDRESS adds one"


class Sync(Params, frozen=True, kw_only=True):
    """Parameters of `sync`."""

    remote: Annotated[
        str | None, param("The remote to exchange with; those of sync.remotes when left away", metavar="NAME")
    ] = None
    accept_rewrite: Annotated[
        bool, param("Take the remote's branch although it lost or changed verified events; for people only")
    ] = False
    reason: Annotated[str | None, param("Why a rewritten branch is taken", stdin=True)] = None
    wait: Annotated[
        str | None, param("Try again for so long when the remote does not answer, or others are faster", metavar="DUR")
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
    remotes: tuple[Brought, ...] = ()
    """One by one, when there are several; the fields above are of the first."""
    rewritten: Rewritten | None = None
    """What the remote's branch had lost, when a person took it so; it has it again."""


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
    touched. With nothing new on either side: one connection, no commit. Without --remote the remote of the leases is
    asked first, then those of sync.remotes; one that does not answer is a warning as long as another does. With
    --dry-run nothing is merged or pushed: the distance to the remote is told.

    A remote whose ledger lost or changed what was verified here is refused. With --accept-rewrite and a reason a person
    takes it as it is: nothing is lost here, and what is known here goes back to the remote.
    """
    reason = _reason(ctx, params)
    seconds = _seconds(params.wait)
    others = counterparts(ctx, params.remote) if reason is None else (counterpart(ctx, params.remote),)
    if ctx.dry_run:
        return report(ctx, others[0], Exchange(remote=str(others[0].remote)))
    take_in_edits(ctx)
    mark = len(ctx.warnings)

    def waiting(error: ExoError, left: float) -> None:
        del ctx.warnings[mark:]
        ctx.progress(f"{error.message}; trying again for {duration.show(round(left))}")

    taken: list[Rewritten | None] = []
    return patiently(lambda: _exchanged(ctx, others, reason, taken), seconds, waiting=waiting)


def _exchanged(
    ctx: Context, others: tuple[Counterpart, ...], reason: str | None, taken: list[Rewritten | None]
) -> Exchange:
    """Exchange once; `taken` keeps what was accepted for a further attempt."""
    other = others[0]
    settle_leases(ctx)
    reconciled = reconciling.settle(ctx, "sync")
    if reason is not None and not taken:
        ctx.progress(f"looking at {other.remote}")
        taken.append(accepting.accept(ctx, other.remote, timeout_seconds=other.timeout_seconds, reason=reason))
    rewritten = taken[0] if taken else None
    accepted = rewritten.after if rewritten else None
    each = [one.remote for one in others]
    brought = bringing.bring(ctx, each, lambda remote: _synced(ctx, other, remote, accepted))
    first = brought[0]
    if first.state == "done":
        moving.by_itself(ctx, other.remote)
    return report(
        ctx,
        other,
        Exchange(
            remote=first.remote,
            fetched_events=first.fetched_events,
            pushed_events=first.pushed_events,
            merged=first.merged,
            rounds=first.rounds,
            provisional=reconciled,
            remotes=brought if len(brought) > 1 else (),
            rewritten=rewritten,
        ),
    )


def _reason(ctx: Context, params: Sync) -> str | None:
    """Return why a rewritten branch is taken, None when it is not; HumanRequired, ReasonRequired."""
    if not params.accept_rewrite:
        if params.reason:
            message = "--reason is for taking a branch that was rewritten"
            raise Usage(message, hint="add --accept-rewrite, or leave --reason away")
        return None
    by_person.require(ctx, "takes a branch that lost verified events", "exo sync --accept-rewrite --reason")
    return by_person.reason(params.reason, "taking a branch that lost verified events")


def _seconds(wait: str | None) -> int:
    seconds = duration.parse(wait) if wait and wait != "0" else 0
    if seconds > WAIT_SECONDS_MAX:
        message = f"--wait {wait} is longer than {duration.show(WAIT_SECONDS_MAX)}"
        raise ValueInvalid(message, parameter="wait")
    return seconds


def _synced(ctx: Context, first: Counterpart, remote: Remote, accepted: Oid | None) -> sync.Synced:
    """Exchange with one remote under the settings of the call."""
    ctx.progress(f"syncing with {remote}")
    settings = first.settings
    done = sync.sync(
        ctx.store,
        remote,
        timeout_seconds=first.timeout_seconds,
        rounds_max=settings.max_rounds,
        accepted=accepted,
    )
    tell_left_out(ctx, Counterpart(remote, settings), done.left_out, done.edited)
    if done.raised is not None:
        ctx.tell(done.raised)
    return done


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
    settings = ctx.view().config()
    wanted = name or _usual(ctx, settings)
    if wanted not in ctx.repository.settings.remotes():
        raise NoRemote(_missing(wanted))
    ctx.require_network(f"reaching {wanted}")
    return Counterpart(remotes.named(ctx.repository, wanted), settings.sync)


def counterparts(ctx: Context, name: str | None) -> tuple[Counterpart, ...]:
    """Return the remote `name`, else that of the authority and those of `sync.remotes`; NoRemote, Offline.

    One of several that this clone does not have is a warning: the names stand in a document that all clones share.
    """
    settings = ctx.view().config()
    known = ctx.repository.settings.remotes()
    wanted = () if name else tuple(dict.fromkeys((_usual(ctx, settings), *settings.sync.remotes)))
    there = [each for each in wanted if each in known]
    if not there:
        return (counterpart(ctx, name),)
    for each in wanted:
        if each not in known:
            ctx.warn(NoRemote.code, f"{_missing(each)} ({NoRemote.advice})")
    return tuple(counterpart(ctx, each) for each in there)


def _usual(ctx: Context, settings: Config) -> str:
    authority = ctx.view().authority()
    return (authority.remote if authority else None) or settings.leases.remote


def _missing(name: str) -> str:
    return f"this repository has no remote {name!r}"


def take_in_edits(ctx: Context) -> None:
    """Take in every hand edit of the mount before it meets what others wrote."""
    committed = sync.absorb(ctx.store, ctx.stamp())
    ctx.follow(committed)
    for finding in committed.findings:
        ctx.tell(finding)


def tell_left_out(ctx: Context, other: Counterpart, paths: tuple[str, ...], edited: tuple[WebEdit, ...] = ()) -> None:
    """Warn of files that the remote's branch held and that were not taken over, and of edits that have no event."""
    for path in paths:
        ctx.warn("LEFT_OUT", f"{path} on the branch of {other.remote} follows from no event; it was not taken over")
    for edit in edited:
        ctx.warn("WEB_EDIT", f"{other.remote}: {edit}")


def report(ctx: Context, other: Counterpart, done: Exchange) -> Exchange:
    """Return `done` with how things stand now."""
    view = ctx.view()
    apart = distance.measure(ctx.governed, str(other.remote))
    return msgspec.structs.replace(
        done,
        tip=ctx.governed.tip(),
        ahead=apart.ahead,
        behind=apart.behind,
        open_findings=(*view.findings(), *trusting.held_back(ctx)),
        quarantined=view.quarantined(),
    )
