"""Repairing: what `sidecar-repair` does, part by part, in an order in which each finds the one before it done."""

from dataclasses import dataclass
from typing import Literal

from exo_sidecar.git import mount
from exo_sidecar.git.mount import MountState
from exo_sidecar.model.errors import LedgerDamaged
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Result
from exo_sidecar.store import clone, index, lock, migration, mounting
from exo_sidecar.store import repair as mending
from exo_sidecar.store.governed import DEFAULT_BRANCH, not_mounted
from exo_sidecar.store.scan import changed_paths
from exo_sidecar.store.transaction import Committed


@dataclass(frozen=True)
class Parts:
    """What is to be repaired."""

    render: bool
    mount: bool
    index: bool
    journal: bool


class Repaired(Result, frozen=True, kw_only=True):
    """The mount is as the ledger says."""

    mounted: bool
    """Whether the mount had to be put back."""
    journal: Literal["none", "settled", "dropped"]
    """What became of a transaction that a killed process had left."""
    index_rebuilt: bool
    rendered: tuple[str, ...]
    """Files that were written anew."""
    absorbed: tuple[str, ...]
    """Hand edits that were taken in."""
    kept_aside: tuple[str, ...]
    """Where in .exo/ the others are now."""


def repair(ctx: Context, parts: Parts) -> Repaired:
    """Put right what `parts` name.

    Raises:
        SidecarMissing: nothing was ever mounted here.
        SidecarBusy: plain git does not give up what it began.
    """
    common = ctx.place.common
    state = mount.state(common)
    if state is None:
        raise not_mounted(ctx.repository)
    if migration.under_way(ctx.repository) is not None:
        ctx.warn("MIGRATION_UNFINISHED", "a folder is half-way taken over (exo sidecar-init finishes that)")
    found = _found(ctx, state)
    if ctx.dry_run:
        return found
    with lock.held(common / "exo"):
        kept = _prepare(ctx, parts)
    absorbed = _absorb(ctx, is_rendered=parts.render)
    rendered: tuple[str, ...] = ()
    if parts.render:
        mending.forget_tip(ctx.governed)
        _transact(ctx)
        with ctx.store.locked():
            done = mending.render(ctx.governed)
        rendered = done.paths
        kept += done.aside
    return Repaired(
        mounted=found.mounted,
        journal=found.journal,
        index_rebuilt=parts.index,
        rendered=rendered,
        absorbed=absorbed,
        kept_aside=kept,
    )


def _found(ctx: Context, state: MountState) -> Repaired:
    """Return what there is to do; nothing is written."""
    journal = mending.journal_state(ctx.place.common / "exo")
    is_ready = state.folder_present and bool(state.branch)
    return Repaired(
        mounted=not (state.folder_present and state.link_current),
        journal="none" if journal == "none" else "settled" if journal == "pending" else "dropped",
        index_rebuilt=False,
        rendered=mending.differing(ctx.governed) if ctx.dry_run and is_ready else (),
        absorbed=(),
        kept_aside=(),
    )


def _prepare(ctx: Context, parts: Parts) -> tuple[str, ...]:
    """Do what must be done before the records can be opened; return where files are that were kept aside."""
    folder = ctx.place.common / "exo"
    mounting.clear_dead_config_lock(ctx.repository)
    if parts.journal:
        mending.drop_damaged_journal(folder)
    if parts.index:
        index.discard(folder / "index.sqlite")
    given_up = mending.give_up(ctx.repository, DEFAULT_BRANCH) if parts.mount else None
    if given_up is None:
        return ()
    ctx.warn("SIDECAR_GIVEN_UP", f"the {given_up.what} that was under way in .exo was given up")
    return given_up.aside


def _absorb(ctx: Context, *, is_rendered: bool) -> tuple[str, ...]:
    """Take in every hand edit; return those that were."""
    committed = _transact(ctx)
    for finding in committed.findings:
        if is_rendered and finding.code == "FILE_UNREADABLE":
            line = f" (line {finding.line})" if finding.line else ""
            ctx.warn(finding.code, f"{finding.subject} cannot be read{line}; what it held is kept aside")
        else:
            ctx.tell(finding)
    return tuple(finding.subject for finding in committed.findings if finding.code == "EDIT_ABSORBED")


def _transact(ctx: Context) -> Committed:
    """Run a transaction that writes nothing of its own; under a new clone id when this clone's chain is damaged."""
    store = ctx.store

    def attempt() -> Committed:
        return store.transact(lambda _: Outcome(), ctx.stamp(), paths=lambda: changed_paths(store.governed))

    try:
        committed = attempt()
    except LedgerDamaged as error:
        with store.locked():
            clone.mint(store.governed.folder, ctx.entropy)
        ctx.warn(error.code, f"{error.message}; this clone goes on under a new id; what stood before counts")
        committed = attempt()
    ctx.follow(committed)
    return committed
