"""Two clones edit one ticket at once: what becomes of each field, where the other value is seen, what settles it."""

from typing import Any, Final, NamedTuple

import pytest

from tests.support.checking import let_run
from tests.support.meeting import open_values, shown, together
from tests.support.working import Shop, a_shop


class Meeting(NamedTuple):
    """What each of two clones asks for, and the values that are open after both have synced; none: they joined."""

    field: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    values: tuple[Any, ...]
    joined: Any = None
    """What the field holds where nothing is open."""


ONE_WINS: Final = (
    Meeting("title", ("--title", "Left"), ("--title", "Right"), ("Left", "Right")),
    Meeting("priority", ("--priority", "1"), ("--priority", "5"), (1, 5)),
    Meeting("boundary", ("--boundary", "no API"), ("--boundary", "no tests"), ("no API", "no tests")),
    Meeting("max_steps", ("--max-steps", "10"), ("--max-steps", "90"), (10, 90)),
    Meeting("checks", ("--set-checks", "unit"), ("--set-checks", "lint"), (["unit"], ["lint"])),
    Meeting("consumer", ("--consumer", "them"), ("--consumer", "us"), ("them", "us")),
    Meeting(
        "scope_allow", ("--add-scope-allow", "src/**"), ("--add-scope-allow", "docs/**"), (["src/**"], ["docs/**"])
    ),
)
JOIN: Final = (
    Meeting("labels", ("--add-label", "left"), ("--add-label", "right"), (), ["left", "right"]),
    Meeting("links", ("--add-link", "a.md"), ("--add-link", "b.md"), (), ["a.md", "b.md"]),
    Meeting("notes", ("--note", "left"), ("--note", "right"), (), ["left", "right"]),
    Meeting("deny", ("--add-scope-deny", "a/**"), ("--add-scope-deny", "b/**"), (), ["a/**", "b/**"]),
    Meeting("title", ("--title", "Same"), ("--title", "Same"), (), "Same"),
)
STATUS: Final = len(ONE_WINS) + len(JOIN)
"""The ticket whose status both move; the next is edited in two different fields."""


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Clones that edited all tickets at once, and have synced."""
    shop = a_shop(tmp_path_factory.mktemp("met"), clones=2, tickets=STATUS + 2)
    let_run(shop, "unit", "lint")
    together(shop)
    for number, each in enumerate((*ONE_WINS, *JOIN)):
        shop.ok(0, "ticket-edit", shop.tickets[number], *each.left)
        shop.ok(1, "ticket-edit", shop.tickets[number], *each.right)
    shop.ok(0, "ticket-move", shop.tickets[STATUS], "blocked", "--reason", "no access")
    shop.ok(1, "ticket-move", shop.tickets[STATUS], "cancelled", "--reason", "not wanted")
    shop.ok(0, "ticket-edit", shop.tickets[STATUS + 1], "--title", "Left")
    shop.ok(1, "ticket-edit", shop.tickets[STATUS + 1], "--priority", "1")
    together(shop)
    return shop


def value_of(ticket: Any, field: str) -> Any:  # noqa: ANN401 - JSON
    """Return a field by its flat name."""
    if field in {"scope_allow", "deny"}:
        return ticket["scope"][field.removeprefix("scope_")]
    return {**ticket, **ticket["budgets"], **ticket["admission"]}[field]


@pytest.mark.parametrize(("ticket", "case"), [*enumerate(ONE_WINS, 1)], ids=lambda each: getattr(each, "field", None))
def test_a_field_that_both_wrote_keeps_both_values(met: Shop, ticket: int, case: Meeting) -> None:
    name = f"TICKET-T{ticket}"
    for number in (0, 1):
        found = open_values(met, name, number)
        assert list(found) == [case.field]
        assert sorted(map(str, found[case.field])) == sorted(map(str, case.values))
        if case.field != "scope_allow":
            assert value_of(shown(met, number, name)["ticket"], case.field) == found[case.field][0]
    text = next((met.clones[0] / ".exo" / "tickets").glob(f"*/{name}.yaml")).read_text()
    assert f"# conflict: {case.field} is also" in text


@pytest.mark.parametrize(
    ("ticket", "case"), [*enumerate(JOIN, 1 + len(ONE_WINS))], ids=lambda each: getattr(each, "field", None)
)
def test_members_and_equal_values_join(met: Shop, ticket: int, case: Meeting) -> None:
    for number in (0, 1):
        found = shown(met, number, f"TICKET-T{ticket}")
        assert found["conflict_values"] == []
        value = value_of(found["ticket"], case.field)
        assert (sorted(value) if isinstance(value, list) else value) == case.joined


def test_edits_of_different_fields_join(met: Shop) -> None:
    found = shown(met, 1, met.tickets[STATUS + 1])
    assert (found["ticket"]["title"], found["ticket"]["priority"], found["conflict_values"]) == ("Left", 1, [])


def test_of_two_moves_both_are_kept(met: Shop) -> None:
    (found,) = shown(met, 0, met.tickets[STATUS])["conflict_values"]
    assert sorted(each["value"] for each in found["values"]) == ["blocked", "cancelled"]
    assert {each["start"] for each in found["values"]} == {"todo"}


def test_what_is_open_is_counted_named_and_listed(met: Shop) -> None:
    status = met.ok(0, "status")
    assert status["unsettled"] == {"tickets": len(ONE_WINS) + 1, "documents": 0, "quarantined": 0}
    hints = {each["subject"]: each["hint"] for each in status["findings"] if each["code"] == "CONFLICT_VALUE"}
    expected = {*met.tickets[: len(ONE_WINS)], met.tickets[STATUS]}
    assert set(hints) == expected
    assert all(f"exo resolve {ticket}" in hint for ticket, hint in hints.items())
    assert {each["subject"] for each in met.ok(0, "sync")["open_findings"]} == expected
    assert {each["id"] for each in met.ok(0, "ticket-list", "--conflicted")["items"]} == expected
    assert {each["id"] for each in met.ok(0, "resolve")["open"]} == expected
    assert status["sync"] | {"seen_ago": 0} == {"remote": "origin", "ahead": 0, "behind": 0, "seen_ago": 0}


def test_gates_use_the_stricter_while_a_conflict_is_open(met: Shop) -> None:
    fences = {each.field: shown(met, 0, f"TICKET-T{number}")["effective"] for number, each in enumerate(ONE_WINS, 1)}
    assert fences["max_steps"]["budgets"]["max_steps"] == 10
    assert fences["scope_allow"]["scope"]["allow"] == []  # nothing that both allow
    assert sorted(fences["checks"]["checks"]) == ["lint", "unit"]
    assert sorted(fences["boundary"]["boundary"].splitlines()) == ["no API", "no tests"]


def test_next_offers_no_ticket_of_which_it_is_open_what_may_be_done(met: Shop) -> None:
    ready = {each["id"] for each in met.ok(0, "ticket-list", "--ready", "--limit", "50")["items"]}
    for number, each in enumerate(ONE_WINS, 1):
        name = f"TICKET-T{number}"
        is_offered = each.field not in {"boundary", "max_steps", "scope_allow"}
        assert (name in ready) is is_offered, each.field
        answer = met.exo(0, "next", "--ticket-id", name, "--dry-run")
        assert (answer.exit == 0) is is_offered, answer.out
        if not is_offered:
            assert f"exo resolve {name}" in answer.answer["error"]["hint"]
