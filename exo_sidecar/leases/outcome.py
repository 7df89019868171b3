"""What became of a value that was sent: read from the ref's history, never from an error text (docs/leases.md)."""

from typing import Final, Literal, TypeAlias

from exo_sidecar.git import commits
from exo_sidecar.git.objects import ObjectDamaged, Objects
from exo_sidecar.git.oid import Oid

VALUES_MAX: Final = 10_000
"""How far back a lease's history is walked: years of heartbeats."""

Outcome: TypeAlias = Literal["landed", "lost", "unknown"]


def judge(objects: Objects, tip: Oid | None, sent: Oid, replaced: Oid | None) -> Outcome:
    """Return whether `sent`, which was to replace `replaced`, is the ref's value `tip` or was one before it.

    The ref's history leads from the tip to `replaced`, or to its root: `sent` stands on the way or never landed. A
    history that breaks off before tells nothing.
    """
    current = tip
    for _ in range(VALUES_MAX):
        if current == sent:
            return "landed"
        if current is None or current == replaced:
            return "lost"
        try:
            parents = commits.read(objects, current).parents
        except ObjectDamaged:
            return "unknown"
        current = parents[0] if parents else None
    return "unknown"
