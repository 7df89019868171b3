"""Rules of a constitution: one Struct per type (docs/kernel.md, "Rules"). A closed set: another type is an error.

What a person writes is judged by the kernel, which names every fault; what stands in a lock is read by these types.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from exo_sidecar.model.ticket import COUNT_MAX

ActorKind = Literal["human", "agent"]
FileAction = Literal["read", "write", "delete"]
Severity = Literal["error", "warning", "info"]
Step = Literal["review", "done", "push"]
ActionClass = Literal["A0", "A1", "A2", "A3"]
ActionVerdict = Literal["allow", "deny", "require_approval", "defer"]
GateKind = Literal["practice", "governance", "tooling"]
Power = Literal[
    "read",
    "write",
    "delete",
    "command",
    "network",
    "check",
    "ticket",
    "plan",
    "approval",
    "note",
    "learning",
    "handoff",
    "archive",
]
"""What a role may do, in words."""

FILE_ACTIONS: Final[tuple[FileAction, ...]] = ("read", "write", "delete")
ACTORS: Final[tuple[ActorKind, ...]] = ("human", "agent")
MEMBERS_MAX: Final = 500
"""Members of one list of a rule: more are a folder that nobody named."""
PATTERN_MAX: Final = 512
RULE_ID: Final = r"^[A-Z]+-[0-9A-Z-]+\Z"
ID_MAX: Final = 64

RuleId = Annotated[str, Meta(pattern=RULE_ID, max_length=ID_MAX)]
_Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
_Word = Annotated[str, Meta(min_length=1, max_length=200)]
_Words = Annotated[tuple[_Word, ...], Meta(max_length=MEMBERS_MAX)]
Patterns = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=PATTERN_MAX)], ...], Meta(max_length=MEMBERS_MAX)
]
"""Scope globs; those of `filesystem_deny` and `filesystem_allow` may also begin with `~/` or `/`."""
_Duration = Annotated[str, Meta(pattern=r"^[0-9]{1,9}[smhd]\Z")]


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What every rule has."""

    id: RuleId
    message: Annotated[str, Meta(max_length=1000)] = ""
    """What somebody is told whom the rule refuses."""
    severity: Severity = "error"
    actors: tuple[ActorKind, ...] = ACTORS
    """Whom it binds."""


class FilesystemDeny(_Rule, frozen=True, kw_only=True, tag="filesystem_deny"):
    """Denies actions on paths."""

    patterns: Patterns
    actions: tuple[FileAction, ...] = FILE_ACTIONS


class FilesystemAllow(_Rule, frozen=True, kw_only=True, tag="filesystem_allow"):
    """Lifts the named deny rules on paths, and no other."""

    patterns: Patterns
    actions: tuple[FileAction, ...] = FILE_ACTIONS
    overrides: Annotated[tuple[RuleId, ...], Meta(max_length=MEMBERS_MAX)]


class CommandDeny(_Rule, frozen=True, kw_only=True, tag="command_deny"):
    """Denies commands by their first arguments, or by a pattern over the whole line."""

    argv_prefixes: Annotated[tuple[_Words, ...], Meta(max_length=MEMBERS_MAX)] = ()
    """Each the first arguments of a command; a text is split at its spaces."""
    regexes: Patterns = ()


class RequireLock(_Rule, frozen=True, kw_only=True, tag="require_lock"):
    """Asks for the lease of a ticket."""

    actions: tuple[FileAction, ...] = ("write", "delete")
    patterns: Patterns = ("**",)


class RequireChecks(_Rule, frozen=True, kw_only=True, tag="require_checks"):
    """Asks for checks that passed before a step."""

    steps: tuple[Step, ...] = msgspec.field(name="for", default=("done",))
    checks: _Words = ()


class ActionRule(_Rule, frozen=True, kw_only=True, tag="action"):
    """Judges a proposed action; in order, the first that matches holds."""

    verdict: ActionVerdict
    types: _Words = ()
    """Empty: every type; so for targets and classes."""
    targets: _Words = ()
    classes: tuple[ActionClass, ...] = ()
    approvals: Annotated[int, Meta(ge=1, le=100)] = 1
    quorum: Annotated[int, Meta(ge=1, le=100)] | None = None
    retry_after: _Duration | None = None


class BudgetRule(_Rule, frozen=True, kw_only=True, tag="budget"):
    """Sets ceilings of budgets."""

    max_files_changed: _Count | None = None
    max_loc_changed: _Count | None = None
    max_steps: _Count | None = None
    max_depth: _Count | None = None
    max_duration_seconds: _Count | None = None
    types: _Words = ()
    """Types of the tickets that it binds; empty: every ticket."""


class RoleRule(_Rule, frozen=True, kw_only=True, tag="role"):
    """Adds a role, or tightens one that there is."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}\Z")]
    may: tuple[Power, ...] = ()
    patterns: Patterns = ()
    """Where it may write, inside of what its ticket allows; empty: wherever the ticket does."""
    must_return: _Words = ()
    forbidden: tuple[Power, ...] = ()


class EvolutionGate(_Rule, frozen=True, kw_only=True, tag="evolution_gate"):
    """Says what a proposal of a kind needs before it is applied."""

    kind: GateKind
    approvals: Annotated[int, Meta(ge=1, le=100)] = 1
    human: bool = True
    cooldown_hours: Annotated[int, Meta(ge=0, le=100_000)] = 24


class PatchFirst(_Rule, frozen=True, kw_only=True, tag="patch_first"):
    """Names files that change by an approved proposal alone."""

    patterns: Patterns


Rule: TypeAlias = (
    ActionRule
    | BudgetRule
    | CommandDeny
    | EvolutionGate
    | FilesystemAllow
    | FilesystemDeny
    | PatchFirst
    | RequireChecks
    | RequireLock
    | RoleRule
)
TYPES: Final[dict[str, type[Rule]]] = {
    "action": ActionRule,
    "budget": BudgetRule,
    "command_deny": CommandDeny,
    "evolution_gate": EvolutionGate,
    "filesystem_allow": FilesystemAllow,
    "filesystem_deny": FilesystemDeny,
    "patch_first": PatchFirst,
    "require_checks": RequireChecks,
    "require_lock": RequireLock,
    "role": RoleRule,
}
NAMES: Final = {rule: name for name, rule in TYPES.items()}
