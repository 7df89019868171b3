"""Durations as people write them: `90s`, `15m`, `4h`, `2d`."""

import re
from typing import Final

from exo_sidecar.model.errors import ValueInvalid

_FORM: Final = re.compile(r"(\d{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(text: str) -> int:
    """Return `text` in seconds; ValueInvalid for another form."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        message = f"{text[:40]!r} is not a duration"
        raise ValueInvalid(message, hint="write a number and a unit: 90s, 15m, 4h or 2d")
    return int(found[1]) * _SECONDS[found[2]]


def show(seconds: int) -> str:
    """Return `seconds` in the two largest units that are not zero, like `3h 20m`."""
    parts = []
    rest = max(0, seconds)
    for unit, size in reversed(_SECONDS.items()):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"
