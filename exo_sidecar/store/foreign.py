"""Foreign tips: commits on the governance branch that exo did not write (docs/sync.md, "Plain git").

A commit made by hand in this clone is a person's edit and is taken in like one. Whatever else plain git brought (a
pull, a merge, a reset) is not: only its ledger lines count, and its files are computed anew.
"""

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

from exo_sidecar.git import commits
from exo_sidecar.git.oid import ZERO, Oid
from exo_sidecar.store.governed import Governed

_COMMITS_MAX: Final = 1000
_TAIL_BYTES: Final = 1 << 20
_BY_HAND: Final = ("commit:", "commit (amend):", "cherry-pick:", "revert:")
"""How git's log names what was made here with one parent; a merge, a pull, a reset and a rebase are none of them."""


class _Step(NamedTuple):
    """One line of git's log: HEAD went from `old` to `new`."""

    old: Oid
    new: Oid
    why: str


def below_commits_by_hand(governed: Governed, tip: Oid) -> Oid:
    """Return the commit from which plain commits made in this clone, amended ones too, led to `tip`.

    `tip` itself when none did: somebody else made it, or it came by something else than a commit.
    """
    current = tip
    for step in itertools.islice(_steps(governed), _COMMITS_MAX):
        if step.new != current or not step.why.startswith(_BY_HAND) or not _is_single(governed, current, step.old):
            break
        current = step.old
    return current


def _is_single(governed: Governed, commit: Oid, before: Oid) -> bool:
    """Whether the commit has one parent, and what was there before it is still here to compare it with."""
    objects = governed.repository.objects
    return before != ZERO and objects.contains(before) and len(commits.read(objects, commit).parents) == 1


def _steps(governed: Governed) -> Iterator[_Step]:
    """Yield what git's log of the mount's HEAD says, the latest first."""
    log = governed.repository.mount_git_dir / "logs" / "HEAD"
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in reversed(lines):
        ids, _, why = line.partition("\t")
        words = ids.split(" ")
        if len(words) > 1:
            yield _Step(Oid(words[0]), Oid(words[1]), why)
