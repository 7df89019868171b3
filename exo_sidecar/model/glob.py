"""Globs of scopes: anchored, repo-relative (docs/guides/tickets.md).

`*` stays in one segment, `**` crosses, `?`, `[..]`, `{a,b}`; a trailing `/` or a plain folder name means the subtree.
"""

import re
from collections.abc import Iterable, Sequence
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


def any_matches(globs: Iterable[str], path: str) -> bool:
    """Whether one of the globs, each as `parse` took it, matches the repo-relative path."""
    return any(re.fullmatch(_translated(glob), path, re.DOTALL) for glob in globs)


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


def _translated(glob: str) -> str:
    """Return the glob as a regular expression."""
    tokens = re.compile(r"\*\*/|\*\*|\[!?\]?[^\]]*\]|.", re.DOTALL).findall(glob.removesuffix("/"))
    body = "".join(_token(token) for token in tokens)
    is_subtree = glob.endswith("/") or not re.search(r"[*?\[{]", glob)
    return f"{body}(?:/.*)?" if is_subtree else body


def _token(token: str) -> str:
    fixed = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    if token.startswith("[") and len(token) > 1:
        body = token[1:-1].removeprefix("!").replace("\\", "").replace("[", "\\[").replace("^", "\\^")
        return f"(?!/)[{'^' if token[1] == '!' else ''}{body}]"
    return fixed.get(token) or re.escape(token)


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
