"""Settling: which of several values holds, and who may say so."""

import pytest

from exo_sidecar.domain import settling
from exo_sidecar.domain.holding import standing
from exo_sidecar.domain.settling import NothingToResolve
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.event import Sets, TicketEdited, TicketMoved
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.lifecycle import Status
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

HOLDER = Asking(CLAUDE, SessionId("SES-A"))


def versions(*values: Scalar, start: Status | None = None) -> tuple[Version, ...]:
    return tuple(Version(value=value, actor=JANE, at=AT, event="c:1", start=start) for value in values)


def settle(record: TicketRecord, field: str, *take: str, caller: Asking | None = None, held: bool = False) -> Outcome:
    view = FakeView(an_intent(), record)
    if held:
        view.works(a_session())
    return settling.settle(view, record, field, take, standing(view, record.id, caller or Asking()))


def code_of(outcome: Outcome) -> str | None:
    return outcome.refusal.code if outcome.refusal is not None else None


def moved(*values: Status) -> TicketRecord:
    """Return a ticket that several clones moved on from `active`; the first value stands."""
    found = versions(*(str(value) for value in values), start=Status.ACTIVE)
    return with_status(a_record(conflicts={"status": found}), values[0])


def test_theirs_is_the_only_other_value() -> None:
    record = a_record(conflicts={"priority": versions(3, 5)})
    (draft,) = settle(record, "priority", "theirs").events
    assert isinstance(draft.data, TicketEdited)
    assert draft.data.fields.priority == 5
    several = a_record(conflicts={"priority": versions(3, 5, 1)})
    with pytest.raises(ValueInvalid, match="has 2 other values: 5; 1"):
        settle(several, "priority", "theirs")
    assert settle(several, "priority", "ours").refusal is None


def test_a_scope_is_settled_as_a_whole() -> None:
    ticket = a_ticket(allow=("docs/**", "src/**"))
    record = a_record(ticket, conflicts={"scope_allow": versions(("docs/**",), ("src/**",))})
    with pytest.raises(ValueInvalid, match="other values"):
        settle(record, "scope_allow", "theirs")  # what stands is neither: both were united
    (draft,) = settle(record, "scope_allow", "docs/**", "tests/**").events
    assert isinstance(draft.data, TicketEdited)
    assert draft.data.add == Sets(scope_allow=("docs/**", "tests/**"))
    assert draft.data.remove == Sets(scope_allow=("src/**",))
    (everything,) = settle(record, "scope_allow", "none").events
    assert isinstance(everything.data, TicketEdited)
    assert (everything.data.add, everything.data.remove) == (Sets(), Sets(scope_allow=("docs/**", "src/**")))


def test_what_takes_nothing_away_and_adds_nothing_is_written_all_the_same() -> None:
    record = a_record(conflicts={"scope_deny": versions((), ("a/**",))})
    (draft,) = settle(record, "scope_deny", "ours").events
    assert isinstance(draft.data, TicketEdited)
    assert draft.data.remove == Sets(scope_deny=("**",))


def test_fields_are_named_as_parameters_are() -> None:
    record = a_record(conflicts={"max_loc_changed": versions(1, 2)})
    assert settling.field_named(record, None) == "max_loc_changed"
    assert settling.field_named(record, "max-loc") == "max_loc_changed"
    with pytest.raises(NothingToResolve):
        settling.field_named(record, "title")
    with pytest.raises(ValueInvalid):
        settling.field_named(record, "colour")
    with pytest.raises(NothingToResolve):
        settling.field_named(a_record(), None)


def test_a_chosen_move_is_that_move_once_more() -> None:
    (draft,) = settle(moved(Status.CANCELLED, Status.DONE), "status", "theirs").events
    assert isinstance(draft.data, TicketMoved)
    assert (draft.data.start, draft.data.end, draft.data.settles) == (Status.ACTIVE, Status.DONE, True)


def test_of_two_creations_the_status_that_the_other_leads_to_is_chosen() -> None:
    record = with_status(a_record(conflicts={"status": versions("backlog", "todo")}), Status.BACKLOG)
    (draft,) = settle(record, "status", "todo").events
    assert isinstance(draft.data, TicketMoved)
    assert (draft.data.start, draft.data.end) == (Status.BACKLOG, Status.TODO)
    assert code_of(settle(record, "status", "backlog")) == "VALUE_INVALID"


def test_a_person_chooses_whoever_holds_the_ticket_an_agent_does_not() -> None:
    record = moved(Status.BLOCKED, Status.CANCELLED)
    assert code_of(settle(record, "status", "cancelled", held=True)) is None
    assert code_of(settle(record, "status", "cancelled", caller=Asking(CODEX), held=True)) == "LEASE_HELD"


@pytest.mark.parametrize(
    ("values", "wanted", "code"),
    [
        ((Status.ACTIVE, Status.REVIEW), "review", None),  # the holder moves there
        ((Status.REVIEW, Status.ACTIVE), "active", None),
        ((Status.CANCELLED, Status.REVIEW), "review", "HUMAN_REQUIRED"),  # nobody moves back from there
        ((Status.DONE, Status.BLOCKED), "done", "HUMAN_REQUIRED"),
    ],
)
def test_an_agent_chooses_what_it_could_move_to(values: tuple[Status, ...], wanted: str, code: str | None) -> None:
    assert code_of(settle(moved(*values), "status", wanted, caller=HOLDER, held=True)) == code


def test_a_field_of_a_ticket_that_another_session_holds_is_settled_by_it_or_a_person() -> None:
    record = a_record(conflicts={"title": versions("Title of TICKET-1", "Other")})
    assert code_of(settle(record, "title", "theirs", caller=Asking(CODEX), held=True)) == "LEASE_HELD"
    (draft,) = settle(record, "title", "theirs", caller=HOLDER, held=True).events
    assert (draft.session, draft.epoch) == ("SES-A", 1)
    assert code_of(settle(record, "title", "theirs", held=True)) is None


def test_the_stricter_of_two_values_is_what_an_agent_must_not_exceed() -> None:
    record = a_record(conflicts={"max_depth": versions(10, 3)})
    assert code_of(settle(record, "max_depth", "ours", caller=Asking(CODEX))) == "HUMAN_REQUIRED"
    assert code_of(settle(record, "max_depth", "theirs", caller=Asking(CODEX))) is None
    assert code_of(settle(record, "max_depth", "ours")) is None
