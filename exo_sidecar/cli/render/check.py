"""The page of `check`: the verdict, each check, and what those wrote that did not pass."""

from collections.abc import Iterator, Sequence
from typing import Final

from exo_sidecar.cli.page import Block, Cell, Headline, Page, Piece, Prose, Table, Tone
from exo_sidecar.cli.render.tones import counted, identifier, optional
from exo_sidecar.operations.check import CheckListed, ChecksDone
from exo_sidecar.operations.checking import CheckShown

_TONES: Final[dict[str, Tone]] = {"passed": "good", "empty": "warn"}
_SAYS: Final = {
    "pass": "checks{of} passed",
    "fail": "checks{of} failed",
    "none": "nothing{of} was checked: there is no check, or none did anything",
}


def run(result: ChecksDone) -> Page:
    """Show what ran and what came of it."""
    of = f" of {result.ticket_id}" if result.ticket_id else ""
    if result.verdict is None:
        return Page((Headline((f"{counted(len(result.listed), 'check')} may run",)), *_listed(result.listed)))
    headline = Headline((_SAYS[result.verdict].format(of=of),), "good" if result.verdict == "pass" else "bad")
    blocks = (headline, *of_checks(result.checks))
    return Page(blocks, _hints(result))


def of_checks(checks: Sequence[CheckShown]) -> Iterator[Block]:
    """Show checks and what those wrote that did not pass."""
    rows = tuple(_row(check) for check in checks)
    if rows:
        yield Table(("CHECK", "VERDICT", "ITEMS", "SECONDS", "EXIT"), rows)
    for check in checks:
        if check.verdict != "passed" and check.output_tail.strip():
            yield Prose(f"{check.id} wrote", check.output_tail.rstrip())


def _row(check: CheckShown) -> tuple[Piece, ...]:
    verdict = Cell(check.verdict, _TONES.get(check.verdict, "bad"))
    return (
        identifier(check.id),
        verdict,
        optional(check.items),
        f"{check.duration:.1f}",
        optional(check.exit_status),
    )


def _listed(listed: Sequence[CheckListed]) -> Iterator[Block]:
    if listed:
        rows = tuple(
            (identifier(each.id), " ".join(each.argv) or Cell("not in checks_allowlist", "bad"), _wanted(each))
            for each in listed
        )
        yield Table(("CHECK", "COMMAND", "WANTED"), rows)


def _wanted(each: CheckListed) -> Cell:
    return Cell("yes", "good") if each.wanted else Cell("no", "dim")


def _hints(result: ChecksDone) -> tuple[str, ...]:
    if result.verdict == "none" and not result.checks:
        return ("checks_allowlist in .exo/config.yaml names commands, exo ticket-edit ID --set-checks picks them",)
    return ("--record writes the result to the ledger",) if not result.recorded and result.verdict == "pass" else ()
