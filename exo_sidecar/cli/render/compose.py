"""The page of `compose`: the seal, what it is over, and what was passed over."""

from collections.abc import Iterator

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.cli.page import Block, Facts, Headline, Listing, Page, Piece, Table
from exo_sidecar.operations.compose import Composed


def run(result: Composed) -> Page:
    """Say what is sealed now."""
    return Page(tuple(_blocks(result)))


def _blocks(result: Composed) -> Iterator[Block]:
    yield Headline((f"sealed: {result.digest[:DIGEST_SHOWN]}",), "good")
    facts: tuple[tuple[str, Piece], ...] = (("before", result.verdict_before),)
    if result.changed:
        facts = (*facts, ("changed", ", ".join(result.changed)))
    yield Facts(facts)
    yield Table(("DOCUMENT", "DIGEST"), tuple((name, each[:DIGEST_SHOWN]) for name, each in result.sources.items()))
    if result.accepted:
        yield Listing("Passed over", tuple(each[:DIGEST_SHOWN] for each in result.accepted))
