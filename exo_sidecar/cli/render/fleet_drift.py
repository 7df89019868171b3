"""The page of `fleet-drift`: sessions and how far each is from its fence."""

from exo_sidecar.cli.page import Block, Cell, Headline, Page, Piece, Table
from exo_sidecar.cli.render.tones import NOTHING, counted, identifier, status
from exo_sidecar.model import duration
from exo_sidecar.operations.fleet_drift import FleetDrifted, SessionDrift

_COLUMNS = ("SESSION", "TICKET", "ACTOR", "STATUS", "DRIFT", "AS OF", "")


def run(result: FleetDrifted) -> Page:
    """Show the sessions as a table, and their drift together in one line."""
    blocks: tuple[Block, ...] = (Headline((_summary(result),), "warn" if result.above_threshold else "none"),)
    if result.sessions:
        rows = tuple(_row(each, result.threshold) for each in result.sessions)
        blocks += (Table(_COLUMNS, rows, grows=len(_COLUMNS) - 1),)
    return Page(blocks)


def _summary(result: FleetDrifted) -> str:
    if result.mean is None or result.max is None:
        return f"{counted(len(result.sessions), 'session')}, no drift known"
    above = f"{result.above_threshold} above {result.threshold:g}"
    stale = f", {result.stale} left behind" if result.stale else ""
    known = f"mean {result.mean:.3f}, highest {result.max:.3f}, {above}"
    return f"{counted(len(result.sessions), 'session')}: {known}{stale}"


def _row(each: SessionDrift, threshold: float) -> tuple[Piece, ...]:
    is_above = each.drift is not None and each.drift > threshold
    notes = ["left behind"] if each.stale else []
    notes += [each.reason] if each.reason else []
    return (
        identifier(each.id),
        identifier(each.ticket_id),
        each.actor,
        status(each.status),
        NOTHING if each.drift is None else Cell(f"{each.drift:.3f}", "warn" if is_above else ""),
        _age(each),
        Cell("; ".join(notes), "dim"),
    )


def _age(each: SessionDrift) -> Cell:
    if each.age_seconds is None:
        return NOTHING
    return Cell("now" if each.age_seconds == 0 else f"{duration.show(each.age_seconds)} ago")
