"""Exchange: where lifecycle operations bring the governance branch up to date on both sides.

None of them fails because the remote did not answer: what could not be brought over is a warning, and the next
`exo sync` makes up for it (docs/sync.md, "Steps"). Nor because what it shows is no governance branch at all. Damage is
no such thing: it stops the operation.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from exo_sidecar.git import remote as remotes
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.model.config import SyncSettings
from exo_sidecar.model.errors import Conflict, Environment, NotFound
from exo_sidecar.operations.context import Context
from exo_sidecar.store import publish, rendition
from exo_sidecar.sync import compaction, distance, sync
from exo_sidecar.sync.sync import SyncBehind
from exo_sidecar.sync.verified import OverLimits, SyncRefused


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of bringing the governance branch over."""

    state: Literal["done", "skipped", "failed"]
    reason: str | None = None
    """Why it was skipped, or how it failed."""
    fetched_events: int = 0
    pushed_events: int = 0


def pull(ctx: Context) -> Exchanged:
    """Fetch and merge what others have written; a remote that does not answer is a warning."""

    def bring(remote: Remote, settings: SyncSettings) -> Exchanged:
        pulled = sync.pull(ctx.store, remote, timeout_seconds=settings.timeout_seconds)
        for edit in pulled.merged.edited:
            ctx.warn("WEB_EDIT", f"{remote}: {edit}")
        if pulled.merged.raised is not None:
            ctx.tell(pulled.merged.raised)
        return Exchanged(state="done", fetched_events=pulled.merged.events)

    return _exchange(ctx, bring)


def push(ctx: Context) -> Exchanged:
    """Push what was written here, merging first what others wrote meanwhile; a silent remote is a warning.

    So is a remote whose ledger is refused: what the call is about has happened, and the next one says so again.
    """

    def send(remote: Remote, settings: SyncSettings) -> Exchanged:
        timeout = settings.timeout_seconds
        try:
            sent = sync.push(ctx.store, remote, timeout_seconds=timeout)
        except SyncBehind:
            try:
                both = sync.sync(ctx.store, remote, timeout_seconds=timeout, rounds_max=settings.max_rounds)
            except SyncRefused as error:
                ctx.warn_of(error)
                return Exchanged(state="failed", reason=error.message)
            return Exchanged(state="done", fetched_events=both.fetched_events, pushed_events=both.pushed_events)
        return Exchanged(state="done", pushed_events=sent.events)

    return _exchange(ctx, send)


def carried(ctx: Context, tip: Oid) -> Exchanged:
    """Take note that the governance branch reached the remote of the leases up to `tip`, in the push of a lease."""
    authority = ctx.view().authority()
    if authority is None or authority.remote is None:
        return skipped("there is no remote")
    sent = distance.measure(ctx.governed, authority.remote).ahead
    distance.note(ctx.governed, authority.remote, tip)
    return Exchanged(state="done", pushed_events=sent)


def skipped(reason: str) -> Exchanged:
    """Return what is said when nothing was brought over."""
    return Exchanged(state="skipped", reason=reason)


def _take_in(ctx: Context) -> None:
    """Take in what would not be told apart after a merge: commits of plain git, edits of files of another number."""
    tip = ctx.governed.tip()
    if publish.recorded_tip(ctx.governed) == tip and rendition.standing(ctx.governed, tip) != "stale":
        return
    committed = sync.absorb(ctx.store, ctx.stamp())
    ctx.follow(committed)
    for finding in committed.findings:
        ctx.tell(finding)


def _exchange(ctx: Context, act: Callable[[Remote, SyncSettings], Exchanged]) -> Exchanged:
    if ctx.dry_run or ctx.offline:
        return skipped("dry run" if ctx.dry_run else "--offline")
    view = ctx.view()
    settings, authority = view.config().sync, view.authority()
    if settings.auto == "off":
        return skipped("sync.auto is off")
    if authority is None or authority.remote is None:
        return skipped("there is no remote")
    _take_in(ctx)
    try:
        remote = remotes.named(ctx.repository, authority.remote)
        if compaction.under_way(ctx.governed) is not None:  # killed before the remote heard of it
            sync.sync(ctx.store, remote, timeout_seconds=settings.timeout_seconds, rounds_max=settings.max_rounds)
        return act(remote, settings)
    except (Conflict, Environment, NotFound, OverLimits) as error:
        ctx.warn_of(error)
        return Exchanged(state="failed", reason=error.message)
