"""The page of `session-audit`: what is looked at, then the bootstrap whole."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Piece, Prose
from exo_sidecar.cli.render.exchange import told
from exo_sidecar.cli.render.tones import counted, identifier, optional, status
from exo_sidecar.model.session import model_of
from exo_sidecar.operations.session_auditing import AuditStarted


def run(result: AuditStarted) -> Page:
    """Show whose work is looked at, what lies outside of the fence, then the bootstrap whole."""
    word = "goes on with the audit of" if result.reused else "audits"
    headline = Headline((identifier(result.session.id), f" {word} ", identifier(result.ticket.id)), "good")
    outside = result.pr_report.out_of_scope if result.pr_report is not None else ()
    listed = (Listing("Outside of the fence", tuple(Cell(each, "warn") for each in outside)),) if outside else ()
    return Page((headline, Facts(tuple(_facts(result))), *listed, Prose("", result.bootstrap_prompt)))


def _facts(result: AuditStarted) -> Iterator[tuple[str, Piece]]:
    yield "ticket", result.ticket.title
    yield "status", status(result.ticket.status)
    yield "actor", f"{result.session.actor} as {result.session.role}"
    writer = result.writer
    if writer is None:
        yield "writer", Cell("nobody yet", "dim")
    else:
        model = model_of(writer.model, writer.vendor)
        yield "writer", f"{writer.actor} in {writer.session}{f', on {model}' if model else ''}"
    report = result.pr_report
    if report is not None:
        unsigned = f", {report.unsigned} without a known session" if report.unsigned else ""
        files = counted(report.file_count, "file")
        yield "range", f"{counted(report.commit_count, 'commit')}, {files}{unsigned}"
    yield "branch", optional(result.branch.actual)
    yield "bootstrap", optional(result.bootstrap_path)
    yield "sync", told(result.sync)
