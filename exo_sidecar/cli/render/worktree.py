"""Pages of one worktree: made, or removed."""

import shlex

from exo_sidecar.cli.page import Cell, Facts, Headline, Page, Piece
from exo_sidecar.cli.render.tones import identifier, optional
from exo_sidecar.operations.worktree import WorktreeCreated
from exo_sidecar.operations.worktree_removing import WorktreeRemoved


def create(result: WorktreeCreated) -> Page:
    """Show where the worktree is, and how to begin in it."""
    word = "has a worktree" if result.created else "had its worktree already"
    headline = Headline((identifier(result.ticket_id), f" {word}"), "good")
    rows: tuple[tuple[str, Piece], ...] = (
        ("folder", result.path),
        ("branch", result.branch),
        ("begun at", f"{result.base} ({result.commit[:12]})"),
    )
    go = f"cd {shlex.quote(result.path)} && exo session-start --ticket-id {result.ticket_id}"
    return Page((headline, Facts(rows)), (f"{go} begins to work there",))


def remove(result: WorktreeRemoved) -> Page:
    """Show what went, and where its work is."""
    headline = Headline((result.path, " is removed" if result.removed else " would be removed"), "good")
    branch = Cell(f"{result.branch} (deleted)", "warn") if result.branch_deleted else optional(result.branch)
    rows: tuple[tuple[str, Piece], ...] = (("branch", branch), ("saved work", optional(result.saved_ref)))
    hints = (f"git show {result.saved_ref} shows the saved work",) if result.removed and result.saved_ref else ()
    return Page((headline, Facts(rows)), hints)
