"""Why a ticket is offered or held back, and the fence that comes with it."""

import msgspec
import pytest

from exo_sidecar.domain import dispatch, fence, sessions
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import SETTLED_FIRST, Scalar, Scope, TicketRecord, Version
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
    blocked = a_ticket(blockers=("TICKET-2", "TICKET-3", "TICKET-4"), parent=None)
    record = a_record(blocked, conflicts={"boundary": versions("a", "b")})
    cancelled = a_record(a_ticket("TICKET-3", status=Status.CANCELLED))
    view = FakeView(record, a_record(a_ticket("TICKET-2")), cancelled)
    assert codes(view, record) == ["blocked_by", "blocker_cancelled", "blocked_by", "hierarchy", "conflict"]


def test_the_fence_comes_from_the_nearest_that_has_one_and_denies_from_all() -> None:
    intent = a_record(a_ticket("INTENT-1", kind="intent", allow=("**/*.py",), deny=("vendor/**",)))
    epic = a_record(a_ticket("EPIC-1", kind="epic", allow=("src/**",), deny=("src/gen/**",)))
    view = FakeView(intent, epic)
    inherited = fence.scope(view, a_record(a_ticket(parent="EPIC-1", deny=("a/**",))))
    assert inherited == Scope(allow=("src/**",), deny=("a/**", "src/gen/**", "vendor/**"))
    assert fence.scope(view, a_record(a_ticket(parent="EPIC-1", allow=("docs/**",)))).allow == ("docs/**",)
    assert fence.scope(FakeView(), a_record(a_ticket(parent=None))) == Scope()


def versions(*values: Scalar) -> tuple[Version, ...]:
    return tuple(Version(value=value, actor=JANE, at=AT, event="c:1") for value in values)


def test_of_scopes_in_conflict_what_all_allow_is_allowed_and_what_any_denies_denied() -> None:
    ticket = a_ticket(allow=("docs/**", "src/**", "src/lib/**"), deny=("a/**",))
    conflicts = {
        "scope_allow": versions(("docs/**", "src/**"), ("src/lib/**",)),
        "scope_deny": versions(("a/**",), ("a/**", "b/**")),
    }
    found = fence.scope(FakeView(an_intent()), a_record(ticket, conflicts=conflicts))
    assert found == Scope(allow=("src/lib/**",), deny=("a/**", "b/**"))


def test_a_version_that_inherits_allows_what_its_ancestor_allows() -> None:
    epic = a_record(a_ticket("EPIC-1", kind="epic", allow=("src/**",)))
    conflicts = {"scope_allow": versions(("**",), ("docs/**", "src/lib/**"))}
    record = a_record(a_ticket(parent="EPIC-1", allow=("docs/**", "src/lib/**")), conflicts=conflicts)
    assert fence.scope(FakeView(epic, an_intent()), record).allow == ("src/lib/**",)


def test_of_boundaries_and_checks_in_conflict_all_hold() -> None:
    ticket = msgspec.structs.replace(a_ticket(checks=("unit",)), boundary="no API")
    conflicts = {"boundary": versions("no API", "", "no tests"), "checks": versions(("unit",), ("lint", "unit"))}
    record = a_record(ticket, conflicts=conflicts)
    assert fence.boundary(FakeView(an_intent()), record) == "no API\nno tests"
    assert fence.checks(record) == ("unit", "lint")


@pytest.mark.parametrize("field", SETTLED_FIRST)
def test_what_may_be_done_is_settled_before_work_is_handed_out(field: str) -> None:
    record = a_record(conflicts={field: versions("a", "b")})
    view = FakeView(an_intent(), record)
    assert codes(view, record) == ["conflict"]
    refusal = sessions.readiness(view, record.id, dispatched=True)
    assert refusal is not None
    assert (refusal.code, refusal.hint) == ("TICKET_NOT_READY", "exo resolve TICKET-1 settles them")
    assert sessions.readiness(view, record.id, dispatched=False) is None


@pytest.mark.parametrize("field", ["title", "priority", "checks", "parent"])
def test_other_conflicts_hold_nothing_back(field: str) -> None:
    record = a_record(conflicts={field: versions("a", "b")})
    view = FakeView(an_intent(), record)
    assert codes(view, record) == []
    assert sessions.readiness(view, record.id, dispatched=True) is None


def test_of_budgets_in_conflict_the_lowest_counts() -> None:
    assert fence.budgets(a_record(conflicts={"max_steps": versions(50, 20, 80)})).max_steps == 20
    assert fence.budgets(a_record()).max_steps == 50
