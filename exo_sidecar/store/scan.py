"""Scan: which files of the mount are not as the branch has them, found without opening those that surely are.

Git's index of the mount remembers size, times and inode of each file as it was written; a file that still has them was
not touched. The answer may name a file too many, never one too few: whoever takes edits in compares contents.
"""

import os
from pathlib import Path
from typing import Final

from exo_sidecar.git import index as git_index
from exo_sidecar.git import tree
from exo_sidecar.git.index import Indexed, IndexUnusable
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.store import layout
from exo_sidecar.store.governed import Governed

_TICKETS: Final = "tickets"


def changed_paths(governed: Governed) -> set[str]:
    """Return the files of the branch that differ or are missing in the mount, and new documents and tickets in it."""
    index_path = governed.repository.mount_git_dir / "index"
    indexed, written_ns = _indexed(index_path)
    wanted = dict(tree.walk(governed.repository.objects, governed.tree_of(governed.tip())))
    mount = os.fspath(governed.mount)
    found = {
        path for path, entry in wanted.items() if not _is_untouched(mount, path, entry, indexed.get(path), written_ns)
    }
    return found | {path for path in _authored(governed.mount) if path not in wanted}


def _indexed(path: Path) -> tuple[dict[str, Indexed], int]:
    """Return git's index and when it was written; an index that cannot be read knows no file."""
    try:
        return git_index.read(path), path.stat().st_mtime_ns
    except (IndexUnusable, FileNotFoundError):
        return {}, 0


def _is_untouched(mount: str, path: str, entry: tree.Entry, known: Indexed | None, written_ns: int) -> bool:
    """Whether the file is surely as the branch has it; one of the index's own instant is in doubt, as for git."""
    if known is None or known.oid != entry.oid or known.mtime_ns >= written_ns:
        return False
    try:
        status = os.lstat(f"{mount}/{path}")
    except OSError:
        return False
    return git_index.is_unchanged(known, status)


def _authored(mount: Path) -> set[str]:
    """Return the documents and ticket files that lie in the mount; folders that are links are not entered."""
    found = {name for name in DOCUMENTS if os.path.lexists(mount / name)}
    for folder, _, names in os.walk(mount / _TICKETS):
        relative = Path(folder).relative_to(mount).as_posix()
        found |= {path for name in names if layout.parse_ticket(path := f"{relative}/{name}") is not None}
    return found
