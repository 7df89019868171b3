"""The page of `drift`: one session's score and what it is made of."""

from typing import Literal

from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Listing, Page
from exo_sidecar.cli.render.session import drift
from exo_sidecar.cli.render.tones import counted, identifier, optional
from exo_sidecar.operations.drift import DriftTold


def run(result: DriftTold) -> Page:
    """Show the score, then the files that it comes from."""
    found = result.session_drift
    mark: Literal["good", "warn"] = "good" if result.verdict == "pass" else "warn"
    headline = Headline((identifier(result.session_id), " on ", identifier(result.ticket_id), ": ", drift(found)), mark)
    blocks: tuple[Block, ...] = (
        headline,
        Facts(
            (
                ("committed", counted(found.committed, "file")),
                ("not committed", counted(found.uncommitted, "file")),
                ("threshold", f"{found.threshold:g}"),
                ("base", optional(found.base)),
            )
        ),
    )
    for title, paths in (("Out of scope", found.out_of_scope), ("Across the boundary", found.boundary_hits)):
        if paths:
            blocks += (Listing(title, tuple(Cell(each, "warn") for each in paths)),)
    return Page(blocks)
