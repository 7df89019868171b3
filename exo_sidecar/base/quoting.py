"""Foreign text as data: what other people and agents wrote, shown where it must not be taken for our own words.

A title, a note or a summary comes from whoever could write to the branch. Shown in a prompt or a page it keeps its
meaning and loses its power: no control or direction characters, no line of its own, no heading, fence or tag.
"""

import re
import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
_LINES_MAX: Final = 400
_HARMLESS: Final = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'"})
"""Angle brackets become quotation marks of the same look: readable, and no tag."""
_MARKDOWN: Final = str.maketrans({"<": "&lt;", ">": "&gt;", "`": "\\`"})
_MARKS: Final = "#>=-*+|~"
_HIDDEN: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Controls that JSON does not escape by itself, marks of direction, what has no width, and tags that nobody sees."""


def one_line(text: str, limit: int) -> str:
    """Return `text` as one harmless line of at most `limit` characters, marked where it was cut."""
    lines = (_visible(line).strip().lstrip("#>").strip() for line in text.splitlines())
    joined = " ".join(" ".join(lines).split()).translate(_HARMLESS)
    return joined if len(joined) <= limit else joined[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def quoted(text: str, limit: int) -> str:
    """Return a text of others as a quotation on one line, which nothing in it ends."""
    shown = one_line(text, limit).replace('"', "'")
    return f'"{shown}"'


def name(text: str, limit: int) -> str:
    """Return a name as it is; one with blanks in it reads like a sentence and is quoted like any text of others."""
    shown = quoted(text, limit)
    return shown if " " in shown else shown.strip('"')


def markdown(text: str) -> str:
    """Return `text` with its lines kept, for a Markdown page: nothing in it starts a heading, fence, list or tag."""
    lines = [_visible(line).rstrip().translate(_MARKDOWN) for line in text.splitlines()[:_LINES_MAX]]
    return "\n".join(f"\\{line.lstrip()}" if line.lstrip()[:1] in set(_MARKS) else line for line in lines).strip()


def plain_line(text: str) -> str:
    """Return a message of ours that quotes others as one line without characters that steer or hide."""
    return " ".join(_visible(text).split())


def visible_json(text: str) -> str:
    """Return JSON text of the same value in which characters that hide or turn the direction are escaped."""
    return _HIDDEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def _visible(text: str) -> str:
    """Return `text` without characters that steer rather than show: controls, directions, surrogates, private use."""
    return "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
