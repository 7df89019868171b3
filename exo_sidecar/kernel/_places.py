"""Paths against patterns: under which names a place is known, and whether a pattern means it.

A pattern from the checkout's root is held against the name there, one with `~/` against the name in the home folder,
one with `/` against the whole path. Both are compared in one unicode form, and without case where the file system
knows none: two spellings of one file are one file.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from exo_sidecar.model import glob, glob_overlap
from exo_sidecar.model.action import PathFacts, Place
from exo_sidecar.model.glob import EVERYTHING

_SPECIAL = re.compile(r"[*?\[{}]")


def meets(pattern: str, place: Place, facts: PathFacts) -> bool:
    """Whether the pattern matches the place."""
    found = _named(pattern, place)
    return found is not None and glob.any_matches([_folded(found[0], facts)], _folded(found[1], facts))


def first(patterns: Iterable[str], place: Place, facts: PathFacts) -> str | None:
    """Return the first pattern that matches the place, None when none does."""
    return next((pattern for pattern in patterns if meets(pattern, place, facts)), None)


def first_below(patterns: Iterable[str], place: Place, facts: PathFacts) -> str | None:
    """Return the first pattern that matches the place or anything that could lie below it."""
    return next((pattern for pattern in patterns if _meets_below(pattern, place, facts)), None)


def all_below(patterns: Iterable[str], place: Place, facts: PathFacts) -> bool:
    """Whether patterns from the checkout's root match all that could lie below the place."""
    if place.checkout is None:
        return False
    wide = [_folded(pattern, facts) for pattern in patterns]
    below = f"{_literal(_folded(place.checkout, facts))}/{EVERYTHING}" if place.checkout else EVERYTHING
    return glob_overlap.covers(wide, below)


def both(facts: PathFacts) -> Iterator[Place]:
    """Yield the places of a path: as it is written, and where its links lead when that is another."""
    yield facts.written
    if facts.resolved != facts.written:
        yield facts.resolved


def _meets_below(pattern: str, place: Place, facts: PathFacts) -> bool:
    found = _named(pattern, place)
    if found is None:
        return False
    wanted, path = (_folded(text, facts) for text in found)
    if not path:
        return True
    return glob.any_matches([wanted], path) or glob_overlap.overlap(wanted, f"{_literal(path)}/{EVERYTHING}")


def _named(pattern: str, place: Place) -> tuple[str, str] | None:
    """Return pattern and path as they are held against each other, None when the place has no such name."""
    if pattern.startswith("~/"):
        return None if place.home is None else (pattern[2:], place.home)
    if pattern.startswith("/"):
        return pattern[1:], place.root
    return None if place.checkout is None else (pattern, place.checkout)


def _folded(text: str, facts: PathFacts) -> str:
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", composed.casefold()) if facts.folds_case else composed


def _literal(path: str) -> str:
    """Return a glob that means this path alone."""
    return _SPECIAL.sub(lambda found: f"[{found[0]}]", path)
