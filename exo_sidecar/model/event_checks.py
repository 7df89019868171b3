"""Events of checks: what ran, on which tree, and what came of it (docs/format.md, "Events")."""

from typing import Annotated, Literal

from msgspec import Meta

from exo_sidecar.model.check_run import RESULTS_MAX, CheckResult
from exo_sidecar.model.event_parts import Commit, Digest, EventData, Text, Ticket


class ChecksRan(EventData, frozen=True):
    """Checks ran, or somebody passed them over; what came of it holds for the tree that is named."""

    verdict: Literal["pass", "fail", "none", "bypassed"]
    ticket: Ticket | None = None
    """None: those that every ticket has, run for none in particular."""
    commit: Commit | None = None
    dirty: Digest | None = None
    """Digest of what was changed and not committed; None: nothing was."""
    checks: Annotated[tuple[CheckResult, ...], Meta(max_length=RESULTS_MAX)] = ()
    reason: Text | None = None
    """Why they were passed over."""
