"""Sessions: the unit that works; two agents that share an actor name share nothing else."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from exo_sidecar.model.check_run import RESULTS_MAX, CheckResult, Verify
from exo_sidecar.model.drift import SHOWN_MAX, Drift
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.manifest import Resolution
from exo_sidecar.model.ticket import TEXT_MAX

PATCHES_MAX: Final = 200
_UNNAMED: Final = "unknown"
"""What a session says of its model when nobody named one."""
WARNINGS_MAX: Final = 20
SessionStatus = Literal["reserved", "active", "suspended", "finished"]
SessionMode = Literal["work", "audit"]
"""An audit looks on: it holds no lease, and changes nothing."""


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A session as the fold knows it."""

    id: SessionId
    ticket: TicketId
    actor: str
    status: SessionStatus
    clone: str
    """The writer that reserved, started or last resumed it."""
    mode: SessionMode = "work"
    epoch: int | None = None
    role: str = "Builder"
    vendor: str = "unknown"
    model: str = "unknown"
    context_window: int | None = None
    task: str | None = None
    branch: str | None = None
    base: str | None = None
    """Commit that was checked out at the start, whatever happened since."""
    part_base: str | None = None
    """Commit that was checked out when it was resumed last; None: it never was."""
    suspensions: "tuple[Suspension, ...]" = ()
    """Its interruptions, the oldest first."""
    handoff: str | None = None
    """Id of the handoff that it ended with."""
    started_at: str | None = None
    finished_at: str | None = None
    finish: "Finish | None" = None
    policy: str | None = None
    """Digest of the policy that it worked under last: as it began, then as it was interrupted or ended."""
    seal: str | None = None
    """The digest over its end, as the event that ended it says."""
    claim: str | None = None
    """Nonce of a claim made offline, while no lease confirms it: what the session writes is provisional."""
    evicted: str | None = None
    """Why its clone ended it, when it did not end by itself."""
    last_heartbeat: str | None = None
    """When it last gave a sign of life, where it was evicted and that is known."""

    @property
    def is_audit(self) -> bool:
        """Whether it looks on beside whoever works."""
        return self.mode == "audit"

    @property
    def has_memento(self) -> bool:
        """Whether there is anything for others to read: it ended, or was interrupted."""
        return self.finish is not None or bool(self.suspensions)

    @property
    def interruption(self) -> "Suspension | None":
        """The suspension that lasts, None when none does."""
        return self.suspensions[-1] if self.status == "suspended" and self.suspensions else None


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """One interruption of a session."""

    at: str
    reason: str
    previous_status: str
    """The ticket's status until then."""
    keeps_lease: bool = False
    branch: str | None = None
    head: str | None = None
    saved: str | None = None
    """The commit that holds the work that was taken out of the checkout."""
    uncommitted: tuple[str, ...] = ()
    resumed_at: str | None = None
    """None: it lasts."""


class OfflineClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for a ticket, made without its authority; the first sync asks for the lease."""

    session: SessionId
    ticket: TicketId
    nonce: str
    lost: str | None = None
    """Why it was not confirmed, once that is known."""


class Inherited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Commits on a session's branch that are not its own: there before its start, or landed by others."""

    commits: int
    files: int
    out_of_scope: Annotated[tuple[str, ...], Meta(max_length=SHOWN_MAX)] = ()
    """The first of the files that lie outside of the ticket's fence."""
    out_of_scope_count: int = 0


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """What a session says at its end; the memento is rendered from it."""

    summary: str
    ticket_status: str
    head: str | None = None
    branch: str | None = None
    commits: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()
    next_step: str | None = None
    artifacts: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    lesson: str | None = None
    errors: tuple[str, ...] = ()
    drift: Drift | None = None
    verify: Verify | None = None
    """How the work was verified; None: it was not asked."""
    checks: Annotated[tuple[CheckResult, ...], Meta(max_length=RESULTS_MAX)] = ()
    checks_error: Annotated[str, Meta(max_length=TEXT_MAX)] | None = None
    """Why the checks could not be run."""
    break_glass: Annotated[str, Meta(max_length=TEXT_MAX)] | None = None
    """Why the checks were passed over."""
    break_glass_by: Annotated[str, Meta(max_length=80)] | None = None
    """Who did that."""
    patch_ids: Annotated[tuple[str, ...], Meta(max_length=PATCHES_MAX)] = ()
    """What names the changes of the commits wherever they go."""
    inherited: Inherited | None = None
    """What the branch holds of others; None: nothing, or it could not be told."""
    commits_error: Annotated[str, Meta(max_length=TEXT_MAX)] | None = None
    """Why what the commits are could not be told in full."""
    warnings: Annotated[tuple[Annotated[str, Meta(max_length=TEXT_MAX)], ...], Meta(max_length=WARNINGS_MAX)] = ()
    requirements: Resolution | None = None
    """What became of the requirements that the ticket names; None: it names none, or nobody could tell."""


def model_of(model: str, vendor: str) -> str:
    """Return the model that a session named, and whose it is; empty when it named neither."""
    return " of ".join(each for each in (model, vendor) if each != _UNNAMED)
