"""Saved: a folder kept byte for byte in a commit under `refs/exo/saved/`, before anything is done to it."""

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import commits, lockfile, tree
from exo_sidecar.git.commits import AUTHOR, Commit
from exo_sidecar.git.objects import OBJECT_LIMIT_BYTES, Kind
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.git.tree import Entry
from exo_sidecar.model.errors import Conflict

EXECUTABLE: Final = 0o100755
_LINK: Final = 0o120000
_PROOF: Final = "exo/saved-ref.tmp"
"""Below the common directory: the proof of the lock on the ref (git.lockfile)."""
_BATCH: Final = 256
"""Files that are read before they are stored: bounds memory, and lets the disk take them together."""


class SaveFailed(Conflict):
    """The saved folder's ref was changed by somebody else at the same moment."""

    code = "SAVE_FAILED"
    advice = "nothing was changed; run the same command again"


class Saved(NamedTuple):
    """A folder's content."""

    commit: Oid
    tree: Oid
    files: int
    left_out: tuple[str, ...]
    """What git has no form for (a socket), or is too large, or would be taken for a repository."""


class _Gathered:
    """Counts and leftovers of one walk."""

    def __init__(self) -> None:
        self.files = 0
        self.left_out: list[str] = []


def save(repository: Repository, folder: Path, ref: str, seconds: int) -> Saved:
    """Keep the present content of `folder` at `ref`; saved again only when it differs, on top of what was there.

    The clone's lock must be held: so a lock on the ref whose proof has our one name is a dead process's.

    Raises:
        SaveFailed: nothing was changed.
    """
    gathered = _Gathered()
    root = _store(repository, folder, "", gathered) or _empty(repository)
    proof = repository.place.common / _PROOF
    lockfile.clear_dead_lock(repository.refs.path(ref), proof)
    before = repository.refs.read(ref)
    left_out = tuple(gathered.left_out)
    if before is not None and commits.read(repository.objects, before).tree == root:
        return Saved(before, root, gathered.files, left_out)
    message = f"exo: saved {folder.name}\n"
    commit = Commit(root, (before,) if before else (), AUTHOR, seconds, AUTHOR, seconds, message)
    oid = repository.objects.write([("commit", commits.serialise(commit))])[0]
    if not repository.refs.swap(ref, old=before, new=oid, temporary=_PROOF):
        message = f"{ref} was changed while {folder} was saved"
        raise SaveFailed(message)
    return Saved(oid, root, gathered.files, left_out)


def _empty(repository: Repository) -> Oid:
    repository.objects.write([("tree", b"")])
    return EMPTY_TREE


def _store(repository: Repository, folder: Path, prefix: str, gathered: _Gathered) -> Oid | None:
    """Store a folder as a tree and return it; None for one with nothing in it, which git cannot hold."""
    entries: list[Entry] = []
    waiting: list[tuple[str, int, bytes]] = []
    for item in sorted(folder.iterdir()):
        path = f"{prefix}{item.name}"
        mode = item.lstat().st_mode
        if item.name.lower() == ".git":
            gathered.left_out.append(path)
        elif stat.S_ISDIR(mode):
            inner = _store(repository, item, f"{path}/", gathered)
            entries += [Entry(item.name, tree.TREE_MODE, inner)] if inner else []
        elif (data := _content(item, mode)) is None:
            gathered.left_out.append(path)
        else:
            waiting.append((item.name, _mode(mode), data))
        if len(waiting) >= _BATCH:
            entries += _written(repository, waiting)
            waiting = []
    entries += _written(repository, waiting)
    gathered.files += sum(1 for entry in entries if not entry.is_tree)
    return repository.objects.write([("tree", tree.serialise(entries))])[0] if entries else None


def _written(repository: Repository, waiting: list[tuple[str, int, bytes]]) -> list[Entry]:
    blobs: list[tuple[Kind, bytes]] = [("blob", data) for _, _, data in waiting]
    oids = repository.objects.write(blobs)
    return [Entry(name, mode, oid) for (name, mode, _), oid in zip(waiting, oids, strict=True)]


def _content(item: Path, mode: int) -> bytes | None:
    if stat.S_ISLNK(mode):
        return os.fsencode(item.readlink())
    if not stat.S_ISREG(mode) or item.lstat().st_size > OBJECT_LIMIT_BYTES:
        return None
    return item.read_bytes()


def _mode(mode: int) -> int:
    if stat.S_ISLNK(mode):
        return _LINK
    return EXECUTABLE if mode & stat.S_IXUSR else tree.FILE_MODE
