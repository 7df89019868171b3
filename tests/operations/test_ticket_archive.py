"""`ticket-archive`: what is closed is put away, in one commit, and nothing else."""

from pathlib import Path

import pytest

from tests.support.inprocess import exo_in_process
from tests.support.working import Shop, a_lone_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return a_lone_shop(tmp_path, tickets=3)


def closed(shop: Shop, *tickets: str) -> None:
    for ticket in tickets:
        shop.ok(0, "ticket-move", ticket, "cancelled", "--reason", "not needed")


def test_a_closed_ticket_is_put_away_and_keeps_its_id_and_how_it_ended(shop: Shop) -> None:
    closed(shop, "TICKET-T1")
    before = shop.commits()
    found = shop.ok(0, "ticket-archive", "TICKET-T1")
    assert found == {"archived": ["TICKET-T1"], "skipped": []}
    assert shop.commits() == before + 1
    assert "TICKET-T1" not in {each["id"] for each in shop.ok(0, "ticket-list")["items"]}
    assert "TICKET-T1" in {each["id"] for each in shop.ok(0, "ticket-list", "--archived")["items"]}
    shown = shop.ok(0, "ticket-show", "TICKET-T1")
    assert (shown["ticket"]["status"], shown["resolution"]) == ("archived", "cancelled")
    error = shop.fails(0, "ticket-create", "Again", "--parent", "INTENT-1", "--id", "TICKET-T1")
    assert error["code"] == "ID_TAKEN"


def test_an_open_ticket_is_refused_and_then_none_of_those_named_is_put_away(shop: Shop) -> None:
    closed(shop, "TICKET-T1")
    error = shop.fails(0, "ticket-archive", "TICKET-T1", "TICKET-T2")
    assert (error["code"], error["exit"], error["details"]["ticket"]) == ("TICKET_NOT_CLOSED", 1, "TICKET-T2")
    assert shop.status(0, "TICKET-T1") == "cancelled"


def test_an_idea_that_is_named_is_dropped(shop: Shop) -> None:
    shop.ok(0, "ticket-create", "Idea", "--parent", "INTENT-1", "--id", "TICKET-I", "--status", "backlog")
    assert shop.ok(0, "ticket-archive", "--all-closed")["archived"] == ["TICKET-001"]
    assert shop.ok(0, "ticket-archive", "TICKET-I")["archived"] == ["TICKET-I"]
    assert shop.ok(0, "ticket-show", "TICKET-I")["resolution"] == "dropped"


def test_what_has_open_children_stays(shop: Shop) -> None:
    shop.ok(0, "ticket-move", "INTENT-1", "cancelled", "--reason", "another way")
    error = shop.fails(0, "ticket-archive", "INTENT-1")
    assert (error["code"], error["details"]["children"]) == ("CHILDREN_OPEN", list(shop.tickets))
    found = shop.ok(0, "ticket-archive", "--all-closed")
    assert found["archived"] == ["TICKET-001"]
    assert [each["id"] for each in found["skipped"]] == ["INTENT-1"]
    closed(shop, *shop.tickets)
    assert shop.ok(0, "ticket-archive", "--all-closed")["archived"] == ["INTENT-1", *shop.tickets]


def test_what_is_archived_already_is_told_and_nothing_is_written(shop: Shop) -> None:
    closed(shop, "TICKET-T1")
    shop.ok(0, "ticket-archive", "TICKET-T1")
    before = shop.tip()
    again = shop.ok(0, "ticket-archive", "T1")
    assert again == {"archived": [], "skipped": [{"id": "TICKET-T1", "reason": "TICKET-T1 is archived already"}]}
    assert shop.tip() == before


def test_what_changed_lately_is_left_when_an_age_is_given(shop: Shop) -> None:
    closed(shop, "TICKET-T1")
    assert shop.ok(0, "ticket-archive", "--all-closed", "--older-than", "1h")["archived"] == []
    found = shop.ok(0, "ticket-archive", "T1", "--older-than", "30d")
    assert (found["archived"], found["skipped"][0]["id"]) == ([], "TICKET-T1")
    assert shop.ok(0, "ticket-archive", "T1", "--older-than", "0s")["archived"] == ["TICKET-T1"]


def test_a_dry_run_writes_nothing(shop: Shop) -> None:
    closed(shop, "TICKET-T1")
    before = shop.tip()
    assert shop.ok(0, "ticket-archive", "--all-closed", "--dry-run")["archived"] == ["TICKET-001", "TICKET-T1"]
    assert shop.tip() == before


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), "USAGE"),
        (("TICKET-T1", "--all-closed"), "USAGE"),
        (("TICKET-NO",), "ID_NOT_FOUND"),
        (("--all-closed", "--older-than", "soon"), "VALUE_INVALID"),
    ],
)
def test_a_call_that_says_nothing_clear_is_refused(shop: Shop, args: tuple[str, ...], code: str) -> None:
    assert shop.fails(0, "ticket-archive", *args)["code"] == code


def test_the_page_says_what_stays_and_why(shop: Shop) -> None:
    ran = exo_in_process(shop.clones[0], "ticket-archive", "--all-closed")
    assert ran.exit == 0
    assert "1 ticket put away" in ran.out
