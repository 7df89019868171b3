"""Restored work: what was saved put back into a checkout, exactly, or refused with nothing changed.

A path may be written when the checkout has at it what HEAD had when the work was saved; one that is as it was saved is
done already, so that a call that was killed is gone on with by the next. Any other is a conflict.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from exo_sidecar.git import cgit
from exo_sidecar.git.locate import Place
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.host import changes, checkout, raw_files
from exo_sidecar.host.changes import GIT_SECONDS, Change, Entry
from exo_sidecar.host.raw_files import FOLDER, LINK_MODE
from exo_sidecar.host.saved_work import ONE_BY_ONE, SavedWork, StashFailed, set_index
from exo_sidecar.model.errors import Refused

SHOWN_MAX: Final = 10
IN_MEMORY_MAX_BYTES: Final = 8 << 20
_LITERAL: Final = {"GIT_LITERAL_PATHSPECS": "1"}


class StashConflict(Refused):
    """Saved work cannot be put back over what is in the checkout; nothing was changed."""

    code = "STASH_CONFLICT"


class Plan(NamedTuple):
    """How to put work back."""

    worktree: Path
    removals: Mapping[str, Entry]
    """What to take away, as it is now."""
    writes: Mapping[str, Entry]
    staged: Mapping[str, Entry | None]
    promised: tuple[str, ...]


def plan(place: Place, work: SavedWork) -> Plan:
    """Return how the work is put back; nothing is changed.

    Raises:
        StashConflict: the checkout, its index or its commit has something else at a path of the work.
    """
    head = checkout.head(place).commit
    worktree = place.worktree
    if worktree is None or head is None:
        message = "nothing is checked out here"
        raise StashConflict(message)
    judge = _Judge(worktree, Oid(head), work)
    conflicts = sorted({*judge.files(), *judge.entries()})
    if conflicts:
        shown = "; ".join(conflicts[:SHOWN_MAX])
        more = f"; and {len(conflicts) - SHOWN_MAX} more" if len(conflicts) > SHOWN_MAX else ""
        message = f"the saved work does not fit into this checkout any more: {shown}{more}"
        hint = f"git stash or commit what is in the way; the saved work stays, and git show {work.commit} shows it"
        raise StashConflict(message, hint=hint, commit=work.commit)
    return judge.plan()


def apply(repository: Repository, work: SavedWork, wanted: Plan) -> None:
    """Put work back as planned; can be repeated from a new plan. StashFailed when git or the disk could not."""
    sizes = _sizes(wanted.worktree, {entry.oid for entry in wanted.writes.values()})
    for path in sorted(wanted.removals, reverse=True):
        raw_files.remove(wanted.worktree, path, wanted.removals[path])
    one_by_one = len(wanted.writes) <= ONE_BY_ONE
    try:
        for path, entry in sorted(wanted.writes.items()):
            if entry.mode == LINK_MODE:
                raw_files.link(wanted.worktree, path, repository.objects.read(entry.oid).data)
            else:
                fill = _filler(repository, wanted.worktree, entry.oid, sizes.get(entry.oid, 0))
                raw_files.write(wanted.worktree, path, fill, work.permitted(path, entry.mode), durable=one_by_one)
    except OSError as error:
        message = f"a file of the saved work could not be written: {error}"
        raise StashFailed(message, hint="the saved work stays; try again") from error
    if not one_by_one:
        os.sync()  # before the ref goes that has the work, too
    set_index(wanted.worktree, wanted.staged)
    if wanted.promised:
        stdin = b"".join(os.fsencode(path) + b"\0" for path in wanted.promised)
        words = ("add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
        cgit.run(words, cwd=wanted.worktree, stdin=stdin, timeout_seconds=GIT_SECONDS, extra=_LITERAL)


class _Judge:
    """Compares what is in a checkout with what was saved."""

    def __init__(self, worktree: Path, head: Oid, work: SavedWork) -> None:
        self._worktree = worktree
        self._work = work
        self._whole = changes.between(worktree, work.head, work.commit)
        self._staged = changes.between(worktree, work.head, work.staged)
        self._moved = changes.between(worktree, work.head, head) if head != work.head else {}
        self._changed = {change.path: change for change in changes.read(worktree).paths}
        self._now = {path: raw_files.state(worktree, path) for path in self._whole}
        self._doomed = {path for path, (_, saved) in self._whole.items() if saved is None}

    def plan(self) -> Plan:
        """Return what is to be done where nothing is in the way."""
        removals = {
            path: now for path, now in self._now.items() if path in self._doomed and now is not None and now != FOLDER
        }
        writes = {
            path: saved for path, (_, saved) in self._whole.items() if saved is not None and self._now[path] != saved
        }
        staged = {path: saved for path, (_, saved) in self._staged.items()}
        return Plan(self._worktree, removals, writes, staged, self._work.promised)

    def files(self) -> Iterator[str]:
        """Yield what is in the way of files, in words."""
        for path, (before, saved) in self._whole.items():
            now = self._now[path]
            if now == saved or (saved is None and now == FOLDER):
                continue
            if path in self._moved:
                yield f"{path} was changed by a commit since"
            elif before is None:
                yield from self._in_the_way(path, now)
            elif path in self._changed:
                yield f"{path} is changed"

    def entries(self) -> Iterator[str]:
        """Yield what is in the way of the index, in words."""
        for path, (before, saved) in self._staged.items():
            change = self._changed.get(path) or Change(path, before, before)
            if change.staged == saved:
                continue
            if path in self._moved:
                yield f"{path} was changed by a commit since"
            elif change.is_staged:
                yield f"{path} has something else staged"

    def _in_the_way(self, path: str, now: Entry | None) -> Iterator[str]:
        """Yield why a file that HEAD did not have cannot be made."""
        if now == FOLDER:
            below = self._worktree / path
            kept = [name for name in _files_below(self._worktree, below) if name not in self._doomed]
            if kept:
                yield f"{path} is a folder with {kept[0]} in it"
        elif now is not None:
            yield f"{path} is there already"
        for parent in PurePosixPath(path).parents:
            there = raw_files.state(self._worktree, str(parent)) if parent.name else None
            if there not in {None, FOLDER} and str(parent) not in self._doomed:
                yield f"{parent} is no folder"


def _files_below(root: Path, folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118
        for name in (*names, *links):
            yield (Path(parent) / name).relative_to(root).as_posix()


def _filler(repository: Repository, worktree: Path, oid: Oid, size: int) -> Callable[[int], None]:
    """Return what writes a blob to an open file; one that is large goes there by way of git."""

    def fill(handle: int) -> None:
        if size > IN_MEMORY_MAX_BYTES:
            if not cgit.blob_into(oid, handle, cwd=worktree, timeout_seconds=GIT_SECONDS):
                message = f"the saved content {oid} cannot be read"
                raise StashFailed(message, hint="git fsck names what is damaged")
            return
        view = memoryview(repository.objects.read(oid).data)
        while view:
            view = view[os.write(handle, view) :]

    return fill


def _sizes(worktree: Path, oids: Iterable[Oid]) -> dict[Oid, int]:
    """Return how many bytes each blob has; StashFailed when one is not there."""
    stdin = "".join(f"{oid}\n" for oid in oids).encode()
    words = ("cat-file", "--batch-check=%(objectname) %(objectsize)")
    said = cgit.run(words, cwd=worktree, stdin=stdin, timeout_seconds=GIT_SECONDS)
    found: dict[Oid, int] = {}
    for line in said.stdout.decode(errors="replace").splitlines():
        oid, _, size = line.partition(" ")
        if not size.isdigit():
            message = f"the saved content {oid[:40]} is not there"
            raise StashFailed(message, hint="git fsck names what is missing")
        found[Oid(oid)] = int(size)
    return found
