"""The page of `completion`: the script itself, or where it went."""

from exo_sidecar.cli.page import Cell, Headline, Page, Prose
from exo_sidecar.operations.completion import CompletionResult


def run(result: CompletionResult) -> Page:
    """Return the script, ready to be sourced, or a line on the installation."""
    if result.path is None:
        return Page((Prose("", result.script),))
    line = Headline((f"completion for {result.shell}: ", Cell(result.path, "strong"), f" {result.state}"), "good")
    return Page((line,), ("start a new shell to use it",) if result.state != "unchanged" else ())
