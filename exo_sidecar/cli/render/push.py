"""The page of a push of code."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Page
from exo_sidecar.cli.render.exchange import told
from exo_sidecar.cli.render.tones import identifier, verify
from exo_sidecar.operations.push import CodePushed

_SHORT = 10
_GUARDS = {
    "atomic": Cell("atomic: lease and code went in one push", "good"),
    "checked": Cell("checked: the lease was looked at before and after, the server did not guard it", "warn"),
}


def run(result: CodePushed) -> Page:
    """Say what went where, and how the lease guarded it."""
    word = "pushed to" if result.pushed else "is there already:" if result.guard else "would be pushed to"
    headline = Headline((identifier(result.ticket_id), f": {result.branch} {word} {result.remote}"), "good")
    return Page((headline, Facts(tuple(_facts(result)))))


def _facts(result: CodePushed) -> Iterator[tuple[str, str | Cell]]:
    start = result.start[:_SHORT] if result.start else "(new)"
    if result.guard:
        yield "commits", f"{start} to {result.end[:_SHORT]}"
        yield "guard", _GUARDS[result.guard]
    if result.verify != "none":
        yield "checks", verify(result.verify)
    if result.lease:
        yield "lease", f"token {result.lease.epoch}, renewed"
    yield "sync", told(result.sync)
