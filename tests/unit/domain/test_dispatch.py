"""Why a ticket is offered or held back, and the fence that comes with it."""

import pytest

from exo_sidecar.domain import dispatch, fence
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import Scope, TicketRecord, Version
from tests.support.views import AT, JANE, FakeView, a_record, a_session, a_ticket, an_intent, with_status


def codes(view: FakeView, record: TicketRecord) -> list[str]:
    return [reason.code for reason in dispatch.explain(view, record).reasons]


@pytest.mark.parametrize(
    ("priority", "unblocks", "score"), [(1, 0, 500), (3, 0, 300), (5, 2, 160), (0, 0, 500), (9, 1, 130)]
)
def test_the_score_is_urgency_and_those_who_wait(priority: int, unblocks: int, score: int) -> None:
    assert dispatch.score(priority, unblocks) == score


def test_only_open_tickets_count_as_waiting() -> None:
    waiting = (a_record(a_ticket(f"TICKET-{number}", blockers=("TICKET-1",))) for number in (2, 3))
    view = FakeView(a_record(), *waiting, a_record(a_ticket("TICKET-4", blockers=("TICKET-1",), status=Status.DONE)))
    assert dispatch.unblocks(view, a_record().id) == 2


def test_a_free_task_with_nothing_in_its_way_is_a_candidate() -> None:
    assert codes(FakeView(an_intent(), a_record()), a_record()) == []


def test_active_work_that_nobody_holds_is_a_candidate_again() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = FakeView(an_intent(), record)
    assert codes(view, record) == []
    view.works(a_session())
    assert codes(view, record) == ["held"]


def test_containers_are_never_offered() -> None:
    assert codes(FakeView(), an_intent()) == ["not_task"]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.TODO, Status.ACTIVE}))
def test_other_statuses_are_never_offered(status: Status) -> None:
    record = with_status(a_record(), status)
    assert codes(FakeView(an_intent(), record), record) == ["status"]


def test_every_reason_is_named() -> None:
    versions = (Version(value="a", actor=JANE, at=AT, event="c:1"), Version(value="b", actor=JANE, at=AT, event="d:1"))
    blocked = a_ticket(blockers=("TICKET-2", "TICKET-3", "TICKET-4"), parent=None)
    record = a_record(blocked, conflicts={"boundary": versions})
    cancelled = a_record(a_ticket("TICKET-3", status=Status.CANCELLED))
    view = FakeView(record, a_record(a_ticket("TICKET-2")), cancelled)
    assert codes(view, record) == ["blocked_by", "blocker_cancelled", "blocked_by", "hierarchy", "conflict"]


def test_the_fence_comes_from_the_nearest_that_has_one_and_denies_from_all() -> None:
    intent = a_record(a_ticket("INTENT-1", kind="intent", allow=("**/*.py",), deny=("vendor/**",)))
    epic = a_record(a_ticket("EPIC-1", kind="epic", allow=("src/**",), deny=("src/gen/**",)))
    view = FakeView(intent, epic)
    inherited = fence.scope(view, a_ticket(parent="EPIC-1", deny=("a/**",)))
    assert inherited == Scope(allow=("src/**",), deny=("a/**", "src/gen/**", "vendor/**"))
    assert fence.scope(view, a_ticket(parent="EPIC-1", allow=("docs/**",))).allow == ("docs/**",)
    assert fence.scope(FakeView(), a_ticket(parent=None)) == Scope()


def test_of_budgets_in_conflict_the_lowest_counts() -> None:
    versions = tuple(Version(value=value, actor=JANE, at=AT, event="c:1") for value in (50, 20, 80))
    assert fence.budgets(a_record(conflicts={"max_steps": versions})).max_steps == 20
    assert fence.budgets(a_record()).max_steps == 50
