"""Findings: what a reader should know, and that stops nobody."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One observation about one subject."""

    code: str
    severity: Severity = "warning"
    subject: str
    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
