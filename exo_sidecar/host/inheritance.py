"""Inheritance: commits on a session's branch that are not its own, there before its start or landed by others."""

from collections.abc import Collection

from exo_sidecar.git.locate import Place
from exo_sidecar.git.oid import is_oid
from exo_sidecar.host import checkout, commit_log, session_changes
from exo_sidecar.host.checkout import COMMITS_MAX
from exo_sidecar.host.commit_log import Commit
from exo_sidecar.host.session_changes import Apart


def of_session(place: Place, base: str | None, own: Collection[str], apart: Apart) -> tuple[Commit, ...]:
    """Return the commits of others, the youngest first: on the branch before the start, and those that came since.

    `own` are the session's. Raises CheckoutUnreadable, also where there are more than COMMITS_MAX; TimedOut.
    """
    if place.worktree is None or base is None or not is_oid(base):
        return ()
    head = checkout.head(place).commit
    tips = session_changes.tips(place, apart)
    found: list[Commit] = []
    if head is not None and head != base:
        found += commit_log.read(place.worktree, head, f"^{base}", limit=COMMITS_MAX)
    if tips and base not in tips:
        found += commit_log.read(place.worktree, base, *(f"^{tip}" for tip in tips), limit=COMMITS_MAX)
    return tuple(commit for commit in found if commit.id not in own)
