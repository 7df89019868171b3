"""The page of `lease-takeover`: from whom, and what was left."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece
from exo_sidecar.cli.render.tones import identifier
from exo_sidecar.model import duration
from exo_sidecar.operations.lease_takeover import LeaseTaken


def run(result: LeaseTaken) -> Page:
    """Show the old holder beside the new lease, and the old holder's unfinished work."""
    word = " would be taken over" if result.lease is None else " is taken over and reserved"
    headline = Headline((identifier(result.ticket_id), word), "none" if result.lease is None else "good")
    facts = Facts(tuple(_facts(result)))
    files = tuple(Cell(each, "warn") for each in result.left_behind.dirty_files)
    blocks = (headline, facts, Listing("Left uncommitted", files)) if files else (headline, facts)
    hint = "exo lease-takeover --yes does it" if result.lease is None else "exo session-start begins work on it"
    return Page(blocks, (hint,))


def _facts(result: LeaseTaken) -> Iterator[tuple[str, Piece]]:
    if result.session_id is not None:
        yield "session", result.session_id
    if result.lease is not None:
        yield "lease", f"token {result.lease.epoch}, lives {duration.show(result.lease.ttl_seconds)}"
    if result.previous is None:
        yield "from", Cell("nobody: it was free", "dim")
    else:
        old = result.previous
        yield "from", f"{old.actor} in {old.holder} (token {old.epoch}, seen for {duration.show(old.seen_for)})"
    if result.left_behind.branch is not None:
        yield "its branch", result.left_behind.branch
    if result.left_behind.worktree is not None:
        yield "its checkout", result.left_behind.worktree
