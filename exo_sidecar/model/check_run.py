"""What running checks leaves: the facts of one run of a program, the verdict on it, and the tree that it holds for."""

from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

CheckVerdict: TypeAlias = Literal["passed", "failed", "timeout", "missing", "empty", "unstable"]
"""Of one check. `empty`: it ran and did nothing. `unstable`: several runs of it did not agree."""
RunVerdict: TypeAlias = Literal["pass", "fail", "none"]
"""Of all together. `none`: there was no check, or none did anything; it never counts as a pass."""
Verify: TypeAlias = Literal["passed", "failed", "none", "bypassed"]
"""How a session's work was verified. `bypassed`: somebody passed the checks over, and said why."""
RESULTS_MAX: Final = 200
ID_MAX: Final = 1000
"""A check that is written as a text has the text for its id."""
_COUNT_MAX: Final = 2**53 - 1


class Tree(NamedTuple):
    """What was checked: a commit, and what differed from it."""

    commit: str | None
    """None: nothing is committed yet."""
    dirty: str | None
    """Digest of the changes that are not committed; None: there are none."""


class CheckRan(NamedTuple):
    """The facts of one run of a check's program."""

    status: int | None
    """Exit status, negative for a signal; None: it did not come to its end, or never began."""
    ended: Literal["exited", "timed out", "not found"]
    output: str
    """The last of what it wrote, both streams as they came; secrets are masked."""
    seconds: float
    report: bytes | None = None
    """The report that it wrote, where the check names one; None: it wrote none."""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The verdict on one check, as the ledger keeps it: what it wrote is shown and never kept."""

    id: Annotated[str, Meta(min_length=1, max_length=ID_MAX)]
    verdict: CheckVerdict
    items: Annotated[int, Meta(ge=0, le=_COUNT_MAX)] | None = None
    """How many tests or files it looked at; None: it does not say."""
    exit_status: Annotated[int, Meta(ge=-_COUNT_MAX, le=_COUNT_MAX)] | None = None
    milliseconds: Annotated[int, Meta(ge=0, le=_COUNT_MAX)] = 0


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that a ticket's checks ran, or were passed over by somebody."""

    verdict: Literal["pass", "fail", "none", "bypassed"]
    commit: str | None
    dirty: str | None
    checks: tuple[CheckResult, ...]
    reason: str | None
    """Why they were passed over."""
    actor: str
    session: str | None
    at: str

    @property
    def tree(self) -> Tree:
        """What it holds for."""
        return Tree(self.commit, self.dirty)
