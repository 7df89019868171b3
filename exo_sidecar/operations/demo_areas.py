"""Which parts of a repository the tickets of a demonstration are about: real folders, found in a list of its files."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
"""Names that mean themselves in a glob and on a command line."""
NOTE: Final = "NOTES.md"


class Area(NamedTuple):
    """A part of a repository."""

    name: str
    glob: str
    """The fence of work on it."""
    file: str
    """The file that the work changes or makes."""


def areas(paths: Iterable[str], count: int) -> tuple[Area, ...]:
    """Return `count` areas: the largest folders, split until there are enough of them, then single files.

    A repository that has fewer parts gets notes at its top instead, one per area that is missing.
    """
    files = sorted(path for path in paths if _PLAIN.fullmatch(path))
    found = [Area(folder, f"{folder}/**", f"{folder}/{NOTE}") for folder in _folders(files, count)]
    found += [Area(path, path, path) for path in files if "/" not in path]
    found += [Area(f"part {number}", f"notes/{number}.md", f"notes/{number}.md") for number in range(1, count + 1)]
    return tuple(found[:count])


def _folders(files: list[str], count: int) -> list[str]:
    sizes = _below("", files)
    while len(sizes) < count:
        by_size = sorted(sizes, key=lambda folder: (-sizes[folder], folder))
        divisible = next((folder for folder in by_size if _below(f"{folder}/", files)), None)
        if divisible is None:
            break
        del sizes[divisible]
        sizes |= _below(f"{divisible}/", files)
    return sorted(sizes, key=lambda folder: (-sizes[folder], folder))


def _below(prefix: str, files: list[str]) -> dict[str, int]:
    """Return the folders directly below `prefix`, with how many files each holds."""
    sizes: dict[str, int] = {}
    for path in files:
        name, is_folder, _ = path.removeprefix(prefix).partition("/")
        if path.startswith(prefix) and is_folder:
            sizes[prefix + name] = sizes.get(prefix + name, 0) + 1
    return sizes
