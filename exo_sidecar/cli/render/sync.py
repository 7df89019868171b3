"""The page of `sync`: what came, what went, what needs attention."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Listing, Page, Piece
from exo_sidecar.cli.render.tones import counted, optional
from exo_sidecar.model.finding import Finding
from exo_sidecar.operations.bringing import Brought
from exo_sidecar.operations.sync import Exchange


def run(result: Exchange) -> Page:
    """Show both directions."""
    if result.ahead or result.behind:
        return _page(
            result, Headline((f"{result.remote}: ", apart(result)), "warn"), ("exo sync brings them together",)
        )
    quiet = not (result.fetched_events or result.pushed_events or result.merged)
    word = "nothing new on either side" if quiet else "both sides are together"
    return _page(result, Headline((f"{result.remote}: ", word), "good"), ())


def pulled(result: Exchange) -> Page:
    """Show what came; what is still to go is no trouble."""
    word = f"{counted(result.fetched_events, 'event')} came" if result.fetched_events else "nothing new there"
    waiting = (("to push", counted(result.ahead, "event")),) if result.ahead else ()
    hints = ("exo sync, or exo sidecar-push, sends what is only here",) if result.ahead else ()
    blocks = (Headline((f"{result.remote}: ", word), "good"), Facts((*waiting, ("tip", optional(result.tip)))))
    return Page((*blocks, *_troubles(result)), hints)


def apart(result: Exchange) -> str:
    """Return how many events are only on one side."""
    sides = (("only here", result.ahead), ("only there", result.behind))
    return ", ".join(f"{counted(number, 'event')} {side}" for side, number in sides if number)


def _page(result: Exchange, headline: Headline, hints: tuple[str, ...]) -> Page:
    each: tuple[Block, ...] = (Listing("Remotes", tuple(map(_told, result.remotes))),) if result.remotes else ()
    rows: tuple[tuple[str, Piece], ...] = (
        ("came", counted(result.fetched_events, "event")),
        ("went", counted(result.pushed_events, "event")),
        ("merged", "yes" if result.merged else "no"),
        ("tip", optional(result.tip)),
    )
    if result.rewritten is not None:
        taken = result.rewritten
        lost = Cell(f"{', '.join(taken.lost)}; the remote has them again", "warn")
        tips: tuple[tuple[str, Piece], ...] = (
            ("from", optional(taken.before)),
            ("to", taken.after),
            ("had lost", lost),
        )
        each = (*each, Facts(tips, f"{result.remote} was rewritten"))
    return Page((headline, Facts(rows), *each, *_troubles(result)), hints)


def _told(brought: Brought) -> Cell:
    if brought.state == "failed":
        return Cell(f"{brought.remote}: {brought.reason}", "warn")
    came, went = counted(brought.fetched_events, "event"), counted(brought.pushed_events, "event")
    return Cell(f"{brought.remote}: {came} came, {went} went")


def _finding(each: Finding) -> str:
    return f"{each.code} {each.subject}: {each.message}{f' ({each.hint})' if each.hint else ''}"


def _troubles(result: Exchange) -> Iterator[Block]:
    if result.provisional.lost:
        lost = (
            Cell(f"{each.ticket_id} by {each.session_id}: {each.reason}", "bad") for each in result.provisional.lost
        )
        yield Listing("Taken offline, and LOST", tuple(lost))
    if result.provisional.won:
        won = (Cell(f"{each.ticket_id} by {each.session_id}: epoch {each.epoch}") for each in result.provisional.won)
        yield Listing("Taken offline, and confirmed", tuple(won))
    if result.open_findings:
        found = (Cell(_finding(each), "warn") for each in result.open_findings)
        yield Listing("Findings", tuple(found))
    if result.quarantined:
        left = (
            Cell(f"{each.event} ({counted(each.count, 'event')}): {each.reason}", "bad") for each in result.quarantined
        )
        yield Listing("Left out", tuple(left))
