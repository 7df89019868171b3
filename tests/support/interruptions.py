"""Exceptions in the middle of a sync: before or after any of its steps, as if the process had ended there."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from exo_sidecar.git import checkout, fetch, objects, refs
from exo_sidecar.git import push as pushing
from exo_sidecar.store import canon, journal, publish, refresh
from exo_sidecar.store.index import Index
from exo_sidecar.sync import distance, merge, sync, verified

STEPS: Final[tuple[tuple[object, str], ...]] = (
    (sync, "look"),
    (fetch, "_store"),
    (distance, "note"),
    (sync, "merge"),
    (verified, "check"),
    (refresh, "to_tip"),
    (canon, "canonical"),
    (merge, "_move"),
    (publish, "plan"),
    (objects.Objects, "write"),
    (journal, "write"),
    (refs.Refs, "swap"),
    (publish, "finish"),
    (publish, "_place"),
    (checkout, "update_index"),
    (journal, "remove"),
    (Index, "set_tip"),
    (verified, "write"),
    (pushing, "push"),
)
"""Functions, where they are looked up when a sync calls them."""


class Interrupted(Exception):
    """The process was meant to end here."""


@contextlib.contextmanager
def interrupted_at(moment: int) -> Iterator[None]:
    """Raise Interrupted at one moment of a sync: each call of a step has one before it and one after it."""
    left = moment

    def tick() -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise Interrupted

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the step takes
            tick()
            done = real(*args, **named)
            tick()
            return done

        return call

    with pytest.MonkeyPatch.context() as patch:
        for place, name in STEPS:
            patch.setattr(place, name, watched(getattr(place, name)))
        yield
