"""How a worktree goes: nothing in it is lost, or it stays."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import linked, lone_swap
from exo_sidecar.git.linked import Worktree
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.host import checkout, saved_work, worktrees
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.host.saved_work import StashFailed
from exo_sidecar.host.worktrees import WorktreeBusy, WorktreeDirty
from exo_sidecar.model import instant
from exo_sidecar.model.errors import Usage
from exo_sidecar.model.view import View
from exo_sidecar.operations import by_person, session_facts, worktree_making
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Result

FILES_NAMED_MAX: Final = 5
_TRIES: Final = 50
_SUBMODULE: Final = "160000 "
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


class PathUnknown(Usage):
    """The path is that of no linked worktree of this repository."""

    code = "PATH_UNKNOWN"
    advice = "exo worktrees --all lists them"


class Wish(NamedTuple):
    """A removal as it is asked for."""

    path: str
    force: bool
    delete_branch: bool


class WorktreeRemoved(Result, frozen=True, kw_only=True):
    """A worktree that is gone."""

    path: str
    branch: str | None
    removed: bool
    """False with --dry-run."""
    saved_ref: str | None
    """What names the work that was in it; None: there was none but what is on its branch."""
    branch_deleted: bool


class _Work(NamedTuple):
    """What would be lost."""

    changed: tuple[str, ...]
    unpushed: tuple[str, ...]


def remove(ctx: Context, wish: Wish) -> WorktreeRemoved:
    """Remove a linked worktree, its work saved first where a person forces it."""
    if wish.force:
        by_person.require(ctx, "removes a worktree with work in it", f"exo worktree-remove {wish.path} --force")
    view = ctx.view()
    worktree = _meant(ctx, wish.path)
    _check_free(ctx, view, worktree, force=wish.force)
    work = _work(ctx, view, worktree)
    if not wish.force:
        _check_clean(worktree, work)
    is_any = bool(work.changed or (work.unpushed and (wish.delete_branch or worktree.branch is None)))
    name = _save_name(ctx, view, worktree) if is_any else None
    saved = saved_work.ref_of(name) if name is not None else None
    if ctx.dry_run:
        return _result(worktree, wish, saved, removed=False)
    tip = _tip(ctx, worktree)
    if name is not None:
        _saved(ctx, worktree, name, tip)
    worktrees.remove(ctx.place, worktree)
    return _result(worktree, wish, saved, removed=True, deleted=_branch_deleted(ctx, view, worktree, wish, tip))


def _meant(ctx: Context, text: str) -> Worktree:
    """Return the linked worktree that is named; PathUnknown, WorktreeBusy where it cannot be removed at all."""
    path = ctx.repo.absolute() / text
    found = linked.at(ctx.place, path)
    if found is None or found.is_main:
        what = "the main worktree, which stays" if found else "no linked worktree of this repository"
        message = f"{path} is {what}"
        raise PathUnknown(message)
    if found.locked is not None:
        why = found.locked or "no reason given"
        message = f"{found.path} is locked: {why}"
        raise WorktreeBusy(message, hint=f"git worktree unlock {found.path}", path=str(found.path))
    if ctx.place.worktree == found.path:
        message = f"this command was called in {found.path}"
        raise WorktreeBusy(message, hint="change into another worktree first", path=str(found.path))
    return found


def _check_free(ctx: Context, view: View, worktree: Worktree, *, force: bool) -> None:
    at_work = session_facts.in_worktree(session_facts.living(ctx, view, "active"), worktree.path)
    if at_work and not force:
        live = at_work[0]
        message = f"{live.session} ({live.actor}) is at work on {live.ticket} in {worktree.path}"
        hint = "it ends with exo session-finish; exo session-cleanup ends one that is dead"
        raise WorktreeBusy(message, hint=hint, path=str(worktree.path), session=live.session)
    for live in at_work:
        ctx.warn("SESSION_LEFT", f"{_named(live)} is still at work; exo session-cleanup --force {live.session} ends it")
    for live in session_facts.in_worktree(session_facts.living(ctx, view, "suspended"), worktree.path):
        ctx.warn("SESSION_LEFT", f"{_named(live)} is suspended; exo session-resume {live.session} --here goes on")


def _named(live: LiveSession) -> str:
    return f"{live.session} ({live.actor}, {live.ticket})"


def _work(ctx: Context, view: View, worktree: Worktree) -> _Work:
    """Return what is in the worktree and nowhere else; of a folder that is gone only its commits."""
    changed = checkout.uncommitted(worktree.path) if worktree.is_present else ()
    tip = _tip(ctx, worktree)
    base = worktree_making.base_of(ctx, view.config())
    kept = (f"refs/heads/{base}",) if base is not None else ()
    return _Work(changed, worktrees.unpushed(ctx.place, tip, kept) if tip is not None else ())


def _check_clean(worktree: Worktree, work: _Work) -> None:
    if work.changed:
        more = len(work.changed) - FILES_NAMED_MAX
        names = ", ".join(work.changed[:FILES_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        message = f"{worktree.path} has changes that are not committed: {names}"
        raise WorktreeDirty(message, path=str(worktree.path), files=work.changed[:FILES_NAMED_MAX])
    if work.unpushed:
        many = "at least " if len(work.unpushed) == worktrees.UNPUSHED_MAX else ""
        message = f"{worktree.path} has {many}{len(work.unpushed)} commits that no remote and no base branch has"
        raise WorktreeDirty(message, path=str(worktree.path), commits=work.unpushed[:FILES_NAMED_MAX])


def _tip(ctx: Context, worktree: Worktree) -> str | None:
    """Return the commit that is checked out there."""
    if worktree.branch is not None:
        return checkout.commit_of(ctx.place, f"refs/heads/{worktree.branch}")
    return checkout.head(locate(worktree.path)).commit if worktree.is_present else None


def _save_name(ctx: Context, view: View, worktree: Worktree) -> str:
    """Return what comes after refs/exo/saved/: the ticket, or what stands for it, and the time; never used before."""
    ticket = worktree_making.ticket_of(view.config(), worktree.branch)
    whose = _NO_NAME.sub("-", ticket or worktree.path.name).strip("-") or "worktree"
    name = f"{whose}/{_NO_NAME.sub('', ctx.now.replace('-', ''))}"
    taken = ctx.repository.refs.list(saved_work.ref_of(f"{whose}/"))
    numbered = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(each for each in numbered if saved_work.ref_of(each) not in taken)


def _saved(ctx: Context, worktree: Worktree, name: str, tip: str | None) -> None:
    """Let a ref name the work, then take out of the checkout what it holds; StashFailed, and all of it is in place."""
    place = locate(worktree.path) if worktree.is_present else None
    if place is not None and _has_submodules(worktree):
        message = f"{worktree.path} has submodules, and what is in them cannot be saved"
        raise WorktreeDirty(message, hint="push what they hold, then git submodule deinit", path=str(worktree.path))
    if place is not None and checkout.uncommitted(worktree.path):
        with Repository(place) as repository, saved_work.alone_in(place):
            saving = saved_work.save(repository, name, at=instant.epoch_seconds(ctx.now), kept=None)
            if saving.foreign:
                message = f"{', '.join(saving.foreign[:FILES_NAMED_MAX])}: repositories inside of it cannot be saved"
                raise WorktreeDirty(message, hint="push what they hold, or move them away", path=str(worktree.path))
            if saving.work is not None:
                saved_work.clear(place, saving.work)
                return
    if tip is not None:
        _point(ctx, saved_work.ref_of(name), Oid(tip))


def _has_submodules(worktree: Worktree) -> bool:
    listed = checkout.ask(worktree.path, "ls-files", "--stage", "-z")
    return any(line.startswith(_SUBMODULE) for line in listed.split("\0"))


def _point(ctx: Context, ref: str, commit: Oid) -> None:
    for _ in range(_TRIES):
        if lone_swap.swap(ctx.repository, ref, old=None, new=commit):
            return
    message = f"{ref} could not be made"
    raise StashFailed(message)


def _branch_deleted(ctx: Context, view: View, worktree: Worktree, wish: Wish, tip: str | None) -> bool:
    if not wish.delete_branch or worktree.branch is None or tip is None:
        return False
    if worktree.branch in {worktree_making.base_of(ctx, view.config()), ctx.governed.branch}:
        ctx.warn("BRANCH_KEPT", f"{worktree.branch} is no branch of a ticket: it stays")
        return False
    try:
        deleted = worktrees.delete_branch(ctx.place, worktree.branch, tip)
    except CheckoutUnreadable as error:
        ctx.warn_of(error)
        return False
    if not deleted:
        ctx.warn("BRANCH_KEPT", f"{worktree.branch} moved meanwhile, or is checked out elsewhere: it stays")
    return deleted


def _result(
    worktree: Worktree, wish: Wish, saved: str | None, *, removed: bool, deleted: bool = False
) -> WorktreeRemoved:
    return WorktreeRemoved(
        path=str(Path(worktree.path)),
        branch=worktree.branch,
        removed=removed,
        saved_ref=saved if removed or wish.force else None,
        branch_deleted=deleted,
    )
