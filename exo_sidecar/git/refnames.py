"""Which names git allows for refs (git-check-ref-format), so that no name leaves the refs folder."""

import re
from typing import Final

SAVED: Final = "refs/exo/saved/"
"""Below it are commits that hold what was kept before something was done to it."""
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_SPECIAL: Final = re.compile(r"[A-Z][A-Z_]*")
"""HEAD, FETCH_HEAD ...: the names that stand beside `refs/`."""
_LENGTH_MAX: Final = 1024


def is_valid(name: str) -> bool:
    """Whether `name` is a full ref name (`refs/...`) or one of the special ones (`HEAD`)."""
    if _SPECIAL.fullmatch(name):
        return True
    parts = name.split("/")
    return (
        len(name) <= _LENGTH_MAX
        and len(parts) > 1
        and parts[0] == "refs"
        and not _FORBIDDEN.search(name)
        and not name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )


def check(name: str) -> None:
    """Raise ValueError unless `name` is valid."""
    if not is_valid(name):
        message = f"{name!r} is no ref name that git allows"
        raise ValueError(message)
