"""Commits with the paths they change and the session they name, read from git's log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.host import checkout
from exo_sidecar.host.checkout import CheckoutUnreadable

QUICK_SECONDS: Final = 5.0
"""For what is merely good to know: a question that takes longer is left alone."""
TRAILER: Final = "Exo-Session"
_MARK: Final = "//"
"""No path begins with it or holds it, so what begins so is the head of a commit and never a file's name."""
_WORDS: Final = (
    "log",
    "-z",
    "-c",  # of a merge only what differs from every parent
    "--name-only",
    "--no-renames",
    "--no-ext-diff",
    "--no-color",
    "--no-show-signature",
    f"--format={_MARK}%H %P{_MARK}%(trailers:key={TRAILER},valueonly,unfold,separator=%x20)",
)


class Commit(NamedTuple):
    """A commit as drift and advice look at it."""

    id: str
    parents: tuple[str, ...]
    sessions: tuple[str, ...]
    """Whom its trailers name; a squash may name several."""
    paths: tuple[str, ...]
    """What it changes; of a merge only what differs from every parent."""


def read(worktree: Path, *words: str, limit: int) -> tuple[Commit, ...]:
    """Return the commits that `words` choose, the youngest first.

    Raises:
        CheckoutUnreadable: there are more than `limit`; or git could not tell.
    """
    found = parsed(checkout.ask(worktree, *_WORDS, f"--max-count={limit + 1}", *words, "--"))
    if len(found) > limit:
        message = f"there are more than {limit} commits to look at"
        raise CheckoutUnreadable(message, hint="what so many commits change is for git log to show")
    return found


def newest(worktree: Path, *words: str, limit: int) -> tuple[Commit, ...]:
    """Return the youngest `limit` of the commits that `words` choose; raises as `checkout.ask` does."""
    return parsed(checkout.ask(worktree, *_WORDS, f"--max-count={limit}", *words, "--", timeout_seconds=QUICK_SECONDS))


def parsed(said: str) -> tuple[Commit, ...]:
    """Return the commits of what git's log said."""
    found: list[Commit] = []
    paths: list[str] = []
    head = ""
    for field in said.split("\0"):
        if field.startswith(_MARK):
            if head:
                found.append(_commit(head, paths))
            head, paths = field, []
        else:
            paths.append(field)
    return tuple([*found, _commit(head, paths)] if head else found)


def _commit(head: str, fields: Sequence[str]) -> Commit:
    ids, _, sessions = head.removeprefix(_MARK).partition(_MARK)
    commit, *parents = ids.split()
    # The line that sets the head apart from its paths stands before the first of them; a merge has an empty field.
    paths = (*(field.removeprefix("\n") for field in fields[:1]), *fields[1:])
    # A git that is too old to know the placeholder repeats it.
    named = () if sessions.startswith("%(") else tuple(sessions.split())
    return Commit(commit, tuple(parents), named, tuple(path for path in paths if path))
