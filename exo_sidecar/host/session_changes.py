"""What a session changed, and nobody else: its commits, and what it leaves uncommitted (docs/guides/drift.md).

A commit is the session's when HEAD has it and the session's base has not, when it did not come from the base branch,
and when it names no other session. A file counts when such a commit or the worktree changes it and its content is not
the base's again. What cannot be told is an error with its cause: a guess here would be a score of somebody's work.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.git import refnames
from exo_sidecar.git.locate import Place
from exo_sidecar.git.oid import is_oid
from exo_sidecar.git.refs import Refs
from exo_sidecar.host import checkout, commit_log
from exo_sidecar.host.checkout import COMMITS_MAX, CheckoutUnreadable, Waiting
from exo_sidecar.host.commit_log import Commit

FILES_MAX: Final = 50_000
_EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""What a session began from that started before the first commit."""
_REFLOG_MAX_BYTES: Final = 4 * 1024 * 1024
_PATHS_NAMED_MAX: Final = 1000
"""Paths that are named to git one by one; the lines of more are counted over all that changed."""
_UNTRACKED_MAX_BYTES: Final = 8 * 1024 * 1024
_BINARY_WITHIN: Final = 8000
"""A null byte among so many makes a file binary, as git sees it."""
_MADE_HERE: Final = re.compile(
    r"(commit|cherry-pick|revert|am|(rebase|pull)[^:]*\((pick|continue|reword|edit|squash|fixup)\))"
)
"""What git's log of HEAD says of a commit that was made here, and not fetched."""


class Session(NamedTuple):
    """Whose changes are asked for."""

    id: str
    base: str | None
    """The commit that was checked out when it began; None: there was none yet."""
    dirty: Mapping[str, str] = {}
    """Files that were changed before it began, with their content then (`checkout.contents`)."""
    is_known: Callable[[str], bool] = bool
    """Whether there is a session of that id: whoever names one that nobody knows names nobody."""


class Apart(NamedTuple):
    """What is nobody's work."""

    branch: str | None = None
    """The base branch; what HEAD has of it came from others."""
    remotes: tuple[str, ...] = ()
    """Remotes whose base branch, as last fetched, counts too."""
    folders: tuple[str, ...] = ()
    """Folders of the checkout that are no part of the application: the mount."""


class Changes(NamedTuple):
    """What a session changed; paths are raw and sorted, renames stand as both."""

    commits: tuple[Commit, ...]
    """The youngest first."""
    committed: tuple[str, ...]
    """Paths of those commits whose content differs from the base's now."""
    uncommitted: tuple[str, ...]
    """Paths that are not committed, and were not so before the session began."""
    lines: int
    """Lines added and taken away in all these files since the base; binary files have none."""

    @property
    def files(self) -> tuple[str, ...]:
        """Return every path that counts, sorted."""
        return tuple(sorted({*self.committed, *self.uncommitted}))


def of_session(place: Place, session: Session, apart: Apart) -> Changes:
    """Return what the session changed in the worktree of `place`.

    Raises:
        CheckoutUnreadable: its base is gone, shares no history with HEAD, or there is more than can be looked at.
        TimedOut, GitRequired.
    """
    worktree = place.worktree
    if worktree is None:
        message = f"{place.start} is in no checkout"
        raise CheckoutUnreadable(message)
    head = checkout.head(place)
    commits = _commits(place, worktree, head, session, apart) if head.commit else _unborn(session)
    left = [one for one in checkout.waiting(worktree) if not _is_within(one.path, apart.folders)]
    waiting = tuple(one.path for one in left)
    known = checkout.contents_of(worktree, (one for one in left if one.path in session.dirty))
    own = tuple(path for path in waiting if path not in session.dirty or session.dirty[path] != known[path])
    touched = {path for commit in commits for path in commit.paths if not _is_within(path, apart.folders)}
    _check_count(touched | set(own))
    since = session.base or _EMPTY_TREE
    different = set(waiting) if head.commit == session.base else _different(worktree, since, left)
    committed = tuple(sorted(touched & different))
    uncommitted = tuple(path for path in own if path in different)
    lines = _lines(worktree, since, sorted({*committed, *uncommitted}), {one.path: one.opened for one in left})
    return Changes(commits, committed, uncommitted, lines)


def base_branch(place: Place, wanted: str, remotes: Sequence[str]) -> str | None:
    """Return the branch that work goes to: the one wanted where it exists, else what a remote says is its own."""
    refs = Refs(place.common)
    known = (f"refs/heads/{wanted}", *(f"refs/remotes/{remote}/{wanted}" for remote in remotes))
    if any(refnames.is_valid(name) and refs.read(name) is not None for name in known):
        return wanted
    for remote in remotes:
        name, prefix = f"refs/remotes/{remote}/HEAD", f"refs/remotes/{remote}/"
        leads_to = refs.resolve(name) if refnames.is_valid(name) else name
        if leads_to != name and leads_to.startswith(prefix):
            return leads_to.removeprefix(prefix)
    return None


def tips(place: Place, apart: Apart) -> tuple[str, ...]:
    """Return the commits that the base branch is known to be at: here, unless it is checked out, and at remotes."""
    if apart.branch is None:
        return ()
    names = [f"refs/remotes/{remote}/{apart.branch}" for remote in apart.remotes]
    if checkout.head(place).branch != apart.branch:
        names.append(f"refs/heads/{apart.branch}")
    refs = Refs(place.common)
    found = (refs.read(name) for name in names if refnames.is_valid(name))
    return tuple(dict.fromkeys(tip for tip in found if tip is not None))


def _unborn(session: Session) -> tuple[Commit, ...]:
    if session.base is None:
        return ()
    message = f"nothing is committed on the branch that is checked out, and the session began at {session.base[:12]}"
    raise CheckoutUnreadable(message, hint="git switch to the branch that the session worked on")


def _commits(place: Place, worktree: Path, head: checkout.Head, session: Session, apart: Apart) -> tuple[Commit, ...]:
    """Return the session's own commits, the youngest first."""
    if head.commit == session.base:
        return ()
    chosen = _since(worktree, session.base)
    others = [tip for tip in tips(place, apart) if tip != session.base]
    found = commit_log.read(worktree, *chosen, *(f"^{tip}" for tip in others), limit=COMMITS_MAX)
    own = [commit for commit in found if not commit.sessions or session.id in commit.sessions]
    own += _named_for_nobody(place, session, found)
    if others:
        own = _with_landed(worktree, chosen, own, session)
        if head.branch == apart.branch:
            own = _with_made_here(place, worktree, chosen, own)
    return tuple(own)


def _named_for_nobody(place: Place, session: Session, found: Sequence[Commit]) -> list[Commit]:
    """Return commits made here that name only sessions that do not exist, which keeps no change out of the count.

    What was fetched may name a session that this clone has not heard of yet; where git keeps no log of HEAD, nothing
    says that it was.
    """
    odd = [commit for commit in found if commit.sessions and not any(map(session.is_known, commit.sessions))]
    if not odd:
        return []
    made = _made_here(place)
    return [commit for commit in odd if not made or commit.id in made]


def _since(worktree: Path, base: str | None) -> tuple[str, ...]:
    """Return the words for commits that HEAD has and the base has not, also after the base was rewritten."""
    if base is None:
        return ("HEAD",)
    if not is_oid(base):
        message = f"the session's base {base[:60]!r} is no commit id"
        raise CheckoutUnreadable(message)
    shared = _merge_base(worktree, base)
    if shared == base:
        return ("HEAD", f"^{base}")
    # What the branch held before the session and a rebase wrote anew has the same change, and is not the session's.
    return ("--cherry-pick", "--right-only", f"{base}...HEAD")


def _merge_base(worktree: Path, base: str) -> str:
    try:
        checkout.ask(worktree, "cat-file", "-e", f"{base}^{{commit}}")
    except CheckoutUnreadable as error:
        message = f"the commit {base[:12]} that the session began at is not in this repository{_if_shallow(worktree)}"
        raise CheckoutUnreadable(message, hint="git fetch brings it where another clone has pushed it") from error
    try:
        return checkout.ask(worktree, "merge-base", "HEAD", base).split()[0]
    except CheckoutUnreadable as error:
        message = f"HEAD shares no history with {base[:12]}, which the session began at{_if_shallow(worktree)}"
        raise CheckoutUnreadable(message, hint="git switch to the branch that the session worked on") from error


def _if_shallow(worktree: Path) -> str:
    if checkout.ask(worktree, "rev-parse", "--is-shallow-repository").strip() != "true":
        return ""
    return "; this clone is shallow, and git fetch --unshallow brings the rest of its history"


def _with_landed(worktree: Path, chosen: Sequence[str], own: list[Commit], session: Session) -> list[Commit]:
    """Return the commits with those that name this session and that the base branch has by now."""
    words = ("--fixed-strings", f"--grep={commit_log.TRAILER}: {session.id}", *chosen)
    named = commit_log.read(worktree, *words, limit=COMMITS_MAX)
    known = {commit.id for commit in own}
    return own + [commit for commit in named if session.id in commit.sessions and commit.id not in known]


def _with_made_here(place: Place, worktree: Path, chosen: Sequence[str], own: list[Commit]) -> list[Commit]:
    """Return the commits with those that were made in this worktree on the base branch itself, and pushed."""
    made = _made_here(place) - {commit.id for commit in own}
    if not made:
        return own
    since = checkout.ask(worktree, "rev-list", f"--max-count={COMMITS_MAX}", *chosen, "--").split()
    wanted = [commit for commit in since if commit in made]
    if not wanted:
        return own
    found = commit_log.read(worktree, "--no-walk=unsorted", *wanted, limit=COMMITS_MAX)
    return own + [commit for commit in found if not commit.sessions]


def _made_here(place: Place) -> set[str]:
    """Return the commits that git says were made in this worktree; none where it keeps no log of HEAD."""
    try:
        data = files.read_beneath(place.git_dir, "logs/HEAD", limit_bytes=_REFLOG_MAX_BYTES)
    except OSError:
        return set()
    found: set[str] = set()
    for line in (data or b"").decode(errors="replace").splitlines():
        ids, _, said = line.partition("\t")
        words = ids.split(" ", 2)
        if _MADE_HERE.match(said) and len(words) > 1 and is_oid(words[1]):
            found.add(words[1])
    return found


def _different(worktree: Path, base: str, left: Sequence[Waiting]) -> set[str]:
    """Return the paths that are not as in `base`: in the worktree, or staged to be so."""
    words = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty")
    found = set(checkout.ask(worktree, *words, base, "--").split("\0"))
    staged = {one.path for one in left if one.is_staged}
    if staged:
        found |= staged.intersection(checkout.ask(worktree, *words, "--cached", base, "--").split("\0"))
    return found | {one.path for one in left if one.is_untracked}


def _lines(worktree: Path, base: str, paths: Sequence[str], opened: Mapping[str, str]) -> int:
    if not paths:
        return 0
    wanted = set(paths)
    # Too many are asked about all together; so are names that may stand in words for what is no UTF-8 in them.
    named = paths if len(paths) <= _PATHS_NAMED_MAX and not any("\\" in path for path in paths) else ()
    words = ("diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
    said = checkout.ask(worktree, "--literal-pathspecs", *words, base, "--", *named)
    total = 0
    for row in said.split("\0"):
        added, _, rest = row.partition("\t")
        taken, _, path = rest.partition("\t")
        if path in wanted:
            wanted.discard(path)
            total += sum(int(number) for number in (added, taken) if number.isdecimal())
    return total + sum(_lines_of(worktree, opened.get(path, path)) for path in sorted(wanted))


def _lines_of(worktree: Path, path: str) -> int:
    """Return the lines of a file that git does not track; none of one that is gone, binary, or very large."""
    try:
        data = files.read_beneath(worktree, path, limit_bytes=_UNTRACKED_MAX_BYTES)
    except OSError:
        return 0
    if data is None or b"\0" in data[:_BINARY_WITHIN]:
        return 0
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def _is_within(path: str, folders: Sequence[str]) -> bool:
    return any(path.rstrip("/") == folder or path.startswith(f"{folder}/") for folder in folders)


def _check_count(paths: set[str]) -> None:
    if len(paths) > FILES_MAX:
        message = f"the session changed more than {FILES_MAX} files"
        raise CheckoutUnreadable(message)
