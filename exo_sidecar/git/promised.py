"""Partial clones: git keeps commits whose files, or folders too, are still at the remote that promised them.

Elsewhere a commit that is here proves that all it names is here. In a partial clone that holds of what exo fetched or
wrote; what plain git fetched has to be looked at, and may have to be asked for again.
"""

from typing import Final

from exo_sidecar.git import commits, tree
from exo_sidecar.git.objects import ObjectMissing
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository

_TRUE: Final = frozenset({"true", "yes", "on", "1"})


def is_partial(repository: Repository) -> bool:
    """Whether a remote of this clone promises objects that are not here."""
    settings = repository.settings
    return settings.get(("extensions",), "partialClone") is not None or any(
        (settings.get(("remote", name), "promisor") or "").lower() in _TRUE for name in settings.remotes()
    )


def is_whole(repository: Repository, tip: Oid, ours: Oid | None) -> bool:
    """Whether commit `tip` is here with all its files; `ours`, a whole commit, spares looking at most of them."""
    objects = repository.objects
    if not objects.contains(tip):
        return False
    if not is_partial(repository):
        return True
    try:
        old, new = (commits.tree_of(objects, commit) for commit in (ours, tip))
        files = (change.new for change in tree.diff(objects, old, new) if change.new is not None)
        return all(objects.contains(file.oid) for file in files if file.mode == tree.FILE_MODE)
    except ObjectMissing:
        return False
