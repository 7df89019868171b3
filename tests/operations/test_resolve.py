"""`resolve` on tickets: what several clones wrote at once is listed, and settled by who may edit and move."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.checking import let_run
from tests.support.inprocess import exo_in_process
from tests.support.meeting import AGENT, PERSON, clash, open_values, shown, together
from tests.support.working import Shop, a_lone_shop, a_shop

TICKETS: Final = 36
"""More than there are tests: each has one of its own, so that they can share two clones."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Two clones of tickets that nobody has edited."""
    shop = a_shop(tmp_path_factory.mktemp("shop"), clones=2, tickets=TICKETS)
    let_run(shop, "unit", "lint")
    together(shop)
    return shop


@pytest.fixture(scope="module")
def unused(shop: Shop) -> Iterator[str]:
    """The tickets that no test has taken."""
    return iter(shop.tickets)


@pytest.fixture
def ticket(unused: Iterator[str]) -> str:
    """A ticket that no other test has seen."""
    return next(unused)


def clash_titles(shop: Shop, ticket: str) -> None:
    edit = ("ticket-edit", ticket, "--title")
    clash(shop, (*edit, "Left"), (*edit, "Right"))


def test_what_is_open_is_listed_with_who_wrote_it(shop: Shop, ticket: str) -> None:
    clash_titles(shop, ticket)
    for args in ((), (ticket,), (ticket, "--field", "title")):
        (found,) = [each for each in shop.ok(0, "resolve", *args)["open"] if each["id"] == ticket]
        assert found["field"] == "title"
        assert sorted(each["value"] for each in found["values"]) == ["Left", "Right"]
        assert [each["stands"] for each in found["values"]] == [True, False]
        assert found["stands"] == found["values"][0]["value"]
        assert all(each["actor"].startswith("human:") and each["at"] and each["event"] for each in found["values"])


def test_people_read_who_wrote_what_and_how_to_settle_it(shop: Shop, ticket: str) -> None:
    clash(
        shop,
        ("ticket-edit", ticket, "--title", "Left", "--add-scope-allow", "src/**"),
        ("ticket-edit", ticket, "--title", "Right \u202e<b>", "--add-scope-allow", "docs/**"),
    )
    page = exo_in_process(shop.clones[0], "resolve", ticket)
    assert page.exit == 0
    for part in ("Written in several clones at once", "docs/**, src/**", "(united)", "Left", "Right", "human:ann"):
        assert part in page.out
    assert "\u202e" not in page.out
    assert f"exo resolve {ticket} --field scope_allow --take ours" in page.err
    settled = exo_in_process(shop.clones[0], "resolve", ticket, "--field", "title", "--take", "Left")
    assert f"{ticket} title: Left" in settled.out
    assert "Still open" in settled.out
    status = exo_in_process(shop.clones[0], "status")
    assert "in conflict" in status.out
    assert f"exo resolve {ticket}" in exo_in_process(shop.clones[0], "ticket-show", ticket).err


@pytest.mark.parametrize(("take", "wanted"), [("ours", 0), ("theirs", 1)])
def test_one_of_two_values_is_taken(shop: Shop, ticket: str, take: str, wanted: int) -> None:
    clash_titles(shop, ticket)
    value = open_values(shop, ticket)["title"][wanted]
    done = shop.ok(0, "resolve", ticket, "--field", "title", "--take", take)
    assert (done["open"], done["resolved"]) == ([], [{"id": ticket, "field": "title", "value": value}])
    together(shop)
    assert (shown(shop, 1, ticket)["ticket"]["title"], open_values(shop, ticket, 1)) == (value, {})


@pytest.mark.parametrize(
    ("edits", "take", "wanted"),
    [
        (("--priority", "1", "2"), "4", 4),
        (("--max-duration", "1h", "2h"), "90m", 5400),
        (("--set-checks", "unit", "lint"), "none", []),
        (("--boundary", "a", "b"), "a and b", "a and b"),
    ],
)
def test_a_value_of_ones_own_is_taken(
    shop: Shop,
    ticket: str,
    edits: tuple[str, str, str],
    take: str,
    wanted: Any,  # noqa: ANN401 - JSON
) -> None:
    flag, left, right = edits
    clash(shop, ("ticket-edit", ticket, flag, left), ("ticket-edit", ticket, flag, right))
    done = shop.ok(0, "resolve", ticket, "--take", take)
    assert (done["open"], done["resolved"][0]["value"]) == ([], wanted)


def test_several_open_fields_are_settled_one_by_one(shop: Shop, ticket: str) -> None:
    clash_titles(shop, ticket)
    clash(shop, ("ticket-edit", ticket, "--max-files", "3"), ("ticket-edit", ticket, "--max-files", "4"))
    assert shop.fails(0, "resolve", ticket, "--take", "ours")["code"] == "VALUE_INVALID"
    done = shop.ok(0, "resolve", ticket, "--field", "max-files", "--take", "4")
    assert [each["field"] for each in done["resolved"]] == ["max_files_changed"]
    assert [each["field"] for each in done["open"]] == ["title"]


@pytest.mark.parametrize(
    ("args", "code", "status"),
    [
        (("T1", "--take", "ours"), "NOTHING_TO_RESOLVE", 1),
        (("T1", "--field", "title", "--take", "x"), "NOTHING_TO_RESOLVE", 1),
        (("T1", "--field", "colour", "--take", "x"), "VALUE_INVALID", 2),
        (("T9", "--take", "ours"), "ID_NOT_FOUND", 4),
        (("--take", "ours"), "USAGE", 2),
        (("--field", "title"), "USAGE", 2),
        (("--file", "x"), "USAGE", 2),
        (("T1", "--document", "config.yaml"), "USAGE", 2),
        (("--document", "config.yaml", "--take", "ours"), "NOTHING_TO_RESOLVE", 1),
        (("--document", "config.yaml", "--take", "mine"), "VALUE_INVALID", 2),
        (("--document", "notes.md"), "VALUE_INVALID", 2),
    ],
)
def test_what_cannot_be_settled_is_refused(lone: Shop, args: tuple[str, ...], code: str, status: int) -> None:
    before = lone.tip()
    error = lone.fails(0, "resolve", *args, *PERSON)
    assert (error["code"], error["exit"]) == (code, status)
    assert lone.tip() == before


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A clone in which nothing is open."""
    return a_lone_shop(tmp_path_factory.mktemp("lone"), tickets=1)


def test_with_nothing_open_the_list_is_empty(lone: Shop) -> None:
    assert lone.ok(0, "resolve") == {"open": [], "resolved": [], "left_out": 0}


def test_a_value_that_no_field_takes_writes_nothing(shop: Shop, ticket: str) -> None:
    clash(shop, ("ticket-edit", ticket, "--priority", "1"), ("ticket-edit", ticket, "--priority", "2"))
    before = shop.tip()
    assert shop.fails(0, "resolve", ticket, "--take", "9")["code"] == "VALUE_INVALID"
    assert shop.fails(0, "resolve", ticket, "--take", "high")["code"] == "VALUE_INVALID"
    assert shop.fails(0, "resolve", ticket, "--take", "1", "--take", "2")["code"] == "VALUE_INVALID"
    assert shop.ok(0, "resolve", ticket, "--take", "1", "--dry-run")["resolved"][0]["value"] == 1
    assert (shop.tip(), sorted(open_values(shop, ticket)["priority"])) == (before, [1, 2])


def test_a_field_of_a_closed_ticket_can_be_settled(shop: Shop, ticket: str) -> None:
    clash_titles(shop, ticket)
    shop.ok(0, "ticket-move", ticket, "cancelled", "--reason", "not wanted")
    assert shop.fails(0, "ticket-edit", ticket, "--title", "Left")["code"] == "TICKET_CLOSED"
    assert shop.ok(0, "resolve", ticket, "--take", "Left")["open"] == []


def test_an_agent_settles_but_never_loosens(shop: Shop, ticket: str) -> None:
    clash(shop, ("ticket-edit", ticket, "--max-steps", "10"), ("ticket-edit", ticket, "--max-steps", "90"))
    error = shop.fails(0, "resolve", ticket, "--take", "90", *AGENT)
    assert (error["code"], error["details"]["field"]) == ("HUMAN_REQUIRED", "max_steps")
    assert shop.fails(0, "ticket-edit", ticket, "--max-steps", "11", *AGENT)["code"] == "HUMAN_REQUIRED"
    assert shop.ok(0, "resolve", ticket, "--take", "10", *AGENT)["open"] == []


def test_an_agent_drops_no_boundary_and_no_check(shop: Shop, ticket: str) -> None:
    for flag, left, right in (("--boundary", "no API", "no tests"), ("--set-checks", "unit", "lint")):
        clash(shop, ("ticket-edit", ticket, flag, left), ("ticket-edit", ticket, flag, right))
    for field, take in (("boundary", ("no API",)), ("checks", ("unit",))):
        takes = [word for each in take for word in ("--take", each)]
        assert shop.fails(0, "resolve", ticket, "--field", field, *takes, *AGENT)["code"] == "HUMAN_REQUIRED"
    shop.ok(0, "resolve", ticket, "--field", "boundary", "--take", "no API, no tests", *AGENT)
    shop.ok(0, "resolve", ticket, "--field", "checks", "--take", "unit", "--take", "lint", *AGENT)
    assert open_values(shop, ticket) == {}


def clash_statuses(shop: Shop, ticket: str) -> list[str]:
    """Let one clone block and the other cancel the ticket; return the statuses, the one that stands first."""
    move = ("ticket-move", ticket)
    clash(shop, (*move, "blocked", "--reason", "no access"), (*move, "cancelled", "--reason", "not wanted"))
    return open_values(shop, ticket)["status"]


@pytest.mark.parametrize("wanted", ["blocked", "cancelled"])
def test_of_two_statuses_one_is_chosen_and_its_closing_words_stay(shop: Shop, ticket: str, wanted: str) -> None:
    clash_statuses(shop, ticket)
    assert shop.ok(0, "resolve", ticket, "--take", wanted, *PERSON)["resolved"][0]["value"] == wanted
    together(shop)
    found = shop.ok(1, "ticket-show", ticket, "--history")
    assert (found["ticket"]["status"], found["conflict_values"]) == (wanted, [])
    assert found["resolution"] == ("cancelled" if wanted == "cancelled" else None)
    assert found["history"][-1]["summary"].startswith(f"todo -> {wanted} (chosen of several): settles ")
    assert shop.ok(0, "status")["damaged"] == []


def test_a_status_that_no_clone_wrote_is_an_ordinary_move(shop: Shop, ticket: str) -> None:
    stands = clash_statuses(shop, ticket)[0]
    wanted, refused = ("todo", "done") if stands == "blocked" else ("archived", "todo")
    assert shop.fails(0, "resolve", ticket, "--take", refused, *PERSON)["code"] == "TRANSITION_INVALID"
    assert shop.ok(0, "resolve", ticket, "--take", wanted, *PERSON)["resolved"][0]["value"] == wanted
    assert shop.fails(0, "resolve", ticket, "--take", "finished", *PERSON)["code"] == "NOTHING_TO_RESOLVE"


def test_the_next_move_settles_the_status(shop: Shop, ticket: str) -> None:
    stands = clash_statuses(shop, ticket)[0]
    shop.ok(1, *(("ticket-move", ticket, "todo") if stands == "blocked" else ("ticket-archive", ticket)))
    together(shop)
    assert open_values(shop, ticket) == {}


def test_an_agent_chooses_only_a_status_that_it_could_move_to(shop: Shop, ticket: str) -> None:
    clash_statuses(shop, ticket)
    assert shop.fails(0, "resolve", ticket, "--take", "blocked", *AGENT)["code"] == "HUMAN_REQUIRED"
    refusal = shop.fails(0, "resolve", ticket, "--take", "cancelled", *AGENT)
    assert (refusal["code"], refusal["details"]["guard"]) == ("GUARD_UNMET", "creator, human")


def test_a_ticket_whose_status_is_open_blocks_what_waits_for_it(shop: Shop, unused: Iterator[str]) -> None:
    first, second = next(unused), next(unused)
    shop.ok(0, "ticket-edit", second, "--add-blocker", first, "--add-label", "waits")
    shop.ok(0, "ticket-edit", first, "--type", "docs")  # of this type work is done without a check
    together(shop)
    shop.ok(1, "ticket-move", first, "cancelled", "--reason", "not wanted")
    shop.ok(0, "session-start", "--ticket-id", first)
    shop.ok(0, "session-finish", "--summary", "did it", "--set-status", "done")
    together(shop)
    assert sorted(open_values(shop, first)["status"]) == ["cancelled", "done"]
    ready = ("ticket-list", "--ready", "--label", "waits")
    assert shop.ok(0, *ready)["items"] == []
    shop.ok(0, "resolve", first, "--take", "done", *PERSON)
    assert [each["id"] for each in shop.ok(0, *ready)["items"]] == [second]
    assert shown(shop, 0, first)["resolution"] == "done"


def test_the_next_edit_settles_a_field_everywhere(shop: Shop, ticket: str) -> None:
    clash_titles(shop, ticket)
    stands = shown(shop, 0, ticket)["ticket"]["title"]
    assert shop.ok(1, "ticket-edit", ticket, "--title", stands)["changed"] == []
    together(shop)
    assert [open_values(shop, ticket, number) for number in (0, 1)] == [{}, {}]


def test_two_that_settle_at_once_and_agree_are_in_no_conflict(shop: Shop, ticket: str) -> None:
    clash(shop, ("ticket-edit", ticket, "--max-steps", "5"), ("ticket-edit", ticket, "--max-steps", "7"))
    clash(shop, ("resolve", ticket, "--take", "5"), ("resolve", ticket, "--take", "5"))
    assert open_values(shop, ticket) == {}
    assert shown(shop, 1, ticket)["ticket"]["budgets"]["max_steps"] == 5


def test_two_that_settle_at_once_and_differ_are_in_conflict_again(shop: Shop, ticket: str) -> None:
    clash_titles(shop, ticket)
    clash(shop, ("resolve", ticket, "--take", "Left"), ("resolve", ticket, "--take", "Right"))
    assert sorted(open_values(shop, ticket)["title"]) == ["Left", "Right"]


def test_two_narrowings_never_make_a_ticket_wider(shop: Shop, ticket: str) -> None:
    shop.ok(0, "ticket-edit", ticket, "--add-scope-allow", "src/**", "--add-scope-allow", "docs/**")
    together(shop)
    edit = ("ticket-edit", ticket, "--remove-scope-allow")
    clash(shop, (*edit, "docs/**"), (*edit, "src/**"))
    assert shown(shop, 0, ticket)["effective"]["scope"]["allow"] == []
    assert sorted(open_values(shop, ticket)["scope_allow"]) == [["docs/**"], ["src/**"]]
    agent = shop.fails(0, "resolve", ticket, "--take", "ours", *AGENT)
    assert (agent["code"], agent["details"]["field"]) == ("HUMAN_REQUIRED", "scope_allow")
    assert shop.fails(0, *edit, "**", *AGENT)["code"] == "HUMAN_REQUIRED"
    shop.ok(0, "resolve", ticket, "--take", "src/**", "--take", "docs/**", *PERSON)
    together(shop)
    assert shown(shop, 1, ticket)["effective"]["scope"]["allow"] == ["docs/**", "src/**"]
    assert open_values(shop, ticket, 1) == {}
