"""Text for people: errors, warnings, and the page of a result."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from typing import Final

from exo_sidecar.cli import plain
from exo_sidecar.cli.page import Cell, Headline, Page
from exo_sidecar.cli.render import generic
from exo_sidecar.cli.terminal import Terminal
from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations.answer import Warned
from exo_sidecar.operations.registry import Operation, Result

_LEAN: Final = frozenset({"next", "status"})
"""Asked for all the time, by prompts and hooks too: never worth the import of rich."""


def error(fault: ExoError, *, color: bool, hint: bool = True) -> str:
    """Return an error as two lines: what, and what to do next."""
    label = plain.paint(Cell("error", "bad"), color=color)
    code = plain.paint(Cell(fault.code, "strong"), color=color)
    text = f"{label} {code}: {plain.clean_lines(fault.message)}\n"
    return f"{text}{_hint(fault.hint, color=color)}" if hint and fault.hint else text


def warnings(found: Iterable[Warned], *, color: bool) -> str:
    """Return warnings, one line each."""
    label = plain.paint(Cell("warning", "warn"), color=color)
    codes = ((plain.paint(Cell(each.code, "strong"), color=color), plain.clean(each.message)) for each in found)
    return "".join(f"{label} {code}: {message}\n" for code, message in codes)


def answer(operation: Operation, result: Result, terminal: Terminal, *, dry_run: bool) -> None:
    """Write a result as the page of its noun, or as labels and values when it has none; hints go to stderr."""
    page = page_of(operation)(result)
    if dry_run and operation.dry_runs:
        page = Page((Headline((Cell("dry run: nothing was written", "warn"),)), *page.blocks))
    if terminal.boxes and operation.name not in _LEAN:
        from exo_sidecar.cli import boxes  # noqa: PLC0415 - rich, on a terminal only

        terminal.say(boxes.write(page, color=terminal.color, width=terminal.width))
    else:
        terminal.say(plain.write(page, color=terminal.color, width=terminal.width))
    if not terminal.quiet:
        terminal.aside("".join(_hint(each, color=terminal.color_aside) for each in page.hints))


def _hint(hint: str, *, color: bool) -> str:
    label = plain.paint(Cell("hint:", "dim"), color=color)
    return f"  {label} {plain.clean_lines(hint)}\n"


def page_of(operation: Operation) -> Callable[[Result], Page]:
    """Return what makes an operation's page: its namesake in `render/<noun>.py`, else the generic one."""
    noun = operation.run.__module__.rsplit(".", 1)[-1]
    name = f"exo_sidecar.cli.render.{noun}"
    if importlib.util.find_spec(name) is None:
        return generic.page
    found = getattr(importlib.import_module(name), operation.run.__name__, generic.page)
    return found if callable(found) else generic.page
