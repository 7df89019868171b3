"""The mount's files and index, made from a tree of the branch.

Written by us, not by git: user filters, line-ending settings and sparse rules of the application must not touch the
records. A tree may come from another clone, so names and modes are checked before the first file is written.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.base import files
from exo_sidecar.git import index, tree
from exo_sidecar.git.index import IndexUnusable, Staged
from exo_sidecar.git.objects import OBJECT_LIMIT_BYTES, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import Integrity

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|\.gitignore|\.gitattributes")


class TreeRefused(Integrity):
    """A tree holds something that never belongs on the governance branch (a link, a strange name, two equal names)."""

    code = "TREE_REFUSED"
    advice = "git log on the governance branch shows who added it; nothing of it was written"


def materialise(objects: Objects, tree_oid: Oid, mount: Path, git_dir_of_mount: Path) -> int:
    """Write every file of the tree into `mount`, build the index; return how many files were written.

    Files with equal content are left alone, and files that the tree does not have are, too.

    Raises:
        TreeRefused: before anything is written.
        LockBusy: somebody holds the index's lock; the files are written.
    """
    wanted = dict(tree.walk(objects, tree_oid))
    check_names(wanted)
    written = 0
    staged = {}
    for path, entry in wanted.items():
        if content_id(mount, path) != entry.oid:
            files.write_beneath(mount, path, objects.read(entry.oid).data, durable=False)
            written += 1
        staged[path] = Staged(entry.oid, (mount / path).lstat())
    index.build(git_dir_of_mount / "index", staged.items(), _temporary(git_dir_of_mount))
    return written


def update_index(
    objects: Objects,
    tree_oid: Oid,
    mount: Path,
    changes: Mapping[str, Staged | None],
    temporary: Path,
) -> None:
    """Patch the mount's index to `tree_oid` by `changes`; build it anew where it is absent or cannot be patched.

    `temporary` lies in the mount's git directory and is the lock's proof (git.lockfile). LockBusy.
    """
    path = temporary.with_name("index")
    if path.exists():
        try:
            index.patch(path, changes, temporary)
        except IndexUnusable:
            pass
        else:
            return
    rebuild_index(objects, tree_oid, mount, temporary)


def rebuild_index(objects: Objects, tree_oid: Oid, mount: Path, temporary: Path) -> None:
    """Build the index of `tree_oid` anew; git sees an edited or missing file as what it is. LockBusy."""
    entries = []
    for path, entry in tree.walk(objects, tree_oid):
        is_same = content_id(mount, path) == entry.oid
        entries.append((path, Staged(entry.oid, (mount / path).lstat() if is_same else None)))
    index.build(temporary.with_name("index"), entries, temporary)


def content_id(mount: Path, path: str) -> Oid | None:
    """Return the blob id of the file's present content, None when there is no plain file of a size we read."""
    try:
        data = files.read_beneath(mount, path, limit_bytes=OBJECT_LIMIT_BYTES)
    except (files.NotRegularError, files.TooLargeError):
        return None
    return None if data is None else object_id("blob", data)


def check_names(entries: Mapping[str, tree.Entry]) -> None:
    """Refuse what must not reach the disk: modes other than a plain file's, names outside of the allowed ones."""
    folded: dict[str, str] = {}
    for path, entry in entries.items():
        if entry.mode != tree.FILE_MODE:
            raise _refused(path, f"it has the mode {entry.mode:o}")
        if not all(_NAME.fullmatch(part) for part in path.split("/")):
            raise _refused(path, "its name has other characters than letters, digits, dot, dash and underscore")
        other = folded.setdefault(path.casefold(), path)
        if other != path:
            raise _refused(path, f"it differs from {other} in capitals only")


def _refused(path: str, reason: str) -> TreeRefused:
    return TreeRefused(f"the path {path!r} of the governance branch is refused: {reason}", path=path)


def _temporary(git_dir: Path) -> Path:
    return git_dir / f"exo-index-{os.urandom(8).hex()}.tmp"
