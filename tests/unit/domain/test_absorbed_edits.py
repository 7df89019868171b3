"""Ticket files edited by hand: judged like the operations, all or nothing, the refused field named."""

import msgspec
import pytest

from exo_sidecar.domain.edits import absorb_ticket
from exo_sidecar.model.event import TicketCreated, TicketEdited, TicketMoved, TicketNoted, TicketRefused
from exo_sidecar.model.event_memory import ReflectionRecorded
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import Budgets, Scope, Ticket, TicketRecord
from tests.support.views import CLAUDE, CODEX, Asking, FakeView, a_record, a_session, a_ticket, an_intent

BEFORE = a_record(a_ticket(labels=("api",), notes=("first",)))


def absorb(after: Ticket, before: TicketRecord | None = BEFORE, view: FakeView | None = None) -> Outcome:
    return absorb_ticket(view or FakeView(an_intent(), *([before] if before else [])), before, after, Asking())


def changed(**fields: object) -> Ticket:
    return msgspec.structs.replace(BEFORE.ticket, **fields)


def refused_field(outcome: Outcome) -> tuple[str, object]:
    assert outcome.refusal is not None
    return outcome.refusal.code, outcome.refusal.details["field"]


def test_a_file_that_only_looks_different_is_no_edit() -> None:
    assert absorb(BEFORE.ticket) == Outcome()


def test_changed_fields_become_one_absorbed_edit() -> None:
    outcome = absorb(changed(priority=1, labels=("new",), scope=Scope(allow=("src/**",)), budgets=Budgets(max_steps=9)))
    (draft,) = outcome.events
    assert isinstance(draft.data, TicketEdited)
    assert draft.data.absorbed
    assert (draft.data.fields.priority, draft.data.fields.max_steps) == (1, 9)
    assert (draft.data.add.labels, draft.data.remove.labels) == (("new",), ("api",))
    assert draft.data.add.scope_allow == ("src/**",)


def test_a_changed_status_is_a_move_after_the_edit() -> None:
    outcome = absorb(changed(priority=1, status=Status.BLOCKED, notes=("first", "no access")))
    assert [type(draft.data) for draft in outcome.events] == [
        TicketEdited,
        TicketNoted,
        TicketMoved,
        ReflectionRecorded,
    ]
    (move,) = (draft.data for draft in outcome.events if isinstance(draft.data, TicketMoved))
    assert (move.start, move.end, move.reason, move.absorbed) == ("todo", "blocked", "no access", True)


def test_a_move_is_judged_on_the_ticket_as_the_file_has_it() -> None:
    before = a_record(a_ticket(blockers=("TICKET-2",), status=Status.BLOCKED))
    view = FakeView(an_intent(), before, a_record(a_ticket("TICKET-2")))
    view.works(a_session())
    caller = Asking(CLAUDE, SessionId("SES-A"))
    active = msgspec.structs.replace(before.ticket, status=Status.ACTIVE)
    assert refused_field(absorb_ticket(view, before, active, caller)) == ("GUARD_UNMET", "status")
    freed = msgspec.structs.replace(active, blockers=())
    assert absorb_ticket(view, before, freed, caller).refusal is None


def test_a_status_that_the_table_does_not_have_is_refused_and_recorded_and_the_rest_not_taken() -> None:
    outcome = absorb(changed(priority=1, status=Status.DONE))
    assert refused_field(outcome) == ("TRANSITION_INVALID", "status")
    assert [type(draft.data) for draft in outcome.events] == [TicketRefused]


@pytest.mark.parametrize(
    ("after", "code", "field"),
    [
        (changed(priority=9), "VALUE_INVALID", "priority"),
        (changed(title=""), "VALUE_INVALID", "title"),
        (changed(budgets=Budgets(max_steps=-1)), "BUDGET_VALUE_INVALID", "max_steps"),
        (changed(parent=TicketId("INTENT-9")), "INVALID_PARENT", "parent"),
        (changed(parent=None), "PARENT_REQUIRED", "parent"),
        (changed(blockers=(TicketId("TICKET-1"),)), "BLOCKER_CYCLE", "blockers"),
        (changed(scope=Scope(deny=("/etc",))), "SCOPE_INVALID", "scope_deny"),
        (changed(id=TicketId("TICKET-2")), "VALUE_INVALID", "id"),
        (changed(notes=("rewritten",)), "VALUE_INVALID", "notes"),
        (changed(notes=()), "VALUE_INVALID", "notes"),
        (changed(status=Status.BLOCKED), "GUARD_UNMET", "status"),
    ],
)
def test_a_refused_edit_names_its_field(after: Ticket, code: str, field: str) -> None:
    assert refused_field(absorb(after)) == (code, field)


def test_a_ticket_that_another_session_holds_is_not_edited_by_an_agents_hand() -> None:
    view = FakeView(an_intent(), BEFORE)
    view.works(a_session())
    outcome = absorb_ticket(view, BEFORE, changed(priority=1), Asking(CODEX))
    assert refused_field(outcome) == ("LEASE_HELD", "priority")
    assert absorb_ticket(view, BEFORE, changed(priority=1), Asking()).refusal is None
    assert absorb_ticket(view, BEFORE, changed(priority=1), Asking(), human=False).refusal is not None


def test_a_new_file_is_a_new_ticket() -> None:
    outcome = absorb(a_ticket("TICKET-7", labels=("x",), notes=("n",)), None)
    (draft,) = outcome.events
    assert isinstance(draft.data, TicketCreated)
    assert (draft.subject, draft.data.absorbed, draft.data.notes) == ("TICKET-7", True, ("n",))
    assert (draft.data.fields.parent, draft.data.sets.labels) == ("INTENT-1", ("x",))


@pytest.mark.parametrize(
    ("after", "code", "field"),
    [
        (a_ticket("TICKET-7", status=Status.DONE), "VALUE_INVALID", "status"),
        (a_ticket("ticket-7"), "ID_INVALID", "id"),
        (a_ticket("SES-7"), "ID_INVALID", "id"),
        (a_ticket("TICKET-7", parent=None), "PARENT_REQUIRED", "parent"),
        (a_ticket("INTENT-1"), "ID_INVALID", "id"),
    ],
)
def test_a_new_file_that_breaks_a_rule_is_refused_by_field(after: Ticket, code: str, field: str) -> None:
    assert refused_field(absorb(after, None)) == (code, field)
