"""The page of `sync`: what came, what went, what needs attention."""

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece
from exo_sidecar.cli.render.tones import counted, optional
from exo_sidecar.operations.sync import Exchange


def run(result: Exchange) -> Page:
    """Show both directions."""
    quiet = not (result.fetched_events or result.pushed_events or result.merged)
    word = "nothing new on either side" if quiet else "both sides are together"
    apart = bool(result.ahead or result.behind)
    headline = Headline((f"{result.remote}: ", "still apart" if apart else word), "warn" if apart else "good")
    rows: tuple[tuple[str, Piece], ...] = (
        ("came", counted(result.fetched_events, "event")),
        ("went", counted(result.pushed_events, "event")),
        ("merged", "yes" if result.merged else "no"),
        ("tip", optional(result.tip)),
    )
    blocks = (headline, Facts(rows))
    findings = tuple(Cell(f"{each.code} {each.subject}: {each.message}", "warn") for each in result.open_findings)
    left = tuple(
        Cell(f"{each.event} ({counted(each.count, 'event')}): {each.reason}", "bad") for each in result.quarantined
    )
    more = ((Listing("Findings", findings),) if findings else ()) + ((Listing("Left out", left),) if left else ())
    return Page((*blocks, *more))
