"""The words of a command line that name an operation: flat names, two words, old names."""

from collections.abc import Sequence
from typing import Final

NOUNS: Final = frozenset({"hook", "intent", "lease", "session", "sidecar", "ticket", "tool", "worktree"})
"""Nouns whose verb may stand apart: `exo session start`."""


def named(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the operation's name and its own words; the first of `words` is no option."""
    first, rest = words[0], tuple(words[1:])
    if first in NOUNS and rest and not rest[0].startswith("-"):
        return f"{first}-{rest[0]}", rest[1:]
    if first == "claim":
        return "next", _claim(rest)
    return first, rest


def _claim(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of `next` for `exo claim ID --agent NAME`."""
    found: list[str] = []
    given = iter(words)
    for word in given:
        flag, equals, value = word.partition("=")
        if flag == "--agent":
            found += ["--owner", f"agent:{value if equals else next(given, '')}"]
        elif not word.startswith("-") and not found:
            found += ["--ticket-id", word]
        else:
            found.append(word)
    return tuple(found)
