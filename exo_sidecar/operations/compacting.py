"""Compacting: the branch begun anew with the files it has, here and at every remote that is reached."""

from typing import Final

from exo_sidecar.git import commits, reach
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import RemoteDenied, SidecarMissing
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Result
from exo_sidecar.operations.sync import Counterpart, NoRemote, counterparts, take_in_edits, tell_left_out
from exo_sidecar.store import publish
from exo_sidecar.store.store import RefMoved
from exo_sidecar.sync import compaction, sync
from exo_sidecar.sync.compaction import Begun

_ATTEMPTS_MAX: Final = 20


class Compacted(Result, frozen=True, kw_only=True):
    """The branch has one commit; with --dry-run what it would weigh."""

    tip: Oid
    previous_tip: Oid
    """The same as `tip` when there was one commit already."""
    size_before: int | None
    """Bytes on disk of all objects that the tip leads to; None without a C git that counts them."""
    size_after: int | None
    """Likewise; the objects of before stay on disk until git's own clean-up."""
    remotes: tuple[str, ...]
    """Remotes that have the new history."""


def compact(ctx: Context, reason: str) -> Compacted:
    """Begin the branch anew; a remote that refuses the new history keeps the old one, and so does this clone."""
    others = _others(ctx)
    if not ctx.dry_run:
        take_in_edits(ctx)
        for other in others:
            _exchange(ctx, other)
    tip = ctx.governed.tip()
    if tip is None:
        message = f"{ctx.governed.branch} has no commit yet"
        raise SidecarMissing(message)
    before = reach.disk_bytes(ctx.repository, tip)
    if ctx.dry_run:
        after = reach.disk_bytes(ctx.repository, commits.read(ctx.repository.objects, tip).tree)
        return Compacted(tip=tip, previous_tip=tip, size_before=before, size_after=after, remotes=())
    begun = _begun(ctx, reason)
    try:
        for other in others:
            _exchange(ctx, other)
    except RemoteDenied:
        compaction.give_up(ctx.store)
        raise
    compaction.end(ctx.governed)
    after = reach.disk_bytes(ctx.repository, begun.tip)
    return Compacted(
        tip=ctx.governed.tip() or begun.tip,
        previous_tip=begun.previous,
        size_before=before,
        size_after=after,
        remotes=tuple(str(other.remote) for other in others),
    )


def _begun(ctx: Context, reason: str) -> Begun:
    for _ in range(_ATTEMPTS_MAX):
        try:
            begun = compaction.begin(ctx.store, ctx.stamp(), reason)
        except publish.Moved:
            continue
        if begun is not None:
            return begun
    message = f"{ctx.governed.branch} kept moving"
    raise RefMoved(message)


def _others(ctx: Context) -> tuple[Counterpart, ...]:
    """Return the remotes that share the branch, none where leases are decided here and no remote is there."""
    try:
        return counterparts(ctx, None)
    except NoRemote:
        authority = ctx.view().authority()
        if authority is not None and authority.remote is not None:
            raise
        return ()


def _exchange(ctx: Context, other: Counterpart) -> None:
    ctx.progress(f"syncing with {other.remote}")
    done = sync.sync(
        ctx.store, other.remote, timeout_seconds=other.timeout_seconds, rounds_max=other.settings.max_rounds
    )
    tell_left_out(ctx, other, done.left_out, done.edited)
