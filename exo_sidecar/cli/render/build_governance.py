"""The page of `build-governance`: the lock, and what is looser and stricter than before."""

from collections.abc import Iterator

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.cli.page import Block, Cell, Headline, Page, Table, Tone
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.model.setting import Change
from exo_sidecar.operations.build_governance import GovernanceBuilt


def run(result: GovernanceBuilt) -> Page:
    """Say what is compiled now."""
    hints = ("exo compose seals it",) if result.changed else ()
    return Page(tuple(_blocks(result)), hints)


def _blocks(result: GovernanceBuilt) -> Iterator[Block]:
    what = "compiled" if result.changed else "compiled already, nothing changed"
    yield Headline((f"{counted(result.rules, 'rule')} {what}: {result.policy_digest[:DIGEST_SHOWN]}",), "good")
    moved: tuple[tuple[str, Tone, tuple[Change, ...]], ...] = (
        ("looser", "warn", result.loosened),
        ("stricter", "good", result.tightened),
    )
    rows = tuple(
        (Cell(word, tone), each.key, each.before, each.after) for word, tone, changes in moved for each in changes
    )
    if rows:
        yield Table(("", "RULE", "BEFORE", "AFTER"), rows)
