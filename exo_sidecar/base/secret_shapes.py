"""Shapes of secrets: texts that look like a key somebody pasted, told by the marks that their issuers put in front.

Only what is unmistakable is listed: a scan that cries at digests and long words would be switched off. Standard library
only, and fast, because every line of the ledger is scanned before it is written.
"""

import re
from typing import Final, NamedTuple


class _Shape(NamedTuple):
    """One kind of secret: no text without one of the marks is searched for the pattern."""

    name: str
    marks: tuple[bytes, ...]
    pattern: bytes


class Found(NamedTuple):
    """What looks like a secret: which kind, and where it begins. Never the text itself."""

    shape: str
    start: int


_SHAPES: Final = (
    _Shape("an AWS access key", (b"AKIA", b"ASIA"), rb"A[KS]IA[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _Shape("a GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"gh[pousr]_[0-9A-Za-z]{36}"),
    _Shape("a GitHub token", (b"github_pat_",), rb"github_pat_[0-9A-Za-z_]{40}"),
    _Shape("a GitLab token", (b"glpat-", b"gldt-", b"glrt-", b"glptt-"), rb"gl(?:pat|dt|rt|ptt)-[0-9A-Za-z_-]{20}"),
    _Shape("a Slack token", (b"xox",), rb"xox[abeprs]-[0-9A-Za-z-]{10}"),
    _Shape("a Google API key", (b"AIza",), rb"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    _Shape("an API key", (b"sk-",), rb"sk-(?:proj|svcacct|admin|ant-[a-z]{2,8}[0-9]{2})-[0-9A-Za-z_-]{20}"),
    _Shape("an API key", (b"sk-",), rb"sk-[0-9A-Za-z]{40}"),
    _Shape("a Stripe key", (b"k_live_",), rb"[rs]k_live_[0-9A-Za-z]{16}"),
    _Shape("an npm token", (b"npm_",), rb"npm_[0-9A-Za-z]{36}"),
    _Shape("a PyPI token", (b"pypi-Ag",), rb"pypi-Ag[0-9A-Za-z_-]{50}"),
    _Shape("a private key", (b"PRIVATE KEY",), rb"-----BEGIN (?:[0-9A-Z]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
)
_NOT_INSIDE: Final = rb"(?<![0-9A-Za-z_])"
"""A mark in the middle of a word is none."""
_PRIVATE_REST: Final = rb"(?s:.*?-----END [0-9A-Z ]*PRIVATE KEY(?: BLOCK)?-----|.*)"
"""The key itself, which follows its first line; all of the text where its last line is missing."""


def may_hold(text: bytes) -> bool:
    """Whether a mark stands in `text`, escaped or not: no means that nothing in it looks like a secret."""
    return any(mark in text for shape in _SHAPES for mark in shape.marks)


def mask(text: bytes) -> bytes:
    """Return `text` with the name of its kind in the place of each thing that looks like a secret."""
    if not may_hold(text):
        return text
    for shape in _SHAPES:
        if any(mark in text for mark in shape.marks):
            rest = _PRIVATE_REST if b"PRIVATE KEY" in shape.marks else b""
            text = re.sub(_NOT_INSIDE + shape.pattern + rest, b"[" + shape.name.encode() + b"]", text)
    return text


def find(text: bytes) -> Found | None:
    """Return the first kind of secret that something in `text` looks like, None when nothing does."""
    for shape in _SHAPES:
        if any(mark in text for mark in shape.marks):
            found = re.search(_NOT_INSIDE + shape.pattern, text)
            if found is not None:
                return Found(shape.name, found.start())
    return None
