"""The page of `config-validate`: what is wrong, line by line, and the settings in force."""

from collections.abc import Iterator
from typing import Final, Literal

from exo_sidecar.cli.page import Block, Cell, Headline, Page, Table, Tone
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.config_validate import ConfigValidated

_TONES: Final[dict[str, Tone]] = {"error": "bad", "warning": "warn", "info": "dim"}
_MARKS: Final[dict[str, Literal["good", "warn", "bad"]]] = {"pass": "good", "warn": "warn", "fail": "bad"}


def run(result: ConfigValidated) -> Page:
    """Show the faults, then the settings."""
    return Page(tuple(_blocks(result)))


def _blocks(result: ConfigValidated) -> Iterator[Block]:
    if result.issues:
        rows = tuple(
            (str(each.line), Cell(each.severity, _TONES[each.severity]), each.path, each.message)
            for each in result.issues
        )
        yield Table(("LINE", "SEVERITY", "KEY", "WHAT"), rows, result.file)
    if result.effective:
        shown = tuple(
            (each.path, each.value, Cell(each.source, "dim" if each.source == "default" else ""))
            for each in result.effective
        )
        yield Table(("SETTING", "VALUE", "FROM"), shown, "In force")
    errors = sum(each.severity == "error" for each in result.issues)
    what = counted(errors, "error") if errors else "nothing is wrong" if not result.issues else "no errors"
    yield Headline((f"{result.file}: {what}",), _MARKS[result.verdict])
