"""Edited files: those of the mount that are not as the branch has them, found and kept aside.

What becomes of them is decided in `store.hand_edits`.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import files, quoting
from exo_sidecar.git.objects import object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import journal, layout
from exo_sidecar.store.folders import Folders
from exo_sidecar.store.governed import Governed

_EDIT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Far above what is taken in, so that whoever wrote too much is told."""
_LOOKS_MAX: Final = 20
_ODD: Final = {"folder": stat.S_ISDIR, "pipe": stat.S_ISFIFO, "socket": stat.S_ISSOCK}
_TARGET_SHOWN: Final = 100


class Edit(NamedTuple):
    """A file of the mount that is not as the branch has it."""

    path: str
    data: bytes
    oid: Oid
    before: bytes | None = None
    """What the file held that was edited, where the ledger had gone on without it."""
    odd: str | None = None
    """What stands there where a plain file belongs; `data` says so, too, and nothing of it is taken in."""


def differing(governed: Governed, root: Oid | None, paths: Iterable[str]) -> list[Edit]:
    """Return which of `paths` differ in the mount from the tree; a file that was deleted there is no edit."""
    found = []
    folders = Folders(governed.repository.objects, root)
    for path in sorted(set(paths)):
        odd = None
        try:
            data = files.read_beneath(governed.mount, path, limit_bytes=_EDIT_BYTES_MAX)
        except (files.NotRegularError, files.TooLargeError):
            # Whoever reads the mount without us would follow a link.
            odd, data = _odd(governed.mount / path)
        if data is None:
            continue
        entry = folders.entry(path)
        oid = object_id("blob", data)
        if odd is not None or entry is None or entry.oid != oid:
            found.append(Edit(path, data, oid, odd=odd))
    return found


def standing(governed: Governed, paths: Iterable[str]) -> list[Edit]:
    """Return which of `paths` were edited, asked without the clone's lock.

    What a transaction under way is writing, or one that was killed has left to be written, is nobody's edit.
    """
    wanted = tuple(paths)
    found: list[Edit] = []
    for _ in range(_LOOKS_MAX):
        tip, pending = governed.tip(), _pending(governed.folder)
        written = pending.files if pending else {}
        differ = differing(governed, governed.tree_of(tip), wanted)
        found = [each for each in differ if each.oid not in written.get(each.path, ())]
        if not found or (governed.tip() == tip and _pending(governed.folder) == pending):
            break
    return found


def keep_aside(governed: Governed, edit: Edit) -> str:
    """Copy the edited file to `cache/rejected/`, or move there what is no plain file; return where it is."""
    if edit.odd is not None:
        relative = f"{layout.REJECTED}/{edit.path.replace('/', '__')}.{os.urandom(4).hex()}"
        (governed.mount / relative).parent.mkdir(parents=True, exist_ok=True)
        (governed.mount / edit.path).rename(governed.mount / relative)
        return relative
    relative = f"{layout.REJECTED}/{edit.path.replace('/', '__')}.{edit.oid[:8]}"
    files.write_beneath(governed.mount, relative, edit.data)
    return relative


def _pending(folder: Path) -> journal.Pending | None:
    try:
        return journal.read(folder)
    except journal.JournalDamaged:
        return None  # whoever writes is told; here it excuses nothing


def _odd(place: Path) -> tuple[str | None, bytes | None]:
    """Return what is there where no plain file is that can be read, for people and in bytes; None: nothing, by now."""
    try:
        mode = place.lstat().st_mode
        target = os.fsencode(place.readlink()) if stat.S_ISLNK(mode) else None
    except OSError:
        return None, None
    if target is not None:
        shown = quoting.one_line(target.decode(errors="backslashreplace"), _TARGET_SHOWN)
        return f"link to {shown}", b"link to " + target
    large = f"file of more than {_EDIT_BYTES_MAX} bytes, or one that cannot be opened"
    odd = large if stat.S_ISREG(mode) else next((name for name, fits in _ODD.items() if fits(mode)), "device")
    return odd, odd.encode()
