"""Scan: which files of the mount are not as the branch has them, found without opening those that surely are.

Git's index of the mount remembers size, times and inode of each file as it was written; a file that still has them was
not touched. The answer may name a file too many, never one too few: whoever takes edits in compares contents.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import flat, tree
from exo_sidecar.git import index as git_index
from exo_sidecar.git.index import Indexed, IndexUnusable
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.store import layout
from exo_sidecar.store.governed import Governed

_TICKETS: Final = "tickets"


class _Branch(NamedTuple):
    """What the branch has, and what git's index remembers of it."""

    wanted: Mapping[str, Oid]
    indexed: Mapping[str, Indexed]
    written_ns: int
    """When the index was written: a file of that very instant is in doubt, as for git."""

    def is_untouched(self, path: str, status: os.stat_result | None) -> bool:
        """Whether a file of the branch is surely as the branch has it; without a state it is not there."""
        known = self.indexed.get(path)
        if status is None or known is None or known.oid != self.wanted[path] or known.mtime_ns >= self.written_ns:
            return False
        return git_index.is_unchanged(known, status)


def changed_paths(governed: Governed) -> set[str]:
    """Return the files of the branch that differ or are missing in the mount, and new documents and tickets in it."""
    index_path = governed.repository.mount_git_dir / "index"
    indexed, written_ns = _indexed(index_path)
    branch = _Branch(_wanted(governed, indexed), indexed, written_ns)
    mount = os.fspath(governed.mount)
    found = {name for name in DOCUMENTS if name not in branch.wanted and os.path.lexists(f"{mount}/{name}")}
    untouched: set[str] = set()
    for path, status in _files_below(mount, _TICKETS):
        if path in branch.wanted:
            if branch.is_untouched(path, status):
                untouched.add(path)
        elif layout.parse_ticket(path) is not None:
            found.add(path)
    rest = branch.wanted.keys() - untouched
    return found | {path for path in rest if not branch.is_untouched(path, _state(f"{mount}/{path}"))}


def _indexed(path: Path) -> tuple[dict[str, Indexed], int]:
    """Return git's index and when it was written; an index that cannot be read knows no file."""
    try:
        return git_index.read(path), path.stat().st_mtime_ns
    except (IndexUnusable, FileNotFoundError):
        return {}, 0


def _wanted(governed: Governed, indexed: Mapping[str, Indexed]) -> dict[str, Oid]:
    """Return the files of the branch; where git's index makes its very tree, no tree is read."""
    root = governed.tree_of(governed.tip())
    staged = {path: known.oid for path, known in indexed.items()}
    if all(known.mode == tree.FILE_MODE for known in indexed.values()) and flat.root_of(staged) == root:
        return staged
    return {path: entry.oid for path, entry in tree.walk(governed.repository.objects, root)}


def _state(path: str | os.DirEntry[str]) -> os.stat_result | None:
    """Return the state of a file, of a link itself; None when it is not there, or no more."""
    try:
        return os.lstat(path) if isinstance(path, str) else path.stat(follow_symlinks=False)
    except OSError:
        return None


def _files_below(mount: str, folder: str) -> Iterator[tuple[str, os.stat_result | None]]:
    """Yield the files below a folder of the mount with their state; folders that are links are not entered."""
    folders = [folder]
    while folders:
        relative = folders.pop()
        with contextlib.suppress(OSError), os.scandir(f"{mount}/{relative}") as entries:
            for entry in entries:
                path = f"{relative}/{entry.name}"
                if not entry.is_dir():
                    yield path, _state(entry)
                elif not entry.is_symlink():
                    folders.append(path)
