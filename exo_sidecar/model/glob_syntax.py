"""The parts of a scope glob, read once: `glob` makes a pattern of them that matches, `glob_overlap` an automaton.

Sets of characters are ranges of code points, in order and apart; a slash is in none of them, because no wildcard but
`**` crosses one.
"""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]

SLASH: Final = ord("/")
_LAST: Final = 0x10FFFF
ANY: Final[Ranges] = ((1, SLASH - 1), (SLASH + 1, _LAST))
"""Every character that a name can hold."""
_PARTS: Final = re.compile(r"(?:\*\*/)+|\*\*|\[!?\]?[^\]]*\]|.", re.DOTALL)
_MAGIC: Final = re.compile(r"[*?\[{]")


class Part(NamedTuple):
    """One part of a glob."""

    kind: Literal["one", "many", "folders", "deep", "slash", "open", "or", "close"]
    """A character, any number of them in a segment, any number of folders, all the rest; and braces."""
    ranges: Ranges = ()
    """Of `one`: which characters."""


def parts(glob: str) -> tuple[Part, ...]:
    """Return the parts of a glob, without those that its being a whole subtree adds."""
    found = []
    inside = False
    for text in _PARTS.findall(glob.removesuffix("/")):
        inside = {"{": True, "}": False}.get(text, inside)
        found.append(_part(text, is_alternative=inside))
    return tuple(found)


def is_subtree(glob: str) -> bool:
    """Whether the glob means everything below what it names, too."""
    return glob.endswith("/") or not _MAGIC.search(glob)


def class_fault(glob: str) -> str | None:
    """Return what is wrong with a set of characters, None when nothing is."""
    for text in _PARTS.findall(glob):
        if text.startswith("[") and len(text) > 1:
            body = _class_body(text)
            if not body:
                return f"has the set {text} without a character"
            if any(first > last for first, last in _spans(body)):
                return f"has the range {text} that ends before it begins"
    return None


def meet(one: Ranges, other: Ranges) -> Ranges:
    """Return the characters that are in both sets."""
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(sorted((first, last) for first, last in pairs if first <= last))


def _part(text: str, *, is_alternative: bool) -> Part:
    if text.startswith("**/"):
        return Part("folders")
    if text.startswith("[") and len(text) > 1:
        return Part("one", _class_ranges(text))
    match text:
        case "**":
            return Part("deep")
        case "*":
            return Part("many")
        case "?":
            return Part("one", ANY)
        case "/":
            return Part("slash")
        case "{":
            return Part("open")
        case "}":
            return Part("close")
        case "," if is_alternative:
            return Part("or")
        case _:
            return Part("one", ((ord(text), ord(text)),))


def _class_body(text: str) -> str:
    return text[1:-1].removeprefix("!")


def _spans(body: str) -> list[tuple[int, int]]:
    """Return what a set of characters names, as it is written: `a-c` is a range, a dash at either end itself."""
    found = []
    place = 0
    while place < len(body):
        wide = place + 2 < len(body) and body[place + 1] == "-"
        found.append((ord(body[place]), ord(body[place + 2 if wide else place])))
        place += 3 if wide else 1
    return found


def _class_ranges(text: str) -> Ranges:
    spans = tuple(span for span in _spans(_class_body(text)) if span[0] <= span[1])
    return meet(ANY, _complement(spans) if text[1] == "!" else _joined(spans))


def _joined(spans: tuple[tuple[int, int], ...]) -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _complement(spans: tuple[tuple[int, int], ...]) -> Ranges:
    found = []
    following = 1
    for first, last in _joined(spans):
        if first > following:
            found.append((following, first - 1))
        following = max(following, last + 1)
    return (*found, (following, _LAST)) if following <= _LAST else tuple(found)
