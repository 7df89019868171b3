"""The page of `worktrees`: one row each."""

from exo_sidecar.cli.page import Cell, Headline, Page, Piece, Table
from exo_sidecar.cli.render.tones import NOTHING, counted, identifier, optional
from exo_sidecar.operations.worktrees import WorktreeItem, WorktreesListed

_COLUMNS = ("FOLDER", "BRANCH", "TICKET", "SESSION", "NOT COMMITTED", "AHEAD", "BEHIND")


def run(result: WorktreesListed) -> Page:
    """Show the worktrees as a table."""
    if not result.items:
        none = Headline((Cell("no worktrees of tickets", "dim"),))
        return Page((none,), ("exo worktree-create --ticket-id ID makes one",))
    return Page((Table(_COLUMNS, tuple(map(_row, result.items)), grows=0),))


def _row(item: WorktreeItem) -> tuple[Piece, ...]:
    dirty = Cell(counted(len(item.dirty_files), "file"), "warn") if item.dirty_files else NOTHING
    return (
        item.path if item.governed else Cell(f"{item.path} (gone)", "bad"),
        optional(item.branch),
        identifier(item.ticket_id) if item.ticket_id else NOTHING,
        optional(item.session_id),
        dirty,
        optional(item.ahead),
        optional(item.behind),
    )
