"""Scan: which files of the mount are not as the branch has them, found without opening those that surely are.

Git's index of the mount remembers size, times and inode of each file as it was written; a file that still has them was
not touched. The answer may name a file too many, never one too few: whoever takes edits in compares contents.
"""

import os
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.git import flat, tree
from exo_sidecar.git import index as git_index
from exo_sidecar.git.index import Indexed, IndexUnusable
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.store import layout
from exo_sidecar.store.governed import Governed

_TICKETS: Final = "tickets"


def changed_paths(governed: Governed) -> set[str]:
    """Return the files of the branch that differ or are missing in the mount, and new documents and tickets in it."""
    index_path = governed.repository.mount_git_dir / "index"
    indexed, written_ns = _indexed(index_path)
    wanted = _wanted(governed, indexed)
    mount = os.fspath(governed.mount)
    found = {path for path, oid in wanted.items() if not _is_untouched(mount, path, oid, indexed.get(path), written_ns)}
    return found | _new(governed.mount, wanted)


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


def _is_untouched(mount: str, path: str, oid: Oid, known: Indexed | None, written_ns: int) -> bool:
    """Whether the file is surely as the branch has it; one of the index's own instant is in doubt, as for git."""
    if known is None or known.oid != oid or known.mtime_ns >= written_ns:
        return False
    try:
        status = os.lstat(f"{mount}/{path}")
    except OSError:
        return False
    return git_index.is_unchanged(known, status)


def _new(mount: Path, known: Container[str]) -> set[str]:
    """Return documents and ticket files of the mount that are not known; folders that are links are not entered."""
    found = {name for name in DOCUMENTS if name not in known and os.path.lexists(mount / name)}
    top = os.fspath(mount)
    for folder, _, names in os.walk(f"{top}/{_TICKETS}"):
        relative = folder[len(top) + 1 :]
        paths = (f"{relative}/{name}" for name in names)
        found |= {path for path in paths if path not in known and layout.parse_ticket(path) is not None}
    return found
