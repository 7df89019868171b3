"""Publish: one commit on the governance branch, and the mount brought along (docs/architecture.md, "A transaction").

Order of writes: objects and their folders; the journal; the branch by compare-and-swap; the files of the mount; the
git index; the record of the tip. Killed before the swap nothing has happened, after it the next operation finishes.
"""

import errno
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.git import checkout, commits, tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.index import Staged
from exo_sidecar.git.lockfile import LockBusy
from exo_sidecar.git.objects import Kind, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import journal, layout
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.journal import Pending
from exo_sidecar.store.rendering import Files

TIP: Final = "tip"
STALE: Final = "stale-index"
"""A mark: git's index of the mount could not be brought along, somebody held its lock."""
_SYNC_ONE_BY_ONE: Final = 64
"""Up to this many files are made durable each by itself; more of them together."""
_IN_THE_WAY: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY})
"""Somebody put a link or a folder where a file belongs: left alone, git status shows it."""
_LOCK_TRIES: Final = 20
_LOCK_WAIT_SECONDS: Final = 0.05


class Moved(Exception):
    """Somebody else moved the branch in between: decide again on the new tip."""


class Planned(NamedTuple):
    """A commit that is ready but for its objects."""

    commit: Commit
    trees: tuple[bytes, ...]
    contents: Mapping[str, bytes | None]


def plan(governed: Governed, base: Oid | None, changes: Files, commit: Commit) -> Planned:
    """Return the commit, its tree being `base` with `changes` spliced in."""
    blobs = {path: None if data is None else object_id("blob", data) for path, data in changes.items()}
    spliced = tree.splice(governed.repository.objects, base, blobs)
    return Planned(commit._replace(tree=spliced.root), spliced.trees, dict(changes))


def publish(governed: Governed, tip: Oid | None, planned: Planned, absorbed: Mapping[str, Oid]) -> Oid:
    """Move the branch from `tip` to the planned commit, and the mount with it; return the commit.

    `absorbed` names hand edits that the commit takes in: their files may be written over.

    Raises:
        Moved: the branch is not at `tip` any more; nothing has happened.
    """
    data = commits.serialise(planned.commit)
    made: list[tuple[Kind, bytes]] = [("blob", each) for each in planned.contents.values() if each is not None]
    made += [("tree", each) for each in planned.trees]
    governed.repository.objects.write([*made, ("commit", data)])
    return move(governed, tip, object_id("commit", data), absorbed)


def move(
    governed: Governed, tip: Oid | None, target: Oid, absorbed: Mapping[str, Oid], *, render: int | None = None
) -> Oid:
    """Move the branch from `tip` to `target`, an existing commit, and the mount with it; as `publish`.

    `render` is that of the program which saw to the computed files there; None: this one did.
    """
    pending = _pending(governed, tip, target, absorbed, layout.RENDER_NUMBER if render is None else render)
    journal.write(governed.folder, pending)
    if not governed.repository.refs.swap(governed.ref, old=tip, new=target, temporary=pending.ref_temporary):
        journal.remove(governed.folder)
        raise Moved(governed.ref)
    finish(governed, pending)
    return target


def finish(governed: Governed, pending: Pending) -> None:
    """Do what follows a moved branch: files, git index, record of the tip; then drop the journal. Safe to repeat."""
    objects = governed.repository.objects
    durable = len(pending.files) <= _SYNC_ONE_BY_ONE
    staged: dict[str, Staged | None] = {}
    for path, (old, new) in pending.files.items():
        staged[path] = _place(governed, path, old, new, durable=durable)
    if not durable:
        os.sync()
    root = governed.tree_of(pending.commit)
    if root is not None:
        _bring_index(governed, root, staged, pending)
    (governed.folder / TIP).write_text(f"{pending.commit} {pending.render}\n")
    journal.remove(governed.folder)
    objects.close()


def recorded_tip(governed: Governed) -> Oid | None:
    """Return the last tip that exo itself wrote in this clone."""
    words = _record(governed)
    return Oid(words[0]) if words else None


def recorded_render(governed: Governed) -> int:
    """Return the render number of the program that wrote the recorded tip, 0 where that is not known."""
    words = _record(governed)
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def _record(governed: Governed) -> list[str]:
    try:
        return (governed.folder / TIP).read_text().split()
    except FileNotFoundError:
        return []


def _pending(governed: Governed, tip: Oid | None, target: Oid, absorbed: Mapping[str, Oid], render: int) -> Pending:
    token = os.urandom(8).hex()
    moves = tree.diff(governed.repository.objects, governed.tree_of(tip), governed.tree_of(target))
    touched = {
        change.path: (change.old.oid if change.old else None, change.new.oid if change.new else None)
        for change in moves
    }
    for path, edited in absorbed.items():
        touched[path] = (edited, touched[path][1] if path in touched else _blob_at(governed, target, path))
    return Pending(
        commit=target,
        files=touched,
        ref_temporary=str(governed.folder / f"ref-{token}.tmp"),
        index_temporary=str(governed.repository.mount_git_dir / f"exo-index-{token}.tmp"),
        render=render,
    )


def _blob_at(governed: Governed, commit: Oid, path: str) -> Oid | None:
    entry = tree.entry_at(governed.repository.objects, governed.tree_of(commit), path)
    return entry.oid if entry else None


def _place(governed: Governed, path: str, old: Oid | None, new: Oid | None, *, durable: bool) -> Staged | None:
    """Bring one file of the mount along, unless it is a hand edit: neither the old nor the new content."""
    mount = governed.mount
    present = checkout.content_id(mount, path)
    if new is None:
        if present == old:
            files.remove_beneath(mount, path)
        return None
    if present is None and os.path.lexists(mount / path):
        return Staged(new, None)  # a link, a folder, or larger than any file of ours: left alone, git status shows it
    if present in {old, None} and present != new:
        try:
            files.write_beneath(mount, path, governed.repository.objects.read(new).data, durable=durable)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
        else:
            present = new
    return Staged(new, (mount / path).lstat() if present == new else None)


def _bring_index(governed: Governed, root: Oid, staged: dict[str, Staged | None], pending: Pending) -> None:
    for _ in range(_LOCK_TRIES):
        try:
            checkout.update_index(
                governed.repository.objects, root, governed.mount, staged, Path(pending.index_temporary)
            )
        except LockBusy:
            time.sleep(_LOCK_WAIT_SECONDS)
        else:
            return
    (governed.folder / STALE).touch()
