"""Migrating: a plain folder where the mount goes is kept, what FORMAT knows of it taken in, and moved aside."""

from pathlib import Path
from typing import Final

import msgspec

from exo_sidecar.domain import migration as rules
from exo_sidecar.git import commits, tree
from exo_sidecar.model import instant
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.store import hand_edits, migration, mounting
from exo_sidecar.store.migration import FolderChanging, Known, Migration
from exo_sidecar.store.saved import Saved

ATTEMPTS_MAX: Final = 3
"""How often a folder that changes meanwhile is saved again."""
FINDINGS_MAX: Final = 20
_OPERATION: Final = "sidecar-init"


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """A plain folder that gave way to the mount."""

    files: int
    commit: str | None
    """Holds every file byte for byte, under refs/exo/saved/; None on a dry run."""
    original: str
    """Where the folder is now."""


def place_now(ctx: Context, path: Path) -> Path:
    """Return where the mount is or goes: beside the folder as long as one has not given way."""
    begun = migration.under_way(ctx.repository)
    return migration.place_now(ctx.repository, begun) if begun else path


def foreseen(path: Path) -> Migrated | None:
    """Return what would become of a plain folder at `path`; nothing is written."""
    if not mounting.is_plain_folder(path):
        return None
    files = sum(1 for each in path.rglob("*") if each.is_symlink() or not each.is_dir())
    return Migrated(files=files, commit=None, original=f"{path}.before-N")


def begin(ctx: Context, path: Path) -> Migration | None:
    """Note down and save a plain folder at `path`, or go on with one that was begun; None when there is none."""
    if migration.under_way(ctx.repository) is None and not mounting.is_plain_folder(path):
        return None
    begun = migration.begin(ctx.repository, path)
    ctx.progress(f"saving the files of {begun.path}")
    migration.save(ctx.repository, begun, instant.epoch_seconds(ctx.now))
    return begun


def take_over(ctx: Context, begun: Migration, *, absorb: bool) -> Migrated:
    """Take the saved files in, move the folder aside and the mount into its place.

    Raises:
        FolderChanging: files were written there all the time; the folder still is where it was.
    """
    seconds = instant.epoch_seconds(ctx.now)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        saved = migration.save(ctx.repository, begun, seconds)
        if saved is not None and absorb:
            _take_in(ctx, migration.known_files(ctx.repository, saved.tree))
        try:
            migration.finish(ctx.repository, begun, saved, seconds)
            break
        except FolderChanging:
            if attempt == ATTEMPTS_MAX:
                raise
    ctx.reopen()
    return _report(ctx, begun, saved)


def warn_of_tracked(ctx: Context, path: Path) -> None:
    """Say so when the application's checked-out commit holds files where the mount is."""
    count = migration.tracked_below(ctx.repository, path)
    if count:
        name = path.relative_to(ctx.place.worktree or path).as_posix()
        message = f"{count} files below {name} are tracked by the checked-out branch of code; stop that with:"
        ctx.warn("SIDECAR_SPLIT", f"{message} git rm -r -q --cached {name} && git commit -m 'stop tracking {name}'")


def _take_in(ctx: Context, known: Known) -> None:
    findings: list[tuple[Finding, ...]] = []

    def rule(view: View) -> Outcome:
        fresh = [edit for edit in known.documents if view.document(edit.path) is None]
        outcome = rules.take_in(view, known.tickets, _OPERATION)
        for edit in fresh:
            taken = hand_edits.absorb_document(view, edit)
            outcome += Outcome(events=taken.drafts, findings=taken.findings)
        findings.append(known.findings + outcome.findings)
        return Outcome(events=outcome.events)

    ctx.transact(rule)
    told = [finding for finding in findings[-1] if finding.severity != "info"]
    for finding in told[:FINDINGS_MAX]:
        ctx.tell(finding)
    if len(told) > FINDINGS_MAX:
        ctx.warn("MIGRATION_MORE", f"and {len(told) - FINDINGS_MAX} files more; the original holds them all")


def _report(ctx: Context, begun: Migration, saved: Saved | None) -> Migrated:
    commit = ctx.repository.refs.read(begun.ref)
    root = commits.tree_of(ctx.repository.objects, commit)
    for left_out in saved.left_out[:FINDINGS_MAX] if saved else ():
        ctx.warn("MIGRATION_NOT_SAVED", f"{left_out} is only in {begun.aside}: git has no form for it")
    files = sum(1 for _ in tree.walk(ctx.repository.objects, root))
    return Migrated(files=files, commit=commit, original=begun.aside)
