"""The page of `trust`: what a policy loosens first, then what it would run, then the rest."""

from collections.abc import Iterator

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.model.setting import Change
from exo_sidecar.operations.trust import Trusted


def run(result: Trusted) -> Page:
    """Show the policy and what is different."""
    hints = () if result.trusted else (f"exo trust {result.digest[:DIGEST_SHOWN]}, by a person, accepts it",)
    return Page(tuple(_blocks(result)), hints)


def _blocks(result: Trusted) -> Iterator[Block]:
    policy = Cell(result.digest[:DIGEST_SHOWN], "id")
    if result.trusted:
        yield Headline(("policy ", policy, " is trusted in this clone"), "good")
    else:
        yield Headline(("policy ", policy, " is not trusted in this clone"), "warn")
    yield from _table("Loosens the fence", result.diff.loosened, "bad")
    if result.diff.commands:
        yield Listing("Names to be run", tuple(Cell(each, "warn") for each in result.diff.commands))
    yield from _table("Tightens the fence", result.diff.tightened, "good")
    if result.diff.changed:
        yield Listing("Texts that changed", result.diff.changed)


def _table(title: str, changes: tuple[Change, ...], tone: str) -> Iterator[Table]:
    rows = tuple(_row(change, tone) for change in changes)
    if rows:
        yield Table(("SETTING", "BEFORE", "AFTER"), rows, title)


def _row(change: Change, tone: str) -> tuple[Piece, ...]:
    return (change.key, change.before, Cell(change.after, "bad" if tone == "bad" else "good"))
