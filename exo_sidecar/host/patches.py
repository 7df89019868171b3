"""Patch ids: what names a commit's change wherever a rebase or a cherry-pick takes it (git patch-id --stable)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exo_sidecar.git import cgit
from exo_sidecar.host import process
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.model.errors import GitRequired

_PATCHES_MAX_BYTES: Final = 32 * 1024 * 1024
_DIFF: Final = (
    *("log", "--no-walk=unsorted", "--format=commit %H", "--patch", "--no-color", "--no-ext-diff", "--no-textconv"),
    # Whoever reckons the same id elsewhere has other settings.
    *("--no-renames", "--unified=3", "--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/", "--full-index"),
)


def ids(worktree: Path, commits: Sequence[str]) -> tuple[str, ...]:
    """Return the patch ids of the commits, sorted; merges and empty commits have none.

    Raises:
        CheckoutUnreadable: git could not tell, or the changes are more than can be looked at.
        TimedOut, GitRequired.
    """
    if not commits:
        return ()
    environ = cgit.environment({"GIT_OPTIONAL_LOCKS": "0"})
    try:
        words = ["git", *_DIFF, *commits, "--"]
        ran = process.run(words, cwd=worktree, environ=environ, output_max_bytes=_PATCHES_MAX_BYTES)
    except process.ProgramMissing as error:
        message = "git is not installed, and only git says what a commit changes"
        raise GitRequired(message) from error
    except process.OutputTooLarge as error:
        message = f"the changes of {len(commits)} commits are too large to be named by what they are"
        raise CheckoutUnreadable(message) from error
    if ran.status != 0:
        message = f"git log failed in {worktree}: {ran.complaint}"
        raise CheckoutUnreadable(message)
    said = cgit.run(["patch-id", "--stable"], cwd=worktree, stdin=ran.stdout)
    if said.status != 0:
        message = f"git patch-id failed in {worktree}"
        raise CheckoutUnreadable(message)
    return tuple(sorted({line.split()[0].decode() for line in said.stdout.splitlines() if line}))
