"""The page of `intents`: a tree per intent, then what belongs to none."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.cli.page import Block, Cell, Headline, Listing, Page, Piece, Table
from exo_sidecar.cli.render.tones import counted, identifier, status
from exo_sidecar.model.forest import Node, Progress
from exo_sidecar.operations.intents import IntentShown, IntentsShown

_BAR: Final = 10


def run(result: IntentsShown) -> Page:
    """Show each intent with what lies below it, what is stale and how far it drifted; then orphans."""
    if not result.intents and not result.orphans:
        return Page((Headline(("no intents",)),), ("exo intent-create TITLE --brain-dump TEXT says what is wanted",))
    summary = result.summary
    pieces = (
        f"{counted(summary.intents, 'intent')}, {summary.open} open",
        f", {summary.done} of {counted(summary.tasks, 'task')} done",
        f", mean drift {summary.mean_drift:.2f}" if summary.mean_drift is not None else "",
        Cell(f", {summary.stale} stale", "warn") if summary.stale else "",
    )
    blocks: list[Block] = [Headline(pieces)]
    blocks += [_tree(each) for each in result.intents]
    if result.orphans:
        rows = tuple((identifier(each.id), status(each.status), each.title, each.reason) for each in result.orphans)
        blocks.append(Table(("TICKET", "STATUS", "TITLE", "WHY"), rows, "Orphans", 3))
    return Page(tuple(blocks), ("exo ticket-edit ID --parent ID gives an orphan its place",) if result.orphans else ())


def _tree(each: IntentShown) -> Listing:
    title = f"{each.id}  {each.title}"
    found: list[tuple[Piece, int]] = [(_standing(each), 0), *_below(each.children, 0)]
    return Listing(title, tuple(item for item, _ in found), tuple(level for _, level in found))


def _standing(each: IntentShown) -> Cell:
    parts = [each.status, f"{each.risk} risk", _progress(each.progress), counted(each.sessions, "session")]
    if each.drift.latest is not None:
        parts.append(f"drift {each.drift.latest:.2f} (mean {each.drift.mean or 0:.2f}, max {each.drift.max or 0:.2f})")
    if each.stale:
        parts.append(f"stale: {f'no session since {each.last_work}' if each.last_work else 'nobody began'}")
    return Cell(", ".join(parts), "warn" if each.stale else "dim")


def _below(children: tuple[Node, ...], level: int) -> Iterator[tuple[Piece, int]]:
    for child in children:
        what = "" if child.kind == "task" else f"[{child.kind}] "
        extra = f", {_progress(child.progress)}" if child.kind != "task" else ""
        worked = f", {counted(child.sessions, 'session')}" if child.sessions and child.kind == "task" else ""
        tone = status(child.status).tone
        yield Cell(f"{child.id} {what}{child.title}: {child.status}{extra}{worked}", tone), level
        yield from _below(child.children, level + 1)


def _progress(progress: Progress) -> str:
    if not progress.total:
        return "no tasks"
    filled = _BAR * progress.done // progress.total
    return f"{'#' * filled}{'.' * (_BAR - filled)} {progress.done}/{progress.total}"
