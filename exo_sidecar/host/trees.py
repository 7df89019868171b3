"""Trees: what exactly stands in a worktree, so that a result can say what it holds for."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from exo_sidecar.base import canonical
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.git.locate import Place
from exo_sidecar.host import checkout
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.model.check_run import Tree

DIRTY_MAX: Final = 20_000
"""More changed files than a person could have meant."""
_READ_BYTES: Final = 1 << 20


def present(place: Place) -> Tree:
    """Return what stands in the worktree of `place` now; CheckoutUnreadable, GitRequired."""
    if place.worktree is None:
        message = f"{place.start} is in no checkout"
        raise CheckoutUnreadable(message)
    paths = checkout.openable(place.worktree)
    if len(paths) > DIRTY_MAX:
        message = f"{len(paths)} files are changed and not committed, which is more than {DIRTY_MAX}"
        raise CheckoutUnreadable(message, hint="commit them, or let .gitignore name what does not belong here")
    commit = checkout.head(place).commit
    if not paths:
        return Tree(commit, None)
    found: dict[str, canonical.Json] = {_named(path): _content(place.worktree / path) for path in paths}
    return Tree(commit, sha256_hex(canonical.dumps(found)))


def _named(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _content(path: Path) -> str:
    """Return what tells a file from another: its kind and the digest of its content, empty for one that is gone."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return f"link {sha256_hex(os.fsencode(path.readlink()))}"
        if not stat.S_ISREG(mode):
            return "other"
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    digest = hashlib.sha256()
    with os.fdopen(handle, "rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return f"{'program' if mode & stat.S_IXUSR else 'file'} {digest.hexdigest()}"
