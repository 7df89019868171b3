"""`validate` and `validate-hierarchy`: questions about the table and about places, and nothing is written."""

from pathlib import Path

import pytest

from exo_sidecar.model.lifecycle import TABLE, Status, row
from tests.support.inprocess import exo_in_process
from tests.support.working import Shop, a_lone_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return a_lone_shop(tmp_path_factory.mktemp("shop"), tickets=2)


def test_every_pair_is_answered_as_the_table_has_it_without_a_repository(tmp_path: Path) -> None:
    for start in Status:
        for end in Status:
            ran = exo_in_process(tmp_path, "validate", start, end, "--json")
            allowed = row(start, end)
            assert (ran.exit, ran.data["valid"]) == ((0, True) if allowed else (1, False)), (start, end)
            if allowed:
                assert ran.data["reason"] == allowed.meaning
                assert [each["guard"] for each in ran.data["guards"]] == [str(guard) for guard in allowed.guards]


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        (("todo", "in_progress"), "VALID: Work started"),
        (("todo", "todo"), "INVALID: Already in state todo"),
        (("done", "active"), "INVALID: Cannot transition from terminal state done"),
        (("backlog", "active"), "INVALID: No valid transition from backlog to active"),
    ],
)
def test_the_answer_is_one_line(tmp_path: Path, pair: tuple[str, str], line: str) -> None:
    ran = exo_in_process(tmp_path, "validate", *pair)
    assert ran.out.splitlines()[0] == line
    assert ran.exit == (0 if line.startswith("VALID") else 1)


def test_without_statuses_it_shows_the_whole_table(tmp_path: Path) -> None:
    for words in (("validate",), ("validate", "--table")):
        shown = exo_in_process(tmp_path, *words, "--json")
        assert (shown.exit, len(shown.data["table"])) == (0, len(TABLE))
    assert "handed to review" in exo_in_process(tmp_path, "validate").out


@pytest.mark.parametrize(
    ("words", "code"), [(("todo",), "USAGE"), (("todo", "flying"), "STATUS_UNKNOWN"), (("x", "todo"), "STATUS_UNKNOWN")]
)
def test_what_is_no_question_is_refused(tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    ran = exo_in_process(tmp_path, "validate", *words, "--json")
    assert (ran.exit, ran.answer["error"]["code"]) == (2, code)


def test_for_a_ticket_what_the_move_asks_for_is_judged(shop: Shop) -> None:
    ran = shop.exo(0, "validate", "todo", "active", "--ticket-id", "T1")
    assert (ran.exit, ran.data["valid"]) == (1, False)
    met = {each["guard"]: each["met"] for each in ran.data["guards"]}
    assert met == {"lease": False, "blockers": True, "hierarchy": True}
    assert shop.exo(0, "validate", "todo", "cancelled", "--ticket-id", "T1").exit == 0
    other = shop.exo(0, "validate", "paused", "todo", "--ticket-id", "T1")
    assert (other.exit, other.data["reason"]) == (1, "TICKET-T1 is todo, not paused")
    before = shop.tip()
    assert shop.fails(0, "validate", "todo", "active", "--ticket-id", "TICKET-NO")["code"] == "ID_NOT_FOUND"
    assert shop.tip() == before


def test_a_forest_in_order_passes_and_so_does_each_ticket(shop: Shop) -> None:
    found = shop.ok(0, "validate-hierarchy")
    assert (found["verdict"], found["checked"], found["tickets"]) == ("pass", 4, [])
    one = shop.ok(0, "validate-hierarchy", "T1")
    assert one["tickets"] == [{"id": "TICKET-T1", "valid": True, "reasons": []}]


def test_what_is_not_in_order_is_named_and_fails(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=2)
    shop.ok(0, "ticket-edit", "INTENT-1", "--brain-dump", "")
    shop.ok(0, "ticket-edit", "T1", "--add-link", "reopens:TICKET-GONE", "--add-link", "https://example.org/x:1")
    shop.ok(0, "intent-create", "Short", "--brain-dump", "b", "--id", "INTENT-2")
    shop.ok(0, "ticket-edit", "T2", "--parent", "INTENT-2")
    shop.ok(0, "ticket-move", "INTENT-2", "cancelled", "--reason", "no")
    ran = shop.exo(0, "validate-hierarchy")
    reasons = {each["id"]: " ".join(each["reasons"]) for each in ran.data["tickets"]}
    assert (ran.exit, ran.data["verdict"]) == (1, "fail")
    assert reasons.keys() == {"INTENT-1", "TICKET-T1", "TICKET-T2"}
    assert "without a brain dump" in reasons["INTENT-1"]
    assert "reopens:TICKET-GONE" in reasons["TICKET-T1"]
    assert "INTENT-2 is cancelled" in reasons["TICKET-T2"]
    assert "not in a valid place" in exo_in_process(shop.clones[0], "validate-hierarchy").out
    shop.ok(0, "ticket-move", "T2", "cancelled", "--reason", "no")
    assert "TICKET-T2" not in {each["id"] for each in shop.exo(0, "validate-hierarchy").data["tickets"]}
