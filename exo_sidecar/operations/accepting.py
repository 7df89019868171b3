"""Accepting: a person takes a remote's branch as it is although it lost or changed what was verified here.

The ledger is told first, with both tips, so that a kill in between leaves nothing unsaid. Then the branch is united
with what is known here as ever: no event is lost, and what the remote lost goes back to it.
"""

import msgspec

from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_pushes import LOST_MAX, SyncRewritten
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.operations.context import Context
from exo_sidecar.sync import sync


class Rewritten(msgspec.Struct, frozen=True, kw_only=True):
    """A remote's branch that a person took as it is."""

    before: Oid | None
    """The tip that was verified last; None when that is not known."""
    after: Oid
    lost: tuple[str, ...]
    """The highest event of each writer that was gone, or another, there."""


def accept(ctx: Context, remote: Remote, *, timeout_seconds: float, reason: str) -> Rewritten | None:
    """Tell the ledger what the remote's branch lost, and that it is taken so; None and a warning when it lost none."""
    found = sync.rewrite_at(ctx.store, remote, timeout_seconds=timeout_seconds)
    if found is None:
        ctx.warn("NOTHING_REWRITTEN", f"{remote} has everything that was verified here; there was nothing to accept")
        return None
    lost = tuple(f"{each.writer}:{each.seq}" for each in found.lost[:LOST_MAX])
    data = SyncRewritten(remote=str(remote), before=found.before, after=found.after, reason=reason, lost=lost)
    ctx.transact(lambda _: Outcome(events=(Draft(subject="sync", data=data),)))
    return Rewritten(before=found.before, after=found.after, lost=lost)
