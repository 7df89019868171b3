"""Saved work: what a checkout has beyond HEAD, kept as one commit and taken out (docs/guides/sessions.md).

The commit's tree is the checkout as it is, byte for byte, with no filter of git in between; its first parent is HEAD,
its second a commit of the index. It is durable, and a ref names it, before anything is taken out of the checkout. A
file that is not any more as it was saved is left where it is. Submodules and repositories inside of it are not touched.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from exo_sidecar.base.alone import alone
from exo_sidecar.git import cgit, commits, lone_swap, refnames
from exo_sidecar.git.commits import AUTHOR, Commit
from exo_sidecar.git.locate import Place
from exo_sidecar.git.objects import ObjectDamaged
from exo_sidecar.git.oid import ZERO, Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.git.tree import FILE_MODE
from exo_sidecar.host import changes, checkout, raw_files
from exo_sidecar.host.changes import GIT_SECONDS, Change, Entry
from exo_sidecar.host.raw_files import LINK_MODE, PROGRAM_MODE
from exo_sidecar.model.errors import Environment, NotARepository

PATHS_MAX: Final = 50_000
"""More changed files than this are no work of somebody, but a folder that should be ignored."""
_DURABLE: Final = ("-c", "core.fsync=loose-object,pack,pack-metadata", "-c", "core.fsyncObjectFiles=true")
ONE_BY_ONE: Final = 64
"""Up to this many files are made durable each by itself; more of them together."""
_UNDER_WAY: Final = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
_INDEX: Final = ".exo-index-"
_LOCK: Final = "exo/saving-{}.lock"
_COMMITS_MAX: Final = 10_000
"""Of the youngest commits: work that went in before them stays saved."""
PATIENCE_SECONDS: Final = 2.0
"""Of a call that was killed, a child that was about to become git may have the lock for a moment (base.alone)."""
_TRIES: Final = 50
_PAUSE_SECONDS: Final = 0.1
"""What git locks may be locked for a moment: by an editor that looks, by a git whose caller was killed."""
_PLAIN: Final = {FILE_MODE: 0o644, PROGRAM_MODE: 0o755}
_GONE: Final = Entry(0, ZERO)


class StashFailed(Environment):
    """The work in the checkout cannot be saved; it is as it was."""

    code = "STASH_FAILED"


class SavedWork(NamedTuple):
    """Work that a commit holds."""

    commit: Oid
    head: Oid
    """What was checked out."""
    staged: Oid
    """A commit of what was staged."""
    promised: tuple[str, ...] = ()
    """Paths that the index announced only (`git add -N`)."""
    permissions: Mapping[str, int] = {}
    """Of files that had others than 644 or 755."""

    def permitted(self, path: str, mode: int) -> int:
        """Return the permission bits of a saved file."""
        return self.permissions.get(path, _PLAIN.get(mode, 0o644))


class Saving(NamedTuple):
    """What came of saving."""

    work: SavedWork | None
    """None: there was nothing to save."""
    foreign: tuple[str, ...]
    """Changed submodules, and repositories in the checkout: left as they are."""


def ref_of(name: str) -> str:
    """Return the ref that names saved work: a session's by its id."""
    return refnames.SAVED + name


@contextlib.contextmanager
def alone_in(place: Place) -> Iterator[None]:
    """Let no two calls save, take out or put back work in one checkout; StashFailed for the second."""
    with alone(place.common / _LOCK.format(place.git_dir.name), patience_seconds=PATIENCE_SECONDS) as first:
        if not first:
            message = "another call is saving or restoring work in this checkout"
            raise StashFailed(message, hint="try again when it has ended")
        yield


def save(repository: Repository, session: str, *, at: int, kept: Oid | None) -> Saving:
    """Keep what the checkout has beyond HEAD as a commit that the session's ref names; the checkout stays as it is.

    Args:
        repository: The checkout's.
        session: Whose work it is.
        at: Seconds since 1970, for people who look at the commit.
        kept: A commit that the ref names already and that must stay within reach.

    Raises:
        StashFailed: nothing is committed yet, a merge or its like is under way, or git could not do it.
        CheckoutUnreadable, TimedOut, GitRequired.
    """
    worktree, head = _ready(repository.place)
    found = changes.read(worktree)
    if found.unmerged:
        message = f"{found.unmerged[0]} and {len(found.unmerged) - 1} others wait for a merge to be decided"
        raise StashFailed(message, hint="decide it, or git merge --abort")
    if not found.paths:
        return Saving(None, found.foreign)
    if len(found.paths) > PATHS_MAX:
        message = f"{len(found.paths)} files are changed, more than the {PATHS_MAX} that are saved at once"
        raise StashFailed(message, hint="name folders of built files in .gitignore, or commit")
    raw = _stored(repository, worktree, [change.path for change in found.paths])
    staged, whole = _trees(repository.place, head, found.paths, raw)
    index = _committed(repository, Commit(staged, (head,), AUTHOR, at, AUTHOR, at, f"exo: index of {session}\n"))
    modes = {path: bits for path, entry in raw.items() if (bits := _unusual(worktree, path, entry)) is not None}
    promised = tuple(change.path for change in found.paths if change.promised)
    text = f"exo: work of {session} put aside\n\n{_facts_text(promised, modes)}\n"
    parents = (head, index, *([kept] if kept else []))
    commit = _committed(repository, Commit(whole, parents, AUTHOR, at, AUTHOR, at, text))
    if len(raw) > ONE_BY_ONE:
        os.sync()
    _point(repository, ref_of(session), commit)
    return Saving(SavedWork(commit, head, index, promised, modes), found.foreign)


def read(repository: Repository, session: str) -> SavedWork | None:
    """Return the saved work of a session, None when there is none here; StashFailed when it is something else."""
    commit = repository.refs.read(ref_of(session))
    if commit is None:
        lone_swap.clear(repository, ref_of(session))
        return None
    found = commits.read(repository.objects, commit)
    if len(found.parents) < 2:  # noqa: PLR2004 - HEAD and the index
        message = f"{ref_of(session)} names {commit}, which is no saved work"
        raise StashFailed(message, hint=f"git show {commit} shows what it is")
    promised, modes = _facts(found.message)
    return SavedWork(commit, found.parents[0], found.parents[1], promised, modes)


def clear(place: Place, work: SavedWork) -> tuple[str, ...]:
    """Take saved work out of the checkout, and return the paths that stayed because they are not as they were saved.

    Can be repeated. Nothing is done where something else than then is checked out.

    Raises:
        StashFailed: git's index is locked, or git could not write a file; what is left of the work is in the ref.
    """
    worktree, head = _ready(place)
    if head != work.head:
        return ()
    whole = changes.between(worktree, work.head, work.commit)
    staged = changes.between(worktree, work.head, work.staged)
    known = {path: sides[0] for path, sides in {**staged, **whole}.items()}
    paths = {path: known.get(path) for path in {*known, *work.promised}}
    set_index(worktree, {path: entry for path, entry in paths.items() if path in staged or path in work.promised})
    for path in sorted(whole, reverse=True):
        saved = whole[path][1]
        if saved is not None:
            raw_files.remove(worktree, path, saved)
    absent = [path for path, entry in paths.items() if entry is not None and raw_files.state(worktree, path) is None]
    # Whatever came into their place meanwhile is not written over: git says so, and the path is told as left.
    stdin = b"".join(os.fsencode(path) + b"\0" for path in sorted(absent))
    if stdin:
        _patiently(worktree, ("checkout-index", "-u", "-q", "-z", "--stdin"), stdin)
    left = {change.path for change in changes.read(worktree).paths}
    return tuple(sorted(left & set(paths)))


def drop(repository: Repository, session: str, work: SavedWork) -> None:
    """Forget saved work that is back in the checkout; a ref that names something else by now stays."""
    if repository.refs.read(ref_of(session)) == work.commit:
        _point(repository, ref_of(session), None)


def is_committed(repository: Repository, work: SavedWork) -> bool:
    """Whether all that was saved is in commits of branches, here or as they were last fetched.

    That is so when the checkout as it was saved is the whole tree of one, and nothing else than that was staged. Of
    work on top of other saved work it is not said.
    """
    found, common = commits.read(repository.objects, work.commit), repository.place.common
    if len(found.parents) > 2:  # noqa: PLR2004 - HEAD and the index
        return False
    whole = changes.between(common, work.head, work.commit)
    staged = changes.between(common, work.head, work.staged)
    if any(path not in whole or whole[path][1] != sides[1] for path, sides in staged.items()):
        return False
    words = ("log", "--format=%T", f"--max-count={_COMMITS_MAX}", "--branches", "--remotes", f"^{work.head}^@")
    return found.tree in checkout.ask(common, *words).split()


def set_index(worktree: Path, wanted: Mapping[str, Entry | None]) -> None:
    """Let git's index have just these entries at these paths, None for no entry; all or none. StashFailed."""
    lines = [_index_line(path, entry) for path, entry in sorted(wanted.items(), key=lambda item: item[1] is not None)]
    if lines:
        said = _patiently(worktree, ("update-index", "--replace", "-z", "--index-info"), b"".join(lines))
        _require(said, "git's index could not be changed")


def _ready(place: Place) -> tuple[Path, Oid]:
    """Return the checkout and its commit; StashFailed where a merge or its like is under way."""
    if place.worktree is None or place.in_mount:
        message = f"{place.start} is in no checkout"
        raise NotARepository(message)
    head = checkout.head(place).commit
    if head is None:
        message = "nothing is committed here yet, so there is nothing that saved work could build on"
        raise StashFailed(message, hint="make a first commit")
    under_way = next((name for name in _UNDER_WAY if (place.git_dir / name).exists()), None)
    if under_way is not None:
        message = f"a merge, rebase or its like is under way in this checkout ({under_way})"
        raise StashFailed(message, hint="finish or abort it first; git status says how")
    return place.worktree, Oid(head)


def _stored(repository: Repository, worktree: Path, paths: Iterable[str]) -> dict[str, Entry]:
    """Store the bytes that are at the paths, and return mode and blob of each that is there."""
    found: dict[str, Entry] = {}
    plain: list[tuple[str, int]] = []
    for path in paths:
        entry = raw_files.state(worktree, path)
        if entry is None or entry == raw_files.FOLDER:
            continue
        if entry.mode == LINK_MODE:
            found[path] = Entry(LINK_MODE, repository.objects.write([("blob", raw_files.target(worktree, path))])[0])
        elif entry.mode in _PLAIN:
            plain.append((path, entry.mode))
    durable = _DURABLE if len(plain) <= ONE_BY_ONE else ()
    stdin = b"".join(_quoted(path) + b"\n" for path, _ in plain)
    words = (*durable, "hash-object", "-w", "--no-filters", "--stdin-paths")
    said = _require(_git(worktree, *words, stdin=stdin), "a changed file could not be stored")
    oids = said.split()
    if len(oids) != len(plain):
        message = "git stored another number of files than it was given"
        raise StashFailed(message)
    return found | {path: Entry(mode, Oid(oid.decode())) for (path, mode), oid in zip(plain, oids, strict=True)}


def _trees(place: Place, head: Oid, paths: Iterable[Change], raw: Mapping[str, Entry]) -> tuple[Oid, Oid]:
    """Return the tree of the index and the tree of the checkout; git's own index is not looked at."""
    for old in place.git_dir.glob(f"{_INDEX}*"):
        old.unlink(missing_ok=True)  # of a call that was killed
    temporary = place.git_dir / f"{_INDEX}{os.urandom(6).hex()}"
    extra = {"GIT_INDEX_FILE": str(temporary)}
    worktree = place.worktree or place.common
    asked = "the saved work's tree could not be made"
    try:
        _require(_git(worktree, "read-tree", head, extra=extra), asked)
        trees: list[Oid] = []
        ours = tuple(paths)
        for wanted in (
            {change.path: change.staged for change in ours if change.is_staged and not change.promised},
            {change.path: raw.get(change.path) for change in ours},
        ):
            order = sorted(wanted.items(), key=lambda item: item[1] is not None)
            stdin = b"".join(_index_line(path, entry) for path, entry in order)
            words = (*_DURABLE, "update-index", "--add", "--replace", "-z", "--index-info")
            _require(_git(worktree, *words, stdin=stdin, extra=extra), asked)
            trees.append(Oid(_require(_git(worktree, *_DURABLE, "write-tree", extra=extra), asked).strip().decode()))
    finally:
        temporary.unlink(missing_ok=True)
    return trees[0], trees[1]


def _point(repository: Repository, ref: str, commit: Oid | None) -> None:
    """Let the ref name the commit, or nothing; StashFailed when others keep changing refs for too long."""
    for _ in range(_TRIES):
        if lone_swap.swap(repository, ref, old=repository.refs.read(ref), new=commit):
            return
        time.sleep(_PAUSE_SECONDS)
    message = f"{ref} could not be changed: its lock is held"
    raise StashFailed(message, hint="try again when no other git runs here")


def _committed(repository: Repository, commit: Commit) -> Oid:
    return repository.objects.write([("commit", commits.serialise(commit))])[0]


def _unusual(worktree: Path, path: str, entry: Entry) -> int | None:
    bits = raw_files.permissions(worktree, path) if entry.mode in _PLAIN else None
    return bits if bits != _PLAIN.get(entry.mode) else None


def _facts_text(promised: Iterable[str], modes: Mapping[str, int]) -> str:
    """Return what a tree cannot hold, as text that any path survives in."""
    facts = {
        "intent-to-add": [quote_from_bytes(os.fsencode(path)) for path in promised],
        "permissions": {quote_from_bytes(os.fsencode(path)): f"{bits:o}" for path, bits in modes.items()},
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def _facts(message: str) -> tuple[tuple[str, ...], dict[str, int]]:
    try:
        facts = json.loads(message.partition("\n\n")[2])
        promised = tuple(os.fsdecode(unquote_to_bytes(path)) for path in facts["intent-to-add"])
        modes = {os.fsdecode(unquote_to_bytes(path)): int(bits, 8) for path, bits in facts["permissions"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = "the commit of saved work does not say what it must"
        raise ObjectDamaged(text) from error
    return promised, modes


def _patiently(worktree: Path, words: tuple[str, ...], stdin: bytes) -> cgit.Finished:
    """Run a git that takes the lock of its index, again where another one has it."""
    for _ in range(_TRIES - 1):
        said = _git(worktree, *words, stdin=stdin)
        if said.status == 0 or b"index.lock" not in said.stderr:
            return said
        time.sleep(_PAUSE_SECONDS)
    return _git(worktree, *words, stdin=stdin)


def _index_line(path: str, entry: Entry | None) -> bytes:
    mode, oid = entry or _GONE
    return f"{mode:o} {oid}\t".encode() + os.fsencode(path) + b"\0"


def _quoted(path: str) -> bytes:
    """Return a path as git reads it from a line: quoted where it would end the line or begin a quotation."""
    raw = os.fsencode(path)
    if raw[:1] != b'"' and not any(byte < 0x20 for byte in raw):  # noqa: PLR2004 - controls
        return raw
    shown = (rb"\%03o" % byte if byte < 0x20 or byte in b'"\\' else bytes([byte]) for byte in raw)  # noqa: PLR2004
    return b'"' + b"".join(shown) + b'"'


def _git(worktree: Path, *words: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> cgit.Finished:
    return cgit.run(words, cwd=worktree, stdin=stdin, timeout_seconds=GIT_SECONDS, extra=extra)


def _require(said: cgit.Finished, message: str) -> bytes:
    if said.status == 0:
        return said.stdout
    text = f"{message}: {said.complaint}"
    raise StashFailed(text)
