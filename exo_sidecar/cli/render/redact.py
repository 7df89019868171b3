"""The page of `redact`."""

from exo_sidecar.cli.page import Facts, Headline, Page, Piece
from exo_sidecar.operations.redact import Redacted


def run(result: Redacted) -> Page:
    """Say what was taken out, and what is left to do."""
    word = "was redacted before" if result.already else "is redacted"
    rows: tuple[tuple[str, Piece], ...] = (
        ("was", f"{result.type} of {result.subject}"),
        ("digest", result.digest),
        ("reason", result.reason),
    )
    hints = (
        "exo sync tells every other clone",
        "git's history still has it: exo sidecar-compact, then git gc, in each clone and on each remote",
    )
    return Page((Headline((f"{result.event} {word}",), "good"), Facts(rows)), hints)
