"""Pages of hooks."""

from exo_sidecar.cli.page import Headline, Page
from exo_sidecar.operations.hook import HookAnswered, HooksInstalled


def install(result: HooksInstalled) -> Page:
    """Name each hook, its place and what became of it."""
    return Page(tuple(Headline((f"{hook.event} {hook.state}: {hook.path}",), "good") for hook in result.hooks))


def run(result: HookAnswered) -> Page:
    """Say nothing: git goes on."""
    del result
    return Page(())
