"""Scalar fields and sets: how concurrent writes fold (docs/format.md, "The fold"). Pure.

Both expect entries in fold order: (depth, writer, seq). Only a deeper event can know a shallower one, so looking back
from the last is enough.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from exo_sidecar.store.entry import Entry, Knows

V = TypeVar("V")


class Write(NamedTuple, Generic[V]):
    """One write of a field."""

    entry: Entry
    value: V


def standing(writes: Sequence[Write[V]], knows: Knows) -> tuple[Write[V], ...]:
    """Return the writes that no other write knew, one per value, the one that stands first.

    One write: no conflict. Several: a conflict value; the higher epoch, else the later in fold order, comes first.
    """
    maximal: list[tuple[int, Write[V]]] = []
    for place in range(len(writes) - 1, -1, -1):
        write = writes[place]
        if not any(knows(later.entry.name, write.entry.name) for later in reversed(writes[place + 1 :])):
            maximal.append((place, write))
    maximal.sort(key=lambda found: (found[1].entry.epoch, found[0]), reverse=True)
    distinct: list[Write[V]] = []
    for _, write in maximal:
        if all(write.value != other.value for other in distinct):
            distinct.append(write)
    return tuple(distinct)


def members(adds: Iterable[tuple[Entry, str]], removes: Sequence[tuple[Entry, str]], knows: Knows) -> tuple[str, ...]:
    """Return the members of a set, sorted: a remove takes away exactly the adds that it knew."""
    present = {
        member
        for entry, member in adds
        if not any(gone == member and knows(remover.name, entry.name) for remover, gone in removes)
    }
    return tuple(sorted(present))
