"""The page of `audit`: a verdict per chain, the first bad entry by file and line, every issue with its hint."""

from collections.abc import Iterator
from typing import Literal

from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.cli.render.tones import counted, verdict
from exo_sidecar.operations.audit import Audited, ChainReport, Issue


def run(result: Audited) -> Page:
    """Show what was proved and what was not."""
    return Page(tuple(_blocks(result)))


def _blocks(result: Audited) -> Iterator[Block]:
    events = sum(each.events for each in result.chains)
    what = f": {counted(events, 'event')} in {counted(len(result.chains), 'chain')}"
    yield Headline((verdict(result.verdict), what, f", {counted(result.anchors.checked, 'anchor')}"), _mark(result))
    yield Table(("CLONE", "EVENTS", "HEAD", "VERDICT", "FIRST BAD ENTRY"), tuple(map(_chain, result.chains)), "Chains")
    if result.anchors.broken:
        yield Listing("Broken anchors", tuple(Cell(each, "bad") for each in result.anchors.broken))
    if result.quarantined:
        yield Listing("Quarantined", tuple(f"{each.event}: {each.reason}" for each in result.quarantined))
    if result.redacted:
        taken = (
            f"{each.event} ({each.type} of {each.subject}): {each.reason}, {each.actor}" for each in result.redacted
        )
        yield Listing("Redacted", tuple(taken))
    if result.rendered_mismatch:
        yield Listing("Files that are not what the ledger says", result.rendered_mismatch)
    if result.issues:
        yield Table(("CODE", "WHERE", "WHAT"), tuple(map(_issue, result.issues)), "Issues")
        hints = tuple(dict.fromkeys(each.hint for each in result.issues if each.hint))
        if hints:
            yield Listing("What mends it", hints)


def _mark(result: Audited) -> Literal["good", "warn", "bad"]:
    match result.verdict:
        case "pass":
            return "good"
        case "warn":
            return "warn"
        case "fail":
            return "bad"


def _chain(each: ChainReport) -> tuple[Piece, ...]:
    bad = each.first_bad
    place = "" if bad is None else f"{_place(bad.file, bad.line)}: {bad.reason}"
    return (each.clone, str(each.events), Cell(each.head[:12], "dim"), verdict("pass" if each.ok else "fail"), place)


def _issue(each: Issue) -> tuple[Piece, ...]:
    where = _place(each.file, each.line) if each.file else each.subject
    return (Cell(each.code, "bad" if each.severity == "error" else "warn"), where, each.message)


def _place(file: str | None, line: int | None) -> str:
    return f"{file or '?'}:{line}" if line is not None else file or "?"
