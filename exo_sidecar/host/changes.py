"""Changes of a checkout, path by path: what HEAD has, what the index has, and whether git would miss the file.

Asked through C git, because attributes, filters and ignore rules decide what counts as changed. Read only.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import cgit
from exo_sidecar.git.oid import Oid
from exo_sidecar.host.checkout import CheckoutUnreadable

GIT_SECONDS: Final = 600.0
"""For a checkout of a million files on a slow disk."""
SUBMODULE: Final = 0o160000
_READ_ONLY: Final = {"GIT_OPTIONAL_LOCKS": "0"}
_STATUS: Final = ("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
_FIELDS_CHANGED: Final = 8
_FIELDS_UNMERGED: Final = 10


class Entry(NamedTuple):
    """What one side has at a path."""

    mode: int
    oid: Oid


class Change(NamedTuple):
    """A path that is not as HEAD has it."""

    path: str
    head: Entry | None
    staged: Entry | None
    promised: bool = False
    """Whether the index only announces it (`git add -N`)."""

    @property
    def is_staged(self) -> bool:
        """Whether the index has something else than HEAD."""
        return self.head != self.staged


class Changes(NamedTuple):
    """All that is changed in a checkout."""

    paths: tuple[Change, ...]
    foreign: tuple[str, ...]
    """Submodules, and folders with a repository of their own: changed, and not ours to touch."""
    unmerged: tuple[str, ...]
    """Paths of a merge that is not decided."""


def read(worktree: Path) -> Changes:
    """Return what is changed, untracked files included and ignored ones not; CheckoutUnreadable, TimedOut."""
    said = cgit.run(_STATUS, cwd=worktree, timeout_seconds=GIT_SECONDS, extra=_READ_ONLY)
    if said.status != 0:
        message = f"git status failed in {worktree}: {said.complaint}"
        raise CheckoutUnreadable(message)
    found: dict[str, Change] = {}
    foreign: list[str] = []
    unmerged: list[str] = []
    for line in said.stdout.split(b"\0"):
        match line[:1]:
            case b"1":
                change, is_submodule = _changed(line)
                if is_submodule:
                    foreign.append(change.path)
                else:
                    found[change.path] = change
            case b"u":
                unmerged.append(os.fsdecode(line.split(b" ", _FIELDS_UNMERGED)[-1]))
            case b"?":
                path = os.fsdecode(line[2:])
                if path.endswith("/"):
                    foreign.append(path)
                else:
                    # `git rm --cached` makes two of one: a tracked file that is gone, and an untracked one.
                    found.setdefault(path, Change(path, None, None))
            case _:
                pass
    return Changes(tuple(found[path] for path in sorted(found)), tuple(sorted(foreign)), tuple(sorted(unmerged)))


def between(worktree: Path, old: str, new: str) -> dict[str, tuple[Entry | None, Entry | None]]:
    """Return the paths in which two commits or trees differ, with what each has there; CheckoutUnreadable."""
    words = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
    said = cgit.run(words, cwd=worktree, timeout_seconds=GIT_SECONDS)
    if said.status != 0:
        message = f"git diff-tree {old[:12]} {new[:12]} failed: {said.complaint}"
        raise CheckoutUnreadable(message)
    fields = iter(said.stdout.split(b"\0"))
    found: dict[str, tuple[Entry | None, Entry | None]] = {}
    for raw in fields:
        if raw:
            old_mode, new_mode, old_oid, new_oid, _ = raw.removeprefix(b":").split(b" ")
            found[os.fsdecode(next(fields))] = (_entry(old_mode, old_oid), _entry(new_mode, new_oid))
    return found


def _changed(line: bytes) -> tuple[Change, bool]:
    """Take apart `1 XY sub mH mI mW hH hI path`."""
    _, status, submodule, head, index, _, head_oid, index_oid, *rest = line.split(b" ", _FIELDS_CHANGED)
    change = Change(
        path=os.fsdecode(rest[0]),
        head=_entry(head, head_oid),
        staged=_entry(index, index_oid),
        promised=status == b".A",
    )
    if change.promised:
        change = change._replace(staged=None)  # what it announces is no content
    sides = [side for side in (change.head, change.staged) if side is not None]
    return change, submodule.startswith(b"S") or any(side.mode == SUBMODULE for side in sides)


def _entry(mode: bytes, oid: bytes) -> Entry | None:
    number = int(mode, 8)
    return Entry(number, Oid(oid.decode())) if number else None
