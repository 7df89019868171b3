"""Globs of scopes: anchored, repo-relative (docs/guides/tickets.md).

`*` stays in one segment, `**` crosses, `?`, `[..]`, `{a,b}`; a trailing `/` or a plain folder name means the subtree.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from exo_sidecar.model import glob_overlap
from exo_sidecar.model.errors import ScopeInvalid
from exo_sidecar.model.glob_syntax import ANY, Part, Ranges, class_fault, is_subtree, parts

LENGTH_MAX: Final = 512
EVERYTHING: Final = "**"
_WILD_MAX: Final = 3
"""Wildcards of one pattern: each multiplies how long a path can take that does not match."""


def parse(text: str) -> str:
    """Return `text` as a scope glob; ScopeInvalid names what is wrong with it."""
    fault = _fault(text)
    if fault:
        message = f"scope {text[:80]!r} {fault}"
        raise ScopeInvalid(message)
    return text


def any_matches(globs: Iterable[str], path: str) -> bool:
    """Whether one of the globs, each as `parse` took it, matches the repo-relative path."""
    return any(_matcher(glob)(path) for glob in globs)


def matching(globs: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells of many paths whether one of the globs matches them; the globs are read once."""
    matchers = [_matcher(glob) for glob in globs]
    return lambda path: any(each(path) for each in matchers)


def common(several: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return globs that match nothing but what each of `several` matches: those that all hold, or hold a wider one of.

    Wider is what plainly is: `**`, and a folder of what lies in it. What cannot be told so is left out.
    """
    if len(several) == 1:
        return several[0]
    every = sorted({glob for globs in several for glob in globs})
    return tuple(glob for glob in every if all(any(_covers(other, glob) for other in globs) for globs in several))


def _covers(wide: str, glob: str) -> bool:
    """Whether `wide` plainly matches whatever `glob` does."""
    if wide in {glob, EVERYTHING}:
        return True
    folder = wide.removesuffix("**") if wide.endswith("/**") else f"{wide.removesuffix('/')}/"
    is_plain = not re.search(r"[*?\[{,]", folder)
    return is_plain and "," not in glob and glob.startswith(folder) and len(glob) > len(folder)


def _matcher(glob: str) -> Callable[[str], object]:
    """Return what tells whether a path matches: a pattern, or the automaton where a pattern could take for ever."""
    found = parts(glob)
    if sum(part.kind in {"many", "folders"} for part in found) > _WILD_MAX:
        return partial(glob_overlap.accepts, glob_overlap.machine(glob))
    body = "".join(_translated(part) for part in found)
    return re.compile(f"{body}(?:/.*)?" if is_subtree(glob) else body, re.DOTALL).fullmatch


def _translated(part: Part) -> str:
    """Return a part as a piece of a regular expression."""
    match part.kind:
        case "one":
            return _set(part.ranges)
        case "many":
            return "[^/]*"
        case "folders":
            return "(?:[^/]+/)*"
        case "deep":
            return ".*"
        case "slash":
            return "/"
        case "open":
            return "(?:"
        case "or":
            return "|"
        case "close":
            return ")"


def _set(ranges: Ranges) -> str:
    """Return a set of characters; an empty one matches nothing."""
    if ranges == ANY:
        return "[^/]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    body = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
    return f"[{body}]" if body else "(?!)"


def _fault(text: str) -> str | None:
    """Return what is wrong with the glob, None when nothing is."""
    if not text or not text.strip():
        return "is empty"
    if len(text) > LENGTH_MAX:
        return f"is longer than {LENGTH_MAX} characters"
    if not text.isprintable() or "\\" in text:
        return "holds a character that no path of a repository needs"
    if text.startswith(("/", "~")):
        return "is absolute; scopes start at the repository's root"
    segments = text.removesuffix("/").split("/")
    if any(part in {"", ".", ".."} for part in segments):
        return "has an empty, '.' or '..' segment"
    if any("**" in part and part != EVERYTHING for part in segments):
        return "uses ** inside a segment; it stands alone between slashes"
    return _unbalanced(text) or class_fault(text)


def _unbalanced(text: str) -> str | None:
    for opening, closing in ("[]", "{}"):
        depth = 0
        for character in text:
            depth += (character == opening) - (character == closing)
            if depth not in {0, 1}:
                return f"nests or closes {opening}{closing} without opening it"
        if depth:
            return f"opens {opening} without closing it"
    return None
