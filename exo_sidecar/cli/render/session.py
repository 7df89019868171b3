"""Pages of sessions: the facts of a start and its bootstrap whole, and what a finish left behind."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece, Prose
from exo_sidecar.cli.render.exchange import told
from exo_sidecar.cli.render.tones import PROVISIONAL, counted, identifier, joined, optional, status
from exo_sidecar.operations.session_finishing import SessionFinished
from exo_sidecar.operations.session_starting import SessionStarted


def start(result: SessionStarted) -> Page:
    """Show what was started, then the bootstrap whole."""
    word = "goes on with" if result.reused else "started on"
    headline = Headline((identifier(result.session.id), f" {word} ", identifier(result.ticket.id)), "good")
    return Page((headline, Facts(tuple(_started(result))), Prose("", result.bootstrap_prompt)))


def finish(result: SessionFinished) -> Page:
    """Show what the session left behind."""
    headline = Headline(
        (
            identifier(result.session_id),
            " finished: ",
            identifier(result.ticket_id),
            " is ",
            status(result.ticket_status),
        ),
        "good",
    )
    rows: tuple[tuple[str, Piece], ...] = (
        ("commits", counted(len(result.commits), "commit") if result.commits else Cell("none", "dim")),
        ("memento", optional(result.memento_path)),
        ("lease", _lease_left(result)),
        ("sync", told(result.sync)),
    )
    left = (
        (Listing("Not committed", tuple(Cell(each, "warn") for each in result.uncommitted)),)
        if result.uncommitted
        else ()
    )
    return Page((headline, Facts(rows), *left), ("exo next claims the next ticket",))


def _lease_left(result: SessionFinished) -> Cell:
    if result.provisional:
        return Cell(PROVISIONAL, "warn")
    return Cell("released") if result.released_lease else Cell("kept", "warn")


def _started(result: SessionStarted) -> Iterator[tuple[str, Piece]]:
    yield "ticket", result.ticket.title
    yield "actor", f"{result.session.actor} as {result.session.role}"
    if result.lease is not None:
        yield "lease", Cell(PROVISIONAL, "warn") if result.lease.provisional else f"token {result.lease.epoch}"
    yield "scope", joined(result.ticket.scope.allow)
    yield "branch", _branch(result)
    yield "bootstrap", optional(result.bootstrap_path)
    yield "sync", told(result.sync)


def _branch(result: SessionStarted) -> Cell:
    branch = result.branch
    if branch.wanted is None or branch.wanted == branch.actual:
        return optional(branch.actual)
    return Cell(f"{branch.actual or 'none'}, suggested: {branch.wanted}", "warn")
