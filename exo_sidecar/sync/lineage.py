"""Lineage: which of two histories goes on that have no commit in common (docs/sync.md, "Compaction").

`sidecar-compact` begins a new history, whose first commit counts how many there were. Of two without a common
commit the one that was compacted more often goes on, and the other's commits are left behind; its events are not: they
are in the ledger. Two histories of the same age, such as governance born in two places, are both kept as parents.
"""

import re
from typing import Final

from exo_sidecar.git import commits, graph
from exo_sidecar.git.objects import ObjectMissing, Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import union
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.redaction import Redactions

_MARK: Final = re.compile(r"^Exo-Compaction: ([1-9][0-9]{0,8}) ([0-9a-f]{40})$", re.MULTILINE)
_TEXT_MAX: Final = 64 * 1024


def marked(text: str, generation: int, previous: Oid) -> str:
    """Return the message of a first commit that stands for the history up to `previous`."""
    return f"{text}\n\nExo-Compaction: {generation} {previous}\n"


def generation(objects: Objects, tip: Oid) -> int:
    """Return how often the history of `tip` was compacted."""
    return max((_generation_of(objects, root) for root in graph.roots(objects, tip)), default=0)


def heir(objects: Objects, one: Oid, other: Oid) -> Oid | None:
    """Return whose history goes on in the place of the other's; None when they share commits, or are of one age."""
    if graph.merge_bases(objects, one, other):
        return None
    ages = generation(objects, one), generation(objects, other)
    return None if ages[0] == ages[1] else one if ages[0] > ages[1] else other


def replaces(governed: Governed, ours: Oid, theirs: Oid, redactions: Redactions) -> bool:
    """Whether `theirs` may give way to `ours` on a remote: our history goes on in its place, and has all its events."""
    objects = governed.repository.objects
    if not objects.contains(theirs) or heir(objects, ours, theirs) != ours:
        return False
    return not union.unite(objects, governed.tree_of(ours), governed.tree_of(theirs), redactions)


def _generation_of(objects: Objects, root: Oid) -> int:
    try:
        message = commits.read(objects, root).message
    except ObjectMissing:  # a shallow clone has not its history's first commit
        return 0
    found = _MARK.findall(message[-_TEXT_MAX:])
    return int(found[-1][0]) if found else 0
