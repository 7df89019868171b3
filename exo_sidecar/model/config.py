"""Settings of `config.yaml` with their defaults; the document is deep-merged over these (docs/guides/settings.md).

The document is read strictly: a key that stands in no struct here is a fault, save those that begin with `x-`. Counts
start at 0, thresholds lie between 0 and 1, durations are texts like `15m`; None means none.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from exo_sidecar.model.check import Check

DURATION: Final = r"^[0-9]{1,9}[smhd]\Z"
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]
_Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
_Duration = Annotated[str, Meta(pattern=DURATION)]
_Fraction = Annotated[float, Meta(ge=0, le=1)]
_Word = Annotated[str, Meta(min_length=1, max_length=200)]
_Words: TypeAlias = Annotated[tuple[_Word, ...], Meta(max_length=1000)]
_Globs: TypeAlias = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...], Meta(max_length=1000)]
Command: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1000)] | Check
"""A command as people write it: a text, split into an argument list, or an object that says more."""
_Commands: TypeAlias = Annotated[tuple[Command, ...], Meta(max_length=200)]


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the settings."""


class BudgetSettings(_Section, frozen=True):
    """`defaults.ticket_budgets`: how much the work on a ticket may use."""

    max_files_changed: _Count = 12
    max_loc_changed: _Count = 400
    max_steps: _Count = 50
    max_depth: _Count = 10
    max_duration_seconds: _Count = 1800


class DefaultSettings(_Section, frozen=True):
    """`defaults`: what a new ticket has where nobody says otherwise."""

    ticket_budgets: BudgetSettings = BudgetSettings()
    ticket_checks: _Words = ()
    """Ids of checks."""
    ticket_type: _Word = "feature"


class TicketSettings(_Section, frozen=True):
    """`tickets`."""

    require_parent: bool = True
    max_tree_depth: Annotated[int, Meta(ge=1, le=100)] = 20
    plan_max: _Positive = 50


class LifecycleSettings(_Section, frozen=True):
    """`lifecycle`."""

    require_review: bool = False
    no_check_types: _Words = ("docs", "governance")
    """Types of tickets that may be done although no check ran."""


class AdmissionSettings(_Section, frozen=True):
    """`admission`: whose tickets must say for whom, why, and how it will be seen to work."""

    required: Literal["all", "roots", "off"] = "roots"
    humans: bool = False


class LoopSettings(_Section, frozen=True):
    """`loops`."""

    max_depth: _Count = 10
    window_days: _Count = 14
    identity: Literal["content", "strict"] = "content"
    repeat: _Count = 5
    pingpong: _Count = 5


class IdleSettings(_Section, frozen=True):
    """`idle`."""

    self_wake: bool = True
    max_hours: _Count = 24


class EscalationSettings(_Section, frozen=True):
    """`escalation`: how often, and how long apart, what failed is tried again."""

    enabled: bool = True
    retries: _Count = 3
    base_seconds: _Count = 1
    factor: Annotated[float, Meta(ge=1, le=100)] = 2
    cap_seconds: _Count = 120
    jitter: bool = True
    manager: _Word | None = None
    on_blocked: Command | None = None


class Lane(_Section, frozen=True, forbid_unknown_fields=True):
    """How many tickets of some types are worked on at once."""

    name: _Word
    allowed_types: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=100)]
    """`*` is every type that no lane before it names."""
    count: _Count


_LANES: Final = (
    Lane(name="feature", allowed_types=("feature",), count=3),
    Lane(name="bug", allowed_types=("bug",), count=2),
    Lane(name="chore", allowed_types=("chore", "docs"), count=1),
)


class SchedulerSettings(_Section, frozen=True):
    """`scheduler`."""

    enabled: bool = False
    global_concurrency_limit: _Count | None = None
    lanes: Annotated[tuple[Lane, ...], Meta(max_length=100)] = _LANES


class DispatchSettings(_Section, frozen=True):
    """`dispatch`."""

    max_attempts: Annotated[int, Meta(ge=1, le=1000)] = 16


class LeaseSettings(_Section, frozen=True):
    """`leases`."""

    remote: _Word = "origin"
    ttl: _Duration = "4h"
    max_ttl: _Duration = "24h"
    per_actor: Annotated[int, Meta(ge=1)] = 8
    guard: Literal["allow", "require"] = "allow"
    """Whether the pre-push hook lets a plain push of a leased branch go."""
    offline: Literal["provisional", "refuse"] = "provisional"


class SyncSettings(_Section, frozen=True):
    """`sync`."""

    auto: Literal["off", "lifecycle", "always"] = "lifecycle"
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)] = 5
    max_rounds: Annotated[int, Meta(ge=1, le=100)] = 8
    remotes: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=16)] = ()
    """Whom `exo sync` exchanges with, beside the remote that decides about leases."""


class SessionSettings(_Section, frozen=True):
    """`sessions`."""

    branch: Literal["off", "suggest", "switch", "worktree"] = "suggest"
    branch_prefix: Annotated[str, Meta(min_length=1, max_length=100)] = "exo/"
    stale_hours: _Positive = 48
    require_disjoint: bool = False
    """Whether no session starts whose scope overlaps that of a living one."""


class HandoffSettings(_Section, frozen=True):
    """`handoff`."""

    reserve_hours: _Count = 24


class AdvisorySettings(_Section, frozen=True):
    """`advisories`."""

    behind_commits: _Count = 15
    unmerged_days: _Count = 14


class BootstrapSettings(_Section, frozen=True):
    """`bootstrap`."""

    max_tokens: Annotated[int, Meta(ge=100, le=1_000_000)] = 1500
    max_learnings: _Count = 10


class DriftSettings(_Section, frozen=True):
    """`drift`."""

    threshold: _Fraction = 0.7
    block_above: _Fraction | None = None


class CoUpdate(_Section, frozen=True, forbid_unknown_fields=True):
    """Files that change together or not at all."""

    label: _Word
    files: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...], Meta(min_length=1, max_length=100)]


class CoherenceSettings(_Section, frozen=True):
    """`coherence`."""

    enabled: bool = True
    co_update_rules: Annotated[tuple[CoUpdate, ...], Meta(max_length=200)] = ()
    docstring_languages: _Words = ("py",)
    skip_patterns: _Globs = ()


class TraceabilitySettings(_Section, frozen=True):
    """`traceability`."""

    test_globs: _Globs = ("tests/**", "test/**", "**/test_*", "**/*_test.*", "**/*.test.*", "**/*.spec.*")


class FollowUpSettings(_Section, frozen=True):
    """`follow_up`."""

    mode: Literal["off", "suggest", "create"] = "suggest"
    max_per_session: _Count = 5


class RoleSettings(_Section, frozen=True):
    """`roles`."""

    enforce: Literal["off", "warn", "block"] = "warn"
    default: _Word = "Builder"


class ApprovalSettings(_Section, frozen=True):
    """`approvals`."""

    request_hours: _Count = 24
    grant_hours: _Count = 1
    proposal_hours: _Count = 72
    allow_self: bool = False
    trusted: _Words = ()
    """Actors whose word counts for proposals of practice and tooling."""


class ExecutionSettings(_Section, frozen=True):
    """`execution`."""

    executors: _Commands = ()
    default_timeout: _Duration = "10m"


class ControlSettings(_Section, frozen=True):
    """`control`."""

    cas_head: _Words = ()


class HookSettings(_Section, frozen=True):
    """`hooks`."""

    enforce: Literal["block", "warn", "off"] = "block"
    require_session: bool = False
    budget_warn_percent: Annotated[int, Meta(ge=0, le=100)] = 80
    on_end: Literal["suspend", "finish"] = "suspend"


class GitSettings(_Section, frozen=True):
    """`git_controls`."""

    base_branch: _Word = "main"
    ignore_paths: _Globs = ()
    """Left out of drift, traces and scans."""


class PullRequestSettings(_Section, frozen=True):
    """`pr`."""

    scope: Literal["fail", "warn", "off"] = "warn"
    exempt_authors: _Words = ()


class CiSettings(_Section, frozen=True):
    """`ci`."""

    fixers: _Commands = ()
    install_command: Command | None = None
    """None installs this version, pinned."""
    python_version: _Word = "3.11"


class PrivateMemorySettings(_Section, frozen=True):
    """`private_memory`."""

    enabled: bool = True
    watch_paths: _Globs = ()


class PrivacySettings(_Section, frozen=True):
    """`privacy`."""

    redact_local_paths: bool = True
    redact_actors: bool = False
    """Whether names of actors are hashed in traces and reports."""


class IdentitySettings(_Section, frozen=True):
    """`identity`."""

    require_signature: bool = False
    keys: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=2000)], ...], Meta(max_length=1000)] = ()


class TelemetrySettings(_Section, frozen=True):
    """`telemetry`."""

    enabled: bool = False
    content: bool = False


class StorageSettings(_Section, frozen=True):
    """`storage`."""

    network: bool = False


class FlagSettings(_Section, frozen=True):
    """`flags`: whole parts, on when their own value and those they need are on (`FLAG_NEEDS`)."""

    execution_gate: bool = True
    operator_approval: bool = True
    quorum: bool = False
    workers: bool = False
    signing: bool = False


FLAG_NEEDS: Final = {"operator_approval": "execution_gate", "quorum": "operator_approval", "workers": "execution_gate"}
"""The flag without which a flag is off whatever it says."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings."""

    version: Literal[1] = 1
    defaults: DefaultSettings = DefaultSettings()
    checks_allowlist: _Commands = ()
    """The only commands that run as checks."""
    global_checks: _Words = ()
    """Ids of checks that every ticket has."""
    do_allowlist: _Commands = ()
    recall_paths: _Globs = ("docs",)
    tickets: TicketSettings = TicketSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    admission: AdmissionSettings = AdmissionSettings()
    loops: LoopSettings = LoopSettings()
    idle: IdleSettings = IdleSettings()
    escalation: EscalationSettings = EscalationSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    dispatch: DispatchSettings = DispatchSettings()
    leases: LeaseSettings = LeaseSettings()
    sync: SyncSettings = SyncSettings()
    sessions: SessionSettings = SessionSettings()
    handoff: HandoffSettings = HandoffSettings()
    advisories: AdvisorySettings = AdvisorySettings()
    bootstrap: BootstrapSettings = BootstrapSettings()
    drift: DriftSettings = DriftSettings()
    coherence: CoherenceSettings = CoherenceSettings()
    traceability: TraceabilitySettings = TraceabilitySettings()
    follow_up: FollowUpSettings = FollowUpSettings()
    roles: RoleSettings = RoleSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    execution: ExecutionSettings = ExecutionSettings()
    control: ControlSettings = ControlSettings()
    hooks: HookSettings = HookSettings()
    git_controls: GitSettings = GitSettings()
    pr: PullRequestSettings = PullRequestSettings()
    ci: CiSettings = CiSettings()
    private_memory: PrivateMemorySettings = PrivateMemorySettings()
    privacy: PrivacySettings = PrivacySettings()
    identity: IdentitySettings = IdentitySettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    storage: StorageSettings = StorageSettings()
    flags: FlagSettings = FlagSettings()
