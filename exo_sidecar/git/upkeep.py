"""Upkeep: loose objects are packed in the background when there are many, by C git, and nothing is ever deleted.

Every commit on the governance branch leaves about ten loose objects. The check is git's own: one of the 256 folders is
counted and stands for all. What is packed stays: lease values and other worktrees' work may be named by nothing here,
so nothing is pruned; that is left to the repository's owner, and to git with its two weeks of grace.
"""

import os
import time
from pathlib import Path
from typing import Final

from exo_sidecar.git import cgit
from exo_sidecar.git.settings import GitSettings

LOOSE_MAX: Final = 6700
"""What git itself tolerates (`gc.auto`)."""
PAUSE_SECONDS: Final = 600.0
"""A run that was killed, or that cannot pack what is there, is not started anew by every call."""
_FOLDERS: Final = 256
_COUNTED: Final = "17"
_MARK: Final = "exo/packed"
_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_OFF: Final = frozenset({"false", "no", "off", "0"})


def start_when_due(common: Path, settings: GitSettings, *, least: int = LOOSE_MAX) -> bool:
    """Start packing when there are more loose objects than `gc.auto`, and at least `least`; whether it was started.

    Never where `gc.auto` or `maintenance.auto` forbid it, nor sooner than PAUSE_SECONDS after the last time. The
    settings, which take longest to read, are asked last.
    """
    loose = _counted(common) * _FOLDERS
    if loose <= least or _is_recent(common / _MARK):
        return False
    limit = _limit(settings)
    if limit <= 0 or loose <= limit:
        return False
    (common / _MARK).parent.mkdir(exist_ok=True)
    (common / _MARK).touch()
    return cgit.maintenance_detached(common)


def _counted(common: Path) -> int:
    try:
        return len(os.listdir(common / "objects" / _COUNTED))  # noqa: PTH208 - pathlib would make a Path of each
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _limit(settings: GitSettings) -> int:
    """Return the number of loose objects that the repository's owner tolerates; 0 when nothing may start by itself."""
    if (settings.get(("maintenance",), "auto") or "true").lower() in _OFF:
        return 0
    text = (settings.get(("gc",), "auto") or str(LOOSE_MAX)).strip().lower()
    unit = _UNITS.get(text[-1:], 1)
    try:
        return int(text.rstrip("kmg")) * unit
    except ValueError:
        return LOOSE_MAX


def _is_recent(mark: Path) -> bool:
    try:
        # A clock that was set back leaves a mark of the future, which must not hold for as long.
        return abs(time.time() - mark.stat().st_mtime) < PAUSE_SECONDS
    except FileNotFoundError:
        return False
