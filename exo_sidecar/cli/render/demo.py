"""The page of `demo`: the story in the order in which it happened, then what it proved."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.cli.page import Block, Cell, Facts, Headline, Page, Piece, Prose, Table
from exo_sidecar.cli.render.tones import counted, identifier, optional, status
from exo_sidecar.operations.demo import Demonstrated, InvariantShown
from exo_sidecar.operations.demo_story import BoardRow, Claim, Step


def run(result: Demonstrated) -> Page:
    """Show the story."""
    if result.verdict == "none":
        return Page((Headline((f"would copy {result.source} into a hub and three clones, and play on them",)),))
    return Page(tuple(_blocks(result)), tuple(_hints(result)))


def _blocks(result: Demonstrated) -> Iterator[Block]:
    yield Table(("#", "WHAT WAS DONE", "TIME"), tuple(_steps(result.steps)), f"Three clones of {result.source}")
    if result.claims:
        yield Table(("CLONE", "ACTOR", "EXIT", "TOKEN", "TOLD"), tuple(map(_claim, result.claims)), _RACE)
    if result.board:
        columns = ("TICKET", "TITLE", "STATUS", "SCOPE", "WORKED ON BY", "TOKEN")
        yield Table(columns, tuple(map(_row, result.board)), "The board", grows=1)
    if result.code_history:
        yield _SPACE
        yield Prose("The code: git log --graph", "\n".join(result.code_history))
    if result.governance_history:
        yield _SPACE
        yield Prose("The governance branch, which shares no commit with it", "\n".join(result.governance_history))
    yield _SPACE
    yield Table(("", "WHAT MUST HOLD", "SEEN"), tuple(map(_invariant, result.invariants)), "The proof")
    yield _verdict(result)
    if result.path:
        yield Facts((("kept in", result.path),))


_RACE: Final = "One ticket, claimed by all of them at the same moment"
_SPACE: Final = Prose("", "")
"""An empty line where blocks are not set apart anyway."""


def _steps(steps: tuple[Step, ...]) -> Iterator[tuple[Piece, ...]]:
    for number, step in enumerate(steps, 1):
        what, _, how = step.title.partition(": ")
        yield (str(number), Cell(f"{what:<7} {how}", "" if step.ok else "bad"), Cell(f"{step.seconds:.1f} s", "dim"))
        yield ("", Cell(f"{'':<7} {step.outcome}", "dim" if step.ok else "bad"), "")


def _claim(claim: Claim) -> tuple[Piece, ...]:
    won = claim.exit_status == 0
    tone = Cell(str(claim.exit_status), "good" if won else "warn")
    return (claim.clone, claim.actor, tone, optional(claim.token), Cell(claim.told, "good" if won else ""))


def _row(row: BoardRow) -> tuple[Piece, ...]:
    worked_by, token = optional(row.worked_by), optional(row.token)
    return (identifier(row.ticket), row.title, status(row.status), row.scope, worked_by, token)


def _invariant(each: InvariantShown) -> tuple[Piece, ...]:
    mark = Cell("✓", "good") if each.holds else Cell("✗", "bad")
    return (mark, each.statement, Cell(each.evidence, "dim" if each.holds else "bad"))


def _verdict(result: Demonstrated) -> Headline:
    failed = [each.name for each in result.invariants if not each.holds]
    if failed:
        return Headline((Cell("fail", "bad"), f": {', '.join(failed)}"), "bad")
    seconds = sum(step.seconds for step in result.steps)
    held = counted(len(result.invariants), "invariant")
    return Headline((Cell("pass", "good"), f": {held} hold, {seconds:.0f} s"), "good")


def _hints(result: Demonstrated) -> Iterator[str]:
    if result.path is None and result.verdict == "fail":
        yield "exo demo --keep PATH leaves the repositories for a look"
    if result.verdict == "pass":
        yield "exo init governs a repository of yours"
