"""Globs by the shortest definition: braces written out, segments matched one by one. Slow, and nothing is shared."""

from collections.abc import Iterator
from itertools import product


def matches(glob: str, path: str) -> bool:
    """Whether the glob means the path."""
    return any(_matches(each, path, whole=_is_whole(glob)) for each in _written_out(glob.rstrip("/")))


def paths(letters: str, depth: int, length: int) -> Iterator[str]:
    """Yield every path of these letters: so many folders at most, names of so many letters at most."""
    names = ["".join(each) for size in range(1, length + 1) for each in product(letters, repeat=size)]
    legal = [name for name in names if name not in {".", ".."}]
    for levels in range(1, depth + 1):
        yield from ("/".join(each) for each in product(legal, repeat=levels))


def _is_whole(glob: str) -> bool:
    return glob.endswith("/") or not set(glob) & set("*?[{")


def _written_out(glob: str) -> list[str]:
    """Return the globs that a pair of braces stands for; a brace in a set is none."""
    place, opened = 0, -1
    while place < len(glob):
        if glob[place] == "[":
            place = glob.index("]", place + 1)
        elif glob[place] == "{":
            opened = place
        elif glob[place] == "}":
            choices = glob[opened + 1 : place].split(",")
            return [each for choice in choices for each in _written_out(glob[:opened] + choice + glob[place + 1 :])]
        place += 1
    return [glob]


def _matches(glob: str, path: str, *, whole: bool) -> bool:
    parts, names = glob.split("/"), path.split("/")
    if whole:
        return any(_rows(parts, names[:size]) for size in range(1, len(names) + 1))
    return _rows(parts, names)


def _rows(parts: list[str], names: list[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        if len(parts) == 1:
            return bool(names)
        return any(_rows(parts[1:], names[skipped:]) for skipped in range(len(names) + 1))
    return bool(names) and _name(parts[0], names[0]) and _rows(parts[1:], names[1:])


def _name(part: str, name: str) -> bool:
    if not part:
        return not name
    if part[0] == "*":
        return any(_name(part[1:], name[skipped:]) for skipped in range(len(name) + 1))
    if not name:
        return False
    if part[0] == "[":
        end = part.index("]", 1)
        return _in_set(part[1:end], name[0]) and _name(part[end + 1 :], name[1:])
    return part[0] in {"?", name[0]} and _name(part[1:], name[1:])


def _in_set(body: str, char: str) -> bool:
    negated = body.startswith("!")
    rest = body[1:] if negated else body
    found = False
    while rest:
        if len(rest) > 2 and rest[1] == "-":
            found, rest = found or rest[0] <= char <= rest[2], rest[3:]
        else:
            found, rest = found or rest[0] == char, rest[1:]
    return found is not negated
