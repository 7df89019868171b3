"""Healing: what a killed process left half-done is finished before anything new is decided.

A transaction whose commit is on the branch happened: its files and git index are brought along. One whose commit is not
did not happen. Locks are removed only when the journal named their proof before they were made (git.lockfile).
"""

from collections.abc import Collection
from pathlib import Path

from exo_sidecar.base import files
from exo_sidecar.git import graph, lockfile, mount, tree
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import Environment
from exo_sidecar.store import journal, mounting, publish
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.journal import Pending


class SidecarBusy(Environment):
    """Somebody is in the middle of a merge or rebase in the mount."""

    code = "SIDECAR_BUSY"
    advice = "finish or abort it (git -C .exo merge --abort), or run exo sidecar-repair"


def heal(governed: Governed) -> None:
    """Finish or drop what was left, and put the mount back when it is gone; the clone's lock must be held."""
    check_busy(governed)
    remount(governed)
    pending = journal.read(governed.folder)
    if pending is not None:
        _settle(governed, pending)
    if (governed.folder / publish.STALE).exists():
        rebuild_git_index(governed)


def check_busy(governed: Governed) -> None:
    """Refuse to write while plain git is half-way through something in the mount, or has another branch there.

    Raises:
        SidecarBusy, SidecarBranchMismatch.
    """
    common = governed.repository.place.common
    what = mount.is_busy(common)
    if what is not None:
        message = f"a {what} is under way in {governed.mount}"
        raise SidecarBusy(message)
    state = mount.state(common)
    if state is not None and state.branch != governed.branch:
        message = f"{state.path} has {state.branch or 'no branch'} checked out, not {governed.branch}"
        way = f"git -C {state.path} switch {governed.branch}"
        if governed.tip() is None and state.branch:  # it was renamed
            way = f"exo sidecar-init --branch {state.branch} governs by that one"
        raise mounting.SidecarBranchMismatch(message, hint=way)


def remount(governed: Governed) -> bool:
    """Put the mount back when its folder is gone or its links are old; return whether that was needed."""
    common = governed.repository.place.common
    state = mount.state(common)
    mark = governed.folder / mounting.MARK
    if state is None:
        return False
    is_whole = state.folder_present and not mark.exists()
    if is_whole and state.link_current:
        return False
    if is_whole:
        mount.relink(common, state.path)
        return True
    mark.touch()
    mount.create(governed.repository.place, governed.branch, state.path)
    mounting.fill(governed)
    _sweep(governed, dict(tree.walk(governed.repository.objects, governed.tree_of(governed.tip()))))
    (governed.folder / publish.STALE).touch()
    mark.unlink(missing_ok=True)
    return True


def rebuild_git_index(governed: Governed) -> bool:
    """Build git's index of the mount anew; False when somebody still holds its lock."""
    done = mounting.rebuild_git_index(governed)
    if done:
        (governed.folder / publish.STALE).unlink(missing_ok=True)
    return done


def _settle(governed: Governed, pending: Pending) -> None:
    refs = governed.repository.refs
    lockfile.clear_dead_lock(refs.path(governed.ref), Path(pending.ref_temporary))
    lockfile.clear_dead_lock(governed.repository.mount_git_dir / "index", Path(pending.index_temporary))
    if _happened(governed, pending.commit):
        _sweep(governed, pending.files)
        publish.finish(governed, pending)
    else:
        journal.remove(governed.folder)


def _sweep(governed: Governed, paths: Collection[str]) -> None:
    """Remove what a killed writer of these files left beside them; the clone's lock says that none is alive."""
    for folder in sorted({governed.mount / path.rpartition("/")[0] for path in paths}):
        for item in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
            found = files.TEMPORARY.fullmatch(item.name)
            if found and (item.parent / found[1]).relative_to(governed.mount).as_posix() in paths:
                item.unlink(missing_ok=True)


def _happened(governed: Governed, commit: Oid) -> bool:
    """Whether the branch has come to the commit, or past it."""
    tip = governed.tip()
    if tip is None or not governed.repository.objects.contains(commit):
        return False
    return tip == commit or graph.is_ancestor(governed.repository.objects, commit, tip)
