"""New tickets: ids, fields, keys, and every reason against one."""

from collections.abc import Mapping

import pytest

from exo_sidecar.domain import tickets
from exo_sidecar.domain.tickets import Creation, Wish
from exo_sidecar.model.errors import ExoError, Internal
from exo_sidecar.model.event import TicketCreated, TicketNoted
from exo_sidecar.model.ids import Entropy, TicketId
from exo_sidecar.model.ticket import Kind, Scalar
from tests.support.inputs import seeded
from tests.support.views import JANE, Asking, FakeView, a_record, a_ticket, an_intent


def a_wish(
    fields: Mapping[str, Scalar] | None = None,
    sets: Mapping[str, tuple[str, ...]] | None = None,
    kind: Kind = "task",
    **more: str,
) -> Wish:
    return Wish(kind, {"title": "Do it", "parent": "INTENT-1", **(fields or {})}, sets or {})._replace(**more)  # type: ignore[arg-type]  # id, status, idem_key


def make(wish: Wish, view: FakeView | None = None, entropy: Entropy | None = None) -> Creation:
    return tickets.create(view or FakeView(an_intent()), wish, Asking(), entropy or seeded())


def created_of(creation: Creation) -> TicketCreated:
    assert creation.outcome.refusal is None
    data = creation.outcome.events[0].data
    assert isinstance(data, TicketCreated)
    return data


def refused(wish: Wish, view: FakeView | None = None) -> ExoError:
    try:
        refusal = make(wish, view).outcome.refusal
    except ExoError as error:
        return error
    assert refusal is not None
    return refusal


def test_a_new_ticket_is_one_event_that_holds_what_was_given() -> None:
    wish = a_wish({"priority": 1, "max_steps": 0}, {"labels": ("api", "api"), "scope_allow": ("src/**",)})
    creation = make(wish)
    data = created_of(creation)
    assert (data.fields.title, data.fields.parent, data.fields.priority) == ("Do it", "INTENT-1", 1)
    assert (data.fields.max_steps, data.fields.kind, data.status) == (0, "task", "todo")
    assert (data.sets.labels, data.sets.scope_allow) == (("api",), ("src/**",))
    assert [draft.subject for draft in creation.outcome.events] == [creation.id]


@pytest.mark.parametrize(("kind", "prefix"), [("intent", "INTENT-"), ("epic", "EPIC-"), ("task", "TICKET-")])
def test_a_minted_id_says_the_kind(kind: Kind, prefix: str) -> None:
    assert tickets.new_id(FakeView(), kind, None, seeded()).startswith(prefix)


def test_an_id_that_is_taken_here_is_minted_again() -> None:
    taken = tickets.new_id(FakeView(), "task", None, seeded(1))
    view = FakeView(a_record(a_ticket(taken)))
    assert tickets.new_id(view, "task", None, seeded(1)) != taken


def test_minting_ends_when_randomness_gives_the_same_again_and_again() -> None:
    view = FakeView(a_record(a_ticket("TICKET-0000")))
    with pytest.raises(Internal):
        tickets.new_id(view, "task", None, bytes)


def test_an_id_of_ones_own_is_upper_cased_and_may_have_any_prefix() -> None:
    assert make(a_wish(id="ticket-001")).id == "TICKET-001"
    assert make(a_wish(id="bug-17")).id == "BUG-17"
    assert make(a_wish(kind="epic", id="TICKET-7")).id == "TICKET-7"


@pytest.mark.parametrize(
    "given", ["INTENT-1A", "EPIC-1", "SES-1", "NOTE-1", "x", "TICKET-", "TICKET-ä", "A-" + "B" * 40]
)
def test_an_id_that_says_something_else_or_has_another_form_is_refused(given: str) -> None:
    assert refused(a_wish(id=given)).code == "ID_INVALID"


def test_an_id_is_taken_once() -> None:
    view = FakeView(an_intent(), a_record())
    assert refused(a_wish(id="TICKET-1"), view).code == "ID_TAKEN"


def test_the_same_key_by_the_same_actor_gives_the_first_ticket_and_writes_nothing() -> None:
    view = FakeView(an_intent(), a_record())
    view.keys[(JANE, "key")] = TicketId("TICKET-1")
    again = make(a_wish(idem_key=" key "), view)
    assert (again.id, again.created, again.outcome.events) == ("TICKET-1", False, ())
    other = make(a_wish(idem_key="other"), view)
    assert other.created
    assert created_of(other).idem_key == "other"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"title": "  "}, "VALUE_INVALID", "title"),
        ({"title": "two\nlines"}, "VALUE_INVALID", "title"),
        ({"title": "red \x1b[31m"}, "VALUE_INVALID", "title"),
        ({"title": "broken \udc80"}, "VALUE_INVALID", "title"),
        ({"title": "x" * 201}, "VALUE_INVALID", "title"),
        ({"boundary": "x" * 16_385}, "VALUE_INVALID", "boundary"),
        ({"boundary": "bell \x07"}, "VALUE_INVALID", "boundary"),
        ({"priority": 0}, "VALUE_INVALID", "priority"),
        ({"priority": 6}, "VALUE_INVALID", "priority"),
        ({"priority": True}, "VALUE_INVALID", "priority"),
        ({"type": ""}, "VALUE_INVALID", "type"),
        ({"risk": "enormous"}, "VALUE_INVALID", "risk"),
        ({"resource_profile": "huge"}, "VALUE_INVALID", "resource_profile"),
        ({"max_steps": -1}, "BUDGET_VALUE_INVALID", "max_steps"),
        ({"max_files_changed": 2**31}, "BUDGET_VALUE_INVALID", "max_files_changed"),
        ({"max_loc_changed": "many"}, "BUDGET_VALUE_INVALID", "max_loc_changed"),
        ({"parent": "INTENT-9"}, "INVALID_PARENT", "parent"),
        ({"parent": "none"}, "PARENT_REQUIRED", "parent"),
        ({"created_by": "TICKET-9"}, "ID_NOT_FOUND", "created_by"),
        ({"checks": (" ",)}, "VALUE_INVALID", "checks"),
    ],
)
def test_a_field_outside_of_what_it_takes_is_refused_by_name(
    fields: Mapping[str, Scalar], code: str, field: str
) -> None:
    error = refused(a_wish(fields))
    assert (error.code, error.details["field"]) == (code, field)


@pytest.mark.parametrize(
    ("sets", "code", "field"),
    [
        ({"scope_allow": ("/etc/**",)}, "SCOPE_INVALID", "scope_allow"),
        ({"scope_deny": ("../x",)}, "SCOPE_INVALID", "scope_deny"),
        ({"blockers": ("TICKET-9",)}, "ID_NOT_FOUND", "blockers"),
        ({"labels": ("a\tb",)}, "VALUE_INVALID", "labels"),
        ({"labels": ("x" * 65,)}, "VALUE_INVALID", "labels"),
        ({"links": ("x" * 1025,)}, "VALUE_INVALID", "links"),
        ({"labels": tuple(f"l{number}" for number in range(201))}, "VALUE_INVALID", "labels"),
    ],
)
def test_a_member_outside_of_what_its_set_takes_is_refused_by_name(
    sets: Mapping[str, tuple[str, ...]], code: str, field: str
) -> None:
    error = refused(a_wish(sets=sets))
    assert (error.code, error.details["field"]) == (code, field)


def test_texts_are_trimmed_composed_and_keep_their_lines() -> None:
    data = created_of(make(a_wish({"title": "  Cafe\u0301 ", "boundary": "one\r\n\ttwo\n"})))
    assert (data.fields.title, data.fields.boundary) == ("Café", "one\n\ttwo")


def test_parents_and_blockers_take_a_prefix_or_the_part_after_the_dash() -> None:
    view = FakeView(an_intent("INTENT-ABCD"), a_record(a_ticket("TICKET-WXYZ", parent="INTENT-ABCD")))
    data = created_of(make(a_wish({"parent": "abcd"}, {"blockers": ("ticket-w",)}), view))
    assert (data.fields.parent, data.sets.blockers) == ("INTENT-ABCD", ("TICKET-WXYZ",))


def test_the_default_scope_is_not_written_down() -> None:
    assert created_of(make(a_wish(sets={"scope_allow": ("**",)}))).sets.scope_allow == ()
    mixed = created_of(make(a_wish(sets={"scope_allow": ("**", "src/**")})))
    assert mixed.sets.scope_allow == ("**", "src/**")


def test_short_notes_are_in_the_creation_and_a_long_one_is_an_event_of_its_own() -> None:
    short = make(a_wish()._replace(notes=("one", "two")))
    assert created_of(short).notes == ("one", "two")
    long = make(a_wish()._replace(notes=("one", "x" * 2000)))
    assert created_of(long).notes == ()
    texts = [draft.data.text for draft in long.outcome.events if isinstance(draft.data, TicketNoted)]
    assert texts == ["one", "x" * 2000]


def test_a_ticket_too_large_for_one_event_is_refused() -> None:
    texts = dict.fromkeys(("boundary", "success_condition", "consumer", "pain_point", "expected_value"), "é" * 16_384)
    wide = {"links": tuple(f"{number}" + "é" * 1000 for number in range(60))}
    assert refused(a_wish(texts, wide)).code == "VALUE_INVALID"
    assert created_of(make(a_wish(texts))).fields.boundary == "é" * 16_384


def test_a_ticket_below_a_task_is_refused() -> None:
    view = FakeView(an_intent(), a_record())
    assert refused(a_wish({"parent": "TICKET-1"}), view).code == "INVALID_PARENT"
