"""Foreign tips: commits on the governance branch that exo did not write (docs/sync.md, "Plain git").

A commit made by hand in this clone is a person's edit and is taken in like one. Whatever else plain git brought (a
pull, a merge, a reset) is not: only its ledger lines count, and its files are computed anew.
"""

from typing import Final

from exo_sidecar.git import commits
from exo_sidecar.git.oid import Oid
from exo_sidecar.store.governed import Governed

_COMMITS_MAX: Final = 1000
_TAIL_BYTES: Final = 4096


def is_commit_by_hand(governed: Governed, known: Oid | None, tip: Oid) -> bool:
    """Whether plain commits made in this clone lead from the tip `known` to `tip`."""
    if known is None or not _made_here(governed, tip):
        return False
    current = tip
    for _ in range(_COMMITS_MAX):
        if current == known:
            return True
        parents = commits.read(governed.repository.objects, current).parents
        if len(parents) != 1:
            return False
        current = parents[0]
    return False


def _made_here(governed: Governed, tip: Oid) -> bool:
    """Whether git's log of the mount's HEAD says that the tip was committed here rather than pulled."""
    log = governed.repository.mount_git_dir / "logs" / "HEAD"
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2].decode(errors="replace")
    except FileNotFoundError:
        return False
    ids, _, message = last.partition("\t")
    return ids.split(" ")[1:2] == [tip] and message.startswith("commit") and not message.startswith("commit (merge)")
