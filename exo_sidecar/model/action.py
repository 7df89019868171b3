"""Actions of a session, and everything they are judged by: values that the kernel is given (docs/kernel.md, "Fence").

What stands on the disk is found out before, by the host; what the ledger knows, by the view. A judgement reads nothing.
"""

from typing import Literal

import msgspec

from exo_sidecar.model.policy import Seal, Verdict
from exo_sidecar.model.role import Role
from exo_sidecar.model.rule import ActorKind, FileAction
from exo_sidecar.model.ticket import Budgets, Scope

Area = Literal["checkout", "git", "mount", "worktree", "outside"]
"""Where a path lies: the governed checkout, git's own folder, the mount, another worktree, or none of these."""
Layer = Literal[
    "halt",
    "policy",
    "action",
    "mount",
    "session",
    "role",
    "scope_allow",
    "scope_deny",
    "filesystem",
    "command",
    "delete",
    "budget",
    "allowed",
]
"""What an action was decided by, in the order in which it is asked."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One path under each of its names, without a slash before or behind; empty for the folder itself."""

    area: Area
    checkout: str | None
    """From the checkout's root; None outside of it. Git's folder is `.git` and the mount `.exo`, wherever they lie."""
    home: str | None
    """From the home folder; None outside of it."""
    root: str
    """From the file system's root."""
    within: str = ""
    """From the root of its area; of git's folder and of the mount it is what they call the file."""


class PathFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A path as it stands on the disk."""

    asked: str
    """As the caller wrote it: what messages say."""
    written: Place
    """With `.` and `..` taken out, links not followed."""
    resolved: Place
    """With every link followed, also in its folders."""
    exists: bool = False
    is_folder: bool = False
    is_link: bool = False
    """Whether it is a link itself; links among its folders show in `resolved`."""
    tracked: bool = False
    """Whether git has it, or anything below it, in its index."""
    folds_case: bool = False
    """Whether the file system takes `A` and `a` for one name."""
    holds: tuple[Area, ...] = ()
    """Other areas that lie below a folder: whoever removes it removes them."""
    fault: str = ""
    """Why it cannot be judged; empty when it can."""


class FileAct(msgspec.Struct, frozen=True, kw_only=True, tag="file"):
    """Something is done to a path."""

    action: FileAction
    path: PathFacts


class CommandAct(msgspec.Struct, frozen=True, kw_only=True, tag="command"):
    """A command is run."""

    argv: tuple[str, ...]


class UnknownAct(msgspec.Struct, frozen=True, kw_only=True, tag="unknown"):
    """Something is done that nobody here has a word for: it is refused."""

    word: str


Action = FileAct | CommandAct | UnknownAct


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a ticket's work has used so far."""

    files_changed: int = 0
    loc_changed: int = 0
    steps: int = 0
    depth: int = 0
    duration_seconds: int = 0
    is_new_file: bool = False
    """Whether the action makes a file that counts as one more."""


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an action of one caller is judged by."""

    actor: ActorKind
    verdict: Verdict
    seal: Seal | None
    """The policy in force; None where none can be relied on."""
    halted: str = ""
    """Why everything stands still; empty when nothing does."""
    session: str | None = None
    ticket: str | None = None
    ticket_type: str = ""
    holds: bool = False
    """Whether the session holds the lease of its ticket."""
    fenced: bool = False
    """Whether it held it and was overtaken."""
    role: Role | None = None
    scope: Scope | None = None
    """The ticket's effective scope; None without a ticket."""
    budgets: Budgets = Budgets()
    spent: Spent = Spent()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action."""

    decision: Literal["allow", "deny"]
    layer: Layer
    rule: str = ""
    """Id of the rule, or the scope's glob, that decided; empty where no rule did."""
    message: str = ""
    """Why, to whoever asked; empty for an allowed action."""
    hint: str = ""

    @property
    def is_allowed(self) -> bool:
        """Whether the action may be done."""
        return self.decision == "allow"
