"""Edits: what changes, who may, and what an agent may not do to its own fence."""

from collections.abc import Mapping

import msgspec
import pytest

from exo_sidecar.domain import tickets
from exo_sidecar.domain.holding import standing
from exo_sidecar.domain.tickets import Change
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import Sets, TicketEdited, TicketNoted
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import Scalar, TicketRecord, Version
from tests.support.views import (
    AT,
    CLAUDE,
    CODEX,
    JANE,
    Asking,
    FakeView,
    a_record,
    a_session,
    a_ticket,
    an_intent,
    with_status,
)

Names = Mapping[str, tuple[str, ...]]
HOLDER = Asking(CLAUDE, SessionId("SES-A"))


def a_change(
    fields: Mapping[str, Scalar] | None = None,
    add: Names | None = None,
    remove: Names | None = None,
    notes: tuple[str, ...] = (),
) -> Change:
    return Change(fields or {}, add or {}, remove or {}, notes)


def a_view(record: TicketRecord, *others: TicketRecord, held: bool = False) -> FakeView:
    listed = Config(checks_allowlist=("unit", "lint", "types"))
    view = FakeView(an_intent(), record, *others, config=listed)
    if held:
        view.works(a_session())
    return view


def edit(view: FakeView, change: Change, caller: Asking | None = None) -> Outcome:
    record = view.find_ticket("TICKET-1")
    return tickets.edit(view, record, change, standing(view, record.id, caller or Asking()))


def edited_of(outcome: Outcome) -> TicketEdited:
    assert outcome.refusal is None
    data = outcome.events[0].data
    assert isinstance(data, TicketEdited)
    return data


def refusal_of(outcome: Outcome) -> ExoError:
    assert outcome.refusal is not None
    assert outcome.events == ()
    return outcome.refusal


def test_an_edit_writes_only_what_differs() -> None:
    view = a_view(a_record(a_ticket(labels=("api",))))
    change = a_change({"title": "Title of TICKET-1", "priority": 2}, {"labels": ("api", "new")}, {"links": ("gone",)})
    data = edited_of(edit(view, change))
    assert data.fields == msgspec.structs.replace(type(data.fields)(), priority=2)
    assert (data.add, data.remove) == (Sets(labels=("new",)), Sets())


@pytest.mark.parametrize(
    "change",
    [
        a_change(),
        a_change({"title": "Title of TICKET-1"}),
        a_change(add={"labels": ("api",)}),
        a_change(add={"scope_allow": ("**",)}),
        a_change(remove={"labels": ("other",), "scope_deny": ("x/**",)}),
    ],
)
def test_an_edit_that_changes_nothing_is_refused(change: Change) -> None:
    view = a_view(a_record(a_ticket(labels=("api",))))
    assert refusal_of(edit(view, change)).code == "NOTHING_TO_CHANGE"


def test_writing_the_standing_value_of_a_field_in_conflict_settles_it() -> None:
    versions = tuple(Version(value=value, actor=JANE, at=AT, event="c:1") for value in (3, 4))
    view = a_view(a_record(conflicts={"priority": versions}))
    assert edited_of(edit(view, a_change({"priority": 3}))).fields.priority == 3


def test_a_note_is_an_event_of_its_own() -> None:
    outcome = edit(a_view(a_record()), a_change({"priority": 1}, notes=("look here",)))
    assert [type(draft.data) for draft in outcome.events] == [TicketEdited, TicketNoted]
    alone = edit(a_view(a_record()), a_change(notes=("look here",)))
    assert [type(draft.data) for draft in alone.events] == [TicketNoted]


@pytest.mark.parametrize("status", Status)
def test_a_closed_ticket_is_not_edited(status: Status) -> None:
    outcome = edit(a_view(with_status(a_record(), status)), a_change({"priority": 1}))
    assert (outcome.refusal is None) is (status not in CLOSED)
    if outcome.refusal is not None:
        assert refusal_of(outcome).code == "TICKET_CLOSED"


def test_while_a_session_holds_the_ticket_only_it_or_a_person_edits() -> None:
    view = a_view(a_record(), held=True)
    for caller in (Asking(CODEX), Asking(CLAUDE), Asking(CODEX, SessionId("SES-B"))):
        assert refusal_of(edit(view, a_change({"priority": 1}), caller)).code == "LEASE_HELD"
    assert edited_of(edit(view, a_change({"priority": 1}), Asking(JANE))).fields.priority == 1
    (draft,) = edit(view, a_change({"priority": 1}), HOLDER).events
    assert (draft.session, draft.epoch) == ("SES-A", 1)


def test_an_overtaken_session_edits_nothing() -> None:
    view = a_view(a_record(), held=True)
    view.works(a_session("SES-B", epoch=2, status="finished"))
    assert refusal_of(edit(view, a_change({"priority": 1}), HOLDER)).code == "SESSION_FENCED"


FENCED = a_ticket(allow=("src/**",), deny=("src/secret/**",), checks=("unit", "lint"))
WIDER = {
    "scope_allow": a_change(add={"scope_allow": ("docs/**",)}),
    "scope_deny": a_change(remove={"scope_deny": ("src/secret/**",)}),
    "max_steps": a_change({"max_steps": 51}),
    "checks": a_change({"checks": ("unit",)}),
}
NARROWER = {
    "scope_allow": a_change(remove={"scope_allow": ("docs/**",)}),
    "scope_deny": a_change(add={"scope_deny": ("src/old/**",)}),
    "max_steps": a_change({"max_steps": 49}),
    "checks": a_change({"checks": ("unit", "lint", "types")}),
}


@pytest.mark.parametrize("field", WIDER)
def test_an_agent_widens_no_fence_while_a_session_works(field: str) -> None:
    view = a_view(a_record(FENCED), held=True)
    refusal = refusal_of(edit(view, WIDER[field], HOLDER))
    assert (refusal.code, refusal.details["field"]) == ("HUMAN_REQUIRED", field)
    assert edit(view, WIDER[field], Asking(JANE)).refusal is None
    assert edit(a_view(a_record(FENCED)), WIDER[field], Asking(CLAUDE)).refusal is None


@pytest.mark.parametrize("field", NARROWER)
def test_an_agent_may_narrow_its_own_fence(field: str) -> None:
    wide = msgspec.structs.replace(FENCED, scope=msgspec.structs.replace(FENCED.scope, allow=("src/**", "docs/**")))
    assert edit(a_view(a_record(wide), held=True), NARROWER[field], HOLDER).refusal is None


def test_taking_the_last_allow_away_opens_everything_and_needs_a_person() -> None:
    view = a_view(a_record(FENCED), held=True)
    refusal = refusal_of(edit(view, a_change(remove={"scope_allow": ("src/**",)}), HOLDER))
    assert refusal.code == "HUMAN_REQUIRED"


def test_a_first_allow_narrows_unless_an_ancestor_fences_tighter() -> None:
    change = a_change(add={"scope_allow": ("src/**",)})
    view = a_view(a_record(), held=True)
    assert edit(view, change, HOLDER).refusal is None
    view.put(an_intent(allow=("docs/**",)))
    assert refusal_of(edit(view, change, HOLDER)).code == "HUMAN_REQUIRED"


def test_another_parent_with_a_wider_fence_needs_a_person() -> None:
    view = a_view(a_record(), an_intent("INTENT-2"), held=True)
    view.put(an_intent(allow=("docs/**",)))
    assert refusal_of(edit(view, a_change({"parent": "INTENT-2"}), HOLDER)).code == "HUMAN_REQUIRED"


def test_a_ring_of_blockers_is_refused_and_named() -> None:
    others = (
        a_record(a_ticket("TICKET-2", blockers=("TICKET-3",))),
        a_record(a_ticket("TICKET-3", blockers=("TICKET-1",))),
        a_record(a_ticket("TICKET-4", blockers=("TICKET-9",))),
    )
    view = a_view(a_record(), *others)
    refusal = refusal_of(edit(view, a_change(add={"blockers": ("2",)})))
    assert refusal.code == "BLOCKER_CYCLE"
    assert refusal.details["chain"] == ("TICKET-1", "TICKET-2", "TICKET-3", "TICKET-1")
    assert refusal_of(edit(view, a_change(add={"blockers": ("TICKET-1",)}))).code == "BLOCKER_CYCLE"
    assert edited_of(edit(view, a_change(add={"blockers": ("4",)}))).add.blockers == ("TICKET-4",)


def test_a_ring_of_others_does_not_hold_the_walk() -> None:
    others = (
        a_record(a_ticket("TICKET-2", blockers=("TICKET-3",))),
        a_record(a_ticket("TICKET-3", blockers=("TICKET-2",))),
    )
    assert edit(a_view(a_record(), *others), a_change(add={"blockers": ("TICKET-2",)})).refusal is None


def test_a_blocker_that_exists_no_more_can_still_be_taken_away() -> None:
    view = a_view(a_record(a_ticket(blockers=("TICKET-9",))))
    assert edited_of(edit(view, a_change(remove={"blockers": ("ticket-9",)}))).remove.blockers == ("TICKET-9",)


def test_a_member_is_not_added_and_removed_at_once() -> None:
    with pytest.raises(ExoError, match="both added and removed"):
        edit(a_view(a_record()), a_change(add={"labels": ("x",)}, remove={"labels": ("x",)}))


def test_a_parent_is_taken_away_only_where_none_is_needed() -> None:
    view = a_view(a_record())
    assert refusal_of(edit(view, a_change({"parent": "none"}))).code == "PARENT_REQUIRED"
    assert edited_of(edit(view, a_change({"parent": "none", "type": "practice"}))).fields.parent is None


def test_the_kind_changes_where_the_hierarchy_allows_and_nobody_works() -> None:
    assert edited_of(edit(a_view(a_record()), a_change({"kind": "epic"}))).fields.kind == "epic"
    assert refusal_of(edit(a_view(a_record()), a_change({"kind": "intent"}))).code == "INVALID_PARENT"
    assert refusal_of(edit(a_view(a_record(), held=True), a_change({"kind": "epic"}), HOLDER)).code == "LEASE_HELD"
