"""Advisories: what a session should know when it starts. They inform, and stop nobody."""

from typing import Final, Literal, TypeAlias

import msgspec

Detail: TypeAlias = str | int | float | bool | tuple[str, ...] | None
Severity = Literal["warning", "info"]

CO_UPDATE: Final = "co_update_impact"
CONTENTION: Final = "ticket_contention"
DIRTY: Final = "dirty_worktree"
DIVERGENCE: Final = "base_divergence"
HANDOFF: Final = "handoff_expired"
LOAD: Final = "machine_load"
MISMATCH: Final = "ticket_branch_mismatch"
POLICY: Final = "policy_notice"
PROVISIONAL: Final = "provisional_lease"
SCOPE: Final = "scope_conflict"
STALE: Final = "stale_branch"
UNBLOCKED: Final = "unblocked_by_cancel"
UNMERGED: Final = "unmerged_work"


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the session should know."""

    kind: str
    severity: Severity
    message: str
    detail: dict[str, Detail] = {}
    """The facts that it rests on."""
