"""Texts that people give: trimmed, NFC, without characters that a terminal obeys (docs/format.md, "Events")."""

import unicodedata
from typing import Final

from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.opening import Work
from exo_sidecar.model.ticket import TEXT_MAX, TITLE_MAX

WORD_MAX: Final = 64
"""Longest type or label: they head columns."""
MEMBER_MAX: Final = 1024
"""Longest link or check id, as an event holds it."""
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of a broken encoding, line and paragraph separators."""


def title(name: str, text: str) -> str:
    """Return one line of at most `TITLE_MAX` characters; ValueInvalid when it is blank."""
    return line(name, text, longest=TITLE_MAX)


def line(name: str, text: str, *, longest: int) -> str:
    """Return `text` as one line that is not blank; ValueInvalid names the parameter `name`."""
    clean = _clean(name, text, longest=longest, breaks="")
    if not clean:
        raise _invalid(name, "is empty", "give it a text")
    return clean


def passage(name: str, text: str, *, needed: bool = False, longest: int = TEXT_MAX) -> str:
    """Return `text` as several lines of at most `longest` characters together; it may be empty unless `needed`."""
    clean = _clean(name, text.replace("\r\n", "\n"), longest=longest, breaks="\n\t")
    if needed and not clean:
        raise _invalid(name, "is empty", "give it a text")
    return clean


def path(name: str, text: str) -> str:
    """Return a path relative to the repository's root; ValueInvalid when it is absolute or leaves the repository."""
    clean = line(name, text, longest=MEMBER_MAX).removeprefix("./").rstrip("/")
    if clean.startswith(("/", "~")) or not clean or any(part in {"", ".", ".."} for part in clean.split("/")):
        raise _invalid(
            name, f"{clean[:80]!r} is not a path inside the repository", "name it from the repository's root"
        )
    return clean


def work(asked: Work) -> Work:
    """Return what a session says about itself when it starts, its words checked; ValueInvalid."""
    return asked._replace(
        role=line("role", asked.role, longest=WORD_MAX),
        vendor=line("vendor", asked.vendor, longest=WORD_MAX),
        model=line("model", asked.model, longest=WORD_MAX),
        task=passage("task", asked.task) or None if asked.task else None,
        topic=line("topic", asked.topic, longest=WORD_MAX),
    )


def _clean(name: str, text: str, *, longest: int, breaks: str) -> str:
    stripped = text.strip()
    for character in stripped:
        if character not in breaks and unicodedata.category(character) in _UNFIT:
            raise _invalid(name, f"holds the character U+{ord(character):04X}", "leave control characters out")
    clean = unicodedata.normalize("NFC", stripped)
    if len(clean) > longest:
        raise _invalid(name, f"has {len(clean)} characters; at most {longest} are allowed", "shorten it")
    return clean


def _invalid(name: str, what: str, hint: str) -> ValueInvalid:
    return ValueInvalid(f"{name} {what}", hint=hint, parameter=name, field=name)
