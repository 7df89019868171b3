"""The disk below a folder: how much room is left, and whether one may write there."""

import os
from pathlib import Path
from typing import NamedTuple


class Room(NamedTuple):
    """What is left of a file system for this user."""

    free_bytes: int
    free_files: int | None
    """Files that can still be made; None where the file system does not count them."""
    writable: bool


def room(folder: Path) -> Room:
    """Return what is left below `folder`; OSError when it cannot be told."""
    found = os.statvfs(folder)
    return Room(
        free_bytes=found.f_bavail * found.f_frsize,
        free_files=found.f_favail if found.f_files else None,
        writable=os.access(folder, os.W_OK | os.X_OK),
    )
