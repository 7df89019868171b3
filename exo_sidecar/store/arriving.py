"""Arriving lines with their digests, as far as each names the one before it.

Behind the first that does not nothing of the chain can count, so nothing is computed for it: a ledger that somebody
filled with garbage costs little more than reading it.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from exo_sidecar.store import codec

_PREV: Final = b'"prev":"'
_DIGITS: Final = 64

Paired = deque[tuple[bytes, str]]


def paired(lines: Iterable[bytes]) -> Paired:
    """Return each line with its digest; an empty one from the first on that does not follow the line before it."""
    found: Paired = deque()
    before: str | None = None
    is_tail = False
    for line in lines:
        is_tail = is_tail or (before is not None and _prev(line) != before)
        before = "" if is_tail else codec.digest_of(line)
        found.append((line, before))
    return found


def _prev(line: bytes) -> str:
    """Return what an event names as the one before it; canonical JSON has the field last under this name."""
    start = line.rfind(_PREV) + len(_PREV)
    return line[start : start + _DIGITS].decode("ascii", "replace")
