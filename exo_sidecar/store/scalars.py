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
    return distinct(unknown(writes, knows))


def unknown(writes: Sequence[Write[V]], knows: Knows) -> tuple[Write[V], ...]:
    """Return the writes that no other write knew, the higher epoch, else the later in fold order, first."""
    maximal: list[tuple[int, Write[V]]] = []
    for place in range(len(writes) - 1, -1, -1):
        write = writes[place]
        if not any(knows(later.entry.name, write.entry.name) for later in reversed(writes[place + 1 :])):
            maximal.append((place, write))
    maximal.sort(key=lambda found: (found[1].entry.epoch, found[0]), reverse=True)
    return tuple(write for _, write in maximal)


def distinct(writes: Sequence[Write[V]]) -> tuple[Write[V], ...]:
    """Return the first write of each value."""
    found: list[Write[V]] = []
    for write in writes:
        if all(write.value != other.value for other in found):
            found.append(write)
    return tuple(found)


def members(adds: Iterable[tuple[Entry, str]], removes: Sequence[tuple[Entry, str]], knows: Knows) -> tuple[str, ...]:
    """Return the members of a set, sorted: a remove takes away exactly the adds that it knew."""
    present = {
        member
        for entry, member in adds
        if not any(gone == member and knows(remover.name, entry.name) for remover, gone in removes)
    }
    return tuple(sorted(present))
