"""No question that a transaction asks of the local index walks over all records."""

import sqlite3

import pytest

from exo_sidecar.model.event import Draft, Fields, Sets, TicketEdited
from exo_sidecar.model.ids import TicketId
from exo_sidecar.store.index import in_memory
from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.refold import refold
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, folded
from tests.support.stores import a_session, created

PARTIAL = ("tickets_cycle", "tickets_conflict", "tickets_ready", "events_bad")
"""Indexes that hold only what is asked for: what is wrong, and what may be dispatched, page by page."""


def scans(db: sqlite3.Connection, statements: list[str]) -> list[str]:
    """Return the statements that walk over a whole table."""
    found = []
    for statement in sorted(set(statements)):
        if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
            continue
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
        found += [f"{statement}: {step}" for step in plan if step.startswith("SCAN") and not step.endswith(PARTIAL)]
    return found


def test_folding_one_more_event_walks_over_no_table() -> None:
    writer = Writer("a")
    for number in range(20):
        writer.write(created(f"TICKET-{number}", sets=Sets(labels=("x",), blockers=("TICKET-0",))))
    index = folded(writer)
    statements: list[str] = []
    index.db.set_trace_callback(statements.append)
    before = len(writer.lines)
    fields = Fields(title="new", parent="TICKET-4")
    writer.write(Draft(subject="TICKET-3", data=TicketEdited(fields=fields, add=Sets(labels=("y",)))))
    refold(index, Ingest(index, {writer.clone: writer.lines[before:]}).run())
    index.db.set_trace_callback(None)
    assert len(statements) > 10
    assert scans(index.db, statements) == []


def test_the_view_answers_from_indexes() -> None:
    index = folded(Writer("a").write(created("TICKET-1")))
    view = IndexView(index)
    statements: list[str] = []
    index.db.set_trace_callback(statements.append)
    list(view.candidates())
    view.find_ticket("1")
    view.children(TicketId("TICKET-1"))
    view.dependents(TicketId("TICKET-1"))
    view.sessions(ticket=TicketId("TICKET-1"))
    view.session(a_session(1))
    view.highest_epoch(TicketId("TICKET-1"))
    view.is_expired(TicketId("TICKET-1"), "a" * 40)
    view.created_with("human:jane", "key")
    view.quarantined()
    index.db.set_trace_callback(None)
    named = [each for each in scans(index.db, statements) if "FROM writers" not in each]  # one row a clone
    assert named == []


@pytest.mark.parametrize("statement", ["SELECT * FROM events", "DELETE FROM labels WHERE label LIKE 'x%'"])
def test_a_walk_would_be_found(statement: str) -> None:
    assert scans(in_memory().db, [statement]) != []
