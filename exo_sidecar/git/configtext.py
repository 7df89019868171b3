"""Git configuration text, read with the standard library alone, for what must be known before anything else is loaded.

Includes are not followed and the environment is not asked: whoever wants the values in force uses `git.settings`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_ESCAPES: Final = {"n": "\n", "t": "\t", "b": "\b", '"': '"', "\\": "\\"}
_LIMIT_BYTES: Final = 4 << 20
"""A configuration with ten thousand remotes is smaller; a device or a mistake is not read to its end."""


class Setting(NamedTuple):
    """One `key = value`; section and key in lower case, the subsection as written."""

    section: str
    subsection: str | None
    key: str
    value: str


def read(path: Path) -> tuple[Setting, ...]:
    """Return the settings in the file at `path`, none when it is absent or unreadable for us (as git does)."""
    try:
        with path.open("rb") as file:
            return tuple(parse(file.read(_LIMIT_BYTES).decode(errors="surrogateescape")))
    except OSError:
        return ()


def parse(text: str) -> Iterator[Setting]:
    """Yield the settings in `text` in order; a line that is none of git's forms is passed over."""
    section, subsection = "", None
    for line in logical_lines(text):
        if header := header_of(line):
            section, subsection, line = header  # noqa: PLW2901  a key may follow the header on the same line
        key, equals, value = line.partition("=")
        name = key.strip().lower()
        if not equals:
            name = _bare(name)
        if name and name[0].isalpha() and section:
            yield Setting(section, subsection, name, unquote(value) if equals else "true")


def logical_lines(text: str) -> Iterator[str]:
    """Yield the lines of `text`, joined where one ends in a backslash, without leading blanks."""
    pending = ""
    for line in text.splitlines():
        joined = pending + line
        trailing = len(joined) - len(joined.rstrip("\\"))
        if trailing % 2 == 1 and not joined.lstrip().startswith(("#", ";")):
            pending = joined[:-1]
            continue
        pending = ""
        yield joined.strip()
    if pending:
        yield pending.strip()


def header_of(line: str) -> tuple[str, str | None, str] | None:
    """Return section, subsection and the rest of the line when `line` opens a section."""
    if not line.startswith("["):
        return None
    inside = line[1:]
    name, quote, following = inside.partition('"')
    if not quote or "]" in name:
        name, _, rest = inside.partition("]")
        section, dot, old_style = name.strip().partition(".")
        return section.lower(), old_style.lower() if dot else None, rest.strip()
    subsection, position = "", 0
    while position < len(following) and following[position] != '"':
        position += following[position] == "\\"
        subsection += following[position : position + 1]
        position += 1
    return name.strip().lower(), subsection, following[position + 1 :].partition("]")[2].strip()


def unquote(text: str) -> str:
    """Return the value that git reads from `text`, the part of a line after the equals sign."""
    value, quoted, position, kept = "", False, 0, 0
    text = text.strip()
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\\":
            value += _ESCAPES.get(text[position : position + 1], text[position : position + 1])
            position += 1
            kept = len(value)
        elif character == '"':
            quoted = not quoted
            kept = len(value)
        elif character in "#;" and not quoted:
            break
        else:
            value += character
            kept = len(value) if quoted or not character.isspace() else kept
    return value[:kept]


def _bare(name: str) -> str:
    """Return `name` without a trailing comment; a key without a value means true."""
    return name.partition("#")[0].partition(";")[0].strip()
