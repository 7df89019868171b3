"""Globs of scopes: anchored, repo-relative (docs/guides/tickets.md).

`*` stays in one segment, `**` crosses, `?`, `[..]`, `{a,b}`; a trailing `/` or a plain folder name means the subtree.
"""

from typing import Final

from exo_sidecar.model.errors import ScopeInvalid

LENGTH_MAX: Final = 512
EVERYTHING: Final = "**"


def parse(text: str) -> str:
    """Return `text` as a scope glob; ScopeInvalid names what is wrong with it."""
    fault = _fault(text)
    if fault:
        message = f"scope {text[:80]!r} {fault}"
        raise ScopeInvalid(message)
    return text


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
    return _unbalanced(text)


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
