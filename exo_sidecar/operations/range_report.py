"""A range of commits as a reviewer looks at it: who made what, in which session, what is out of scope."""

from typing import Final

import msgspec

from exo_sidecar.domain import fence
from exo_sidecar.host import checkout, commit_log
from exo_sidecar.host.commit_log import Commit
from exo_sidecar.model import ids
from exo_sidecar.model.errors import NotFound
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import session_facts
from exo_sidecar.operations.context import Context

COMMITS_MAX: Final = 1000
COMMITS_SHOWN_MAX: Final = 100
PATHS_SHOWN_MAX: Final = 200


class RefUnknown(NotFound):
    """There is no commit of this name here."""

    code = "REF_UNKNOWN"
    advice = "name a branch, tag or commit of this clone; git fetch brings what others have"


class RangeCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of a range."""

    id: str
    sessions: tuple[str, ...]
    """Whom its trailers name."""
    known: bool
    """Whether they name sessions, and the ledger has each of them."""
    files: int


class RangeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the commits of a range change: those that `head` has and `base` has not."""

    base: str
    head: str
    commits: tuple[RangeCommit, ...]
    """The youngest first, up to 100."""
    commit_count: int
    unsigned: int
    """How many name no session, or one that the ledger has not."""
    files: tuple[str, ...]
    """Up to 200."""
    file_count: int
    out_of_scope: tuple[str, ...]
    """Those outside of the ticket's fence, up to 200."""
    out_of_scope_count: int


def of_range(ctx: Context, view: View, record: TicketRecord, base: str, head: str) -> RangeReport:
    """Return what the commits of a range are, judged by the fence of one ticket.

    Raises:
        RefUnknown: one of the names is that of no commit here.
        CheckoutUnreadable: there are more than COMMITS_MAX commits; TimedOut, GitRequired.
    """
    start, end = _commit(ctx, base), _commit(ctx, head)
    found = commit_log.read(session_facts.worktree_of(ctx), end, f"^{start}", limit=COMMITS_MAX)
    shown = tuple(_shown(view, commit) for commit in found)
    files = tuple(sorted({path for commit in found for path in commit.paths}))
    outside = tuple(fence.scope(view, record).outside(files))
    return RangeReport(
        base=start,
        head=end,
        commits=shown[:COMMITS_SHOWN_MAX],
        commit_count=len(shown),
        unsigned=sum(1 for commit in shown if not commit.known),
        files=files[:PATHS_SHOWN_MAX],
        file_count=len(files),
        out_of_scope=outside[:PATHS_SHOWN_MAX],
        out_of_scope_count=len(outside),
    )


def _commit(ctx: Context, name: str) -> str:
    found = checkout.resolve(ctx.place, name)
    if found is None:
        message = f"there is no commit {name[:100]!r} in this clone"
        raise RefUnknown(message, ref=name[:100])
    return found


def _shown(view: View, commit: Commit) -> RangeCommit:
    known = [ids.is_id(name) and view.session(SessionId(name)) is not None for name in commit.sessions]
    return RangeCommit(
        id=commit.id, sessions=commit.sessions, known=bool(known) and all(known), files=len(commit.paths)
    )
