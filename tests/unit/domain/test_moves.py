"""Every pair of the lifecycle, allowed and refused; guards; who may."""

import pytest

from exo_sidecar.domain import moves
from exo_sidecar.domain.holding import Standing, standing
from exo_sidecar.domain.moves import Ask
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.config import Config, LifecycleSettings
from exo_sidecar.model.errors import ExoError, Kind
from exo_sidecar.model.event import TicketMoved, TicketRefused
from exo_sidecar.model.event_memory import ReflectionRecorded
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.lifecycle import CLOSED, TABLE, Move, Status, Who, row
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import TicketRecord
from tests.support.views import (
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

HOLDER = SessionId("SES-A")
PASSED = Shown(verify="passed")
OPERATIONS = sorted({operation for move in TABLE for operation in move.by})
MAY: dict[Who, tuple[bool, bool, bool, bool]] = {
    # the session that holds or held it, another agent, the agent that made the ticket, a person
    Who.ANYONE: (True, True, True, True),
    Who.HOLDER: (True, False, False, False),
    Who.NEW_HOLDER: (True, False, False, False),
    Who.LAST_HOLDER: (True, False, False, True),
    Who.CREATOR: (False, False, True, True),
    Who.REVIEWER: (True, True, True, True),
}
PAIRS = [(start, end) for start in Status for end in Status]
NEED_A_HOLDER = {Who.HOLDER, Who.NEW_HOLDER}


def a_view(record: TicketRecord, *others: TicketRecord, held: bool = False, review: bool = False) -> FakeView:
    view = FakeView(an_intent(), record, *others, config=Config(lifecycle=LifecycleSettings(require_review=review)))
    if held:
        view.works(a_session())
    return view


def ask_of(view: FakeView, record: TicketRecord, ask: Ask, caller: Asking) -> Outcome:
    return moves.move(view, record, ask, standing(view, record.id, caller))


def refusal_of(outcome: Outcome) -> ExoError:
    assert outcome.refusal is not None
    return outcome.refusal


def moved_of(outcome: Outcome) -> TicketMoved:
    assert outcome.refusal is None
    data = outcome.events[0].data
    assert isinstance(data, TicketMoved)
    return data


@pytest.mark.parametrize(("start", "end"), PAIRS)
def test_every_pair_of_the_table_is_allowed_and_every_other_refused_with_its_reason(start: Status, end: Status) -> None:
    record = with_status(a_record(creator=CLAUDE), start)
    wanted = row(start, end)
    view = a_view(record, held=wanted is not None and wanted.who in NEED_A_HOLDER)
    caller = Asking(CLAUDE, HOLDER)
    ask = Ask(end=end, reason="because", shown=PASSED)
    if wanted is not None:
        for operation in wanted.by:
            outcome = ask_of(view, record, ask._replace(operation=operation), caller)
            assert (moved_of(outcome).start, moved_of(outcome).end) == (start, end)
        return
    refusal = refusal_of(ask_of(view, record, ask, caller))
    assert (refusal.code, refusal.kind) == ("TRANSITION_INVALID", Kind.REFUSED)
    if start is end:
        assert refusal.details["reason"] == f"Already in state {start}"
    elif start in CLOSED:
        assert refusal.details["reason"] == f"Cannot transition from terminal state {start}"
    else:
        assert refusal.details["reason"] == f"No valid transition from {start} to {end}"


@pytest.mark.parametrize("wanted", TABLE, ids=str)
def test_a_move_is_made_by_its_own_operations_and_by_no_other(wanted: Move) -> None:
    record = with_status(a_record(creator=CLAUDE), wanted.start)
    view = a_view(record, held=wanted.who in NEED_A_HOLDER)
    for operation in OPERATIONS:
        ask = Ask(end=wanted.end, operation=operation, reason="because", shown=PASSED)
        outcome = ask_of(view, record, ask, Asking(CLAUDE, HOLDER))
        if operation in wanted.by:
            assert moved_of(outcome).operation == operation
        else:
            assert (refusal_of(outcome).code, refusal_of(outcome).details["guard"]) == ("GUARD_UNMET", "operation")


@pytest.mark.parametrize("wanted", TABLE, ids=str)
def test_a_move_is_made_by_those_who_may_and_by_nobody_else(wanted: Move) -> None:
    record = with_status(a_record(creator=CODEX), wanted.start)
    view = a_view(record, held=wanted.who in NEED_A_HOLDER)
    if wanted.who not in NEED_A_HOLDER:
        view.works(a_session(status="suspended"))
    other, person = Asking(Actor("agent:gemini"), SessionId("SES-C")), Asking(JANE)
    for caller, may in zip((Asking(CLAUDE, HOLDER), other, Asking(CODEX), person), MAY[wanted.who], strict=True):
        ask = Ask(end=wanted.end, operation=wanted.by[0], reason="because", shown=PASSED)
        outcome = ask_of(view, record, ask, caller)
        assert (outcome.refusal is None) == may, (caller, outcome.refusal)


def test_work_whose_checks_failed_is_handed_to_nobody_and_is_not_done() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = a_view(record, held=True)
    for end in (Status.REVIEW, Status.DONE):
        ask = Ask(end=end, shown=Shown(verify="failed", failed=("unit",)))
        refusal = refusal_of(ask_of(view, record, ask, Asking(CLAUDE, HOLDER)))
        assert (refusal.code, refusal.details["checks"]) == ("VERIFY_FAILED", ("unit",))
        assert "unit" in refusal.message
    for end in (Status.BLOCKED, Status.CANCELLED):
        ask = Ask(end=end, reason="r", shown=Shown(verify="failed"))
        assert moved_of(ask_of(view, record, ask, Asking(CLAUDE, HOLDER))).end is end


@pytest.mark.parametrize("start", [Status.ACTIVE, Status.REVIEW])
def test_work_that_nothing_has_checked_may_be_reviewed_and_is_not_done(start: Status) -> None:
    record = with_status(a_record(), start)
    view = a_view(record, held=start is Status.ACTIVE)
    for shown in (Shown(), Shown(verify="none"), Shown(verify="bypassed")):
        ask = Ask(end=Status.DONE, shown=shown)
        assert refusal_of(ask_of(view, record, ask, Asking(CLAUDE, HOLDER))).code == "VERIFY_NOTHING_RAN"
        if start is Status.ACTIVE:
            review = ask._replace(end=Status.REVIEW)
            assert moved_of(ask_of(view, record, review, Asking(CLAUDE, HOLDER))).end is Status.REVIEW


def test_a_refused_move_is_an_event_that_names_code_and_statuses() -> None:
    record = a_record()
    outcome = ask_of(a_view(record), record, Ask(end=Status.DONE), Asking())
    (draft,) = outcome.events
    assert isinstance(draft.data, TicketRefused)
    assert (draft.data.code, draft.data.start, draft.data.end) == ("TRANSITION_INVALID", Status.TODO, Status.DONE)
    assert (draft.subject, draft.epoch) == ("TICKET-1", None)


def test_the_hint_of_an_impossible_move_names_the_possible_ones() -> None:
    record = a_record()
    refusal = refusal_of(ask_of(a_view(record), record, Ask(end=Status.DONE), Asking()))
    assert "active, blocked, cancelled" in refusal.hint


@pytest.mark.parametrize("wanted", [move for move in TABLE if "reason" in move.guards], ids=str)
def test_a_move_that_needs_a_reason_is_refused_without_one(wanted: Move) -> None:
    record = with_status(a_record(creator=CLAUDE), wanted.start)
    view = a_view(record, held=wanted.who in NEED_A_HOLDER)
    for reason in (None, "", "  \n"):
        refusal = refusal_of(ask_of(view, record, Ask(end=wanted.end, reason=reason), Asking(CLAUDE, HOLDER)))
        assert (refusal.code, refusal.details["guard"]) == ("GUARD_UNMET", "reason")


@pytest.mark.parametrize("wanted", TABLE, ids=str)
def test_what_a_session_holds_is_moved_by_that_session_alone(wanted: Move) -> None:
    record = with_status(a_record(), wanted.start)
    view = a_view(record, held=True)
    for caller in (Asking(CODEX, SessionId("SES-B")), Asking(CLAUDE), Asking(JANE)):
        refusal = refusal_of(ask_of(view, record, Ask(end=wanted.end, reason="because"), caller))
        assert (refusal.code, refusal.kind) == ("LEASE_HELD", Kind.HELD)
        assert refusal.details["holder"] == HOLDER
        assert refusal.details["epoch"] == 1


@pytest.mark.parametrize("wanted", [move for move in TABLE if move.who in NEED_A_HOLDER], ids=str)
def test_a_move_of_a_holder_is_refused_while_nobody_holds_the_ticket(wanted: Move) -> None:
    record = with_status(a_record(creator=CLAUDE), wanted.start)
    refusal = refusal_of(ask_of(a_view(record), record, Ask(end=wanted.end, reason="because"), Asking(CLAUDE, HOLDER)))
    assert (refusal.code, refusal.exit_status) == ("LEASE_NOT_HELD", 6)
    assert "exo session-start --ticket-id TICKET-1" in refusal.hint


def test_a_person_may_cancel_active_work_that_nobody_holds() -> None:
    record = with_status(a_record(creator=CLAUDE), Status.ACTIVE)
    assert moved_of(ask_of(a_view(record), record, Ask(end=Status.CANCELLED, reason="no"), Asking())).end == "cancelled"


def test_the_holders_move_carries_its_session_and_token() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    (draft,) = ask_of(a_view(record, held=True), record, Ask(end=Status.REVIEW), Asking(CLAUDE, HOLDER)).events
    assert (draft.session, draft.epoch) == (HOLDER, 1)


def test_a_session_that_was_overtaken_is_told_that_it_is_fenced() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = a_view(record, held=True)
    view.works(a_session("SES-B", epoch=2, actor=CODEX))
    fenced = refusal_of(ask_of(view, record, Ask(end=Status.REVIEW), Asking(CLAUDE, HOLDER)))
    assert (fenced.code, fenced.exit_status) == ("SESSION_FENCED", 6)
    assert moved_of(ask_of(view, record, Ask(end=Status.REVIEW), Asking(CODEX, SessionId("SES-B")))).end == "review"


def test_an_overtaken_session_stays_fenced_after_the_other_one_finished() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = a_view(record, held=True)
    view.works(a_session("SES-B", epoch=2, status="finished"))
    assert refusal_of(ask_of(view, record, Ask(end=Status.REVIEW), Asking(CLAUDE, HOLDER))).code == "SESSION_FENCED"


def test_work_starts_only_when_every_blocker_is_done() -> None:
    record = a_record(a_ticket(blockers=("TICKET-2", "TICKET-3", "TICKET-4", "TICKET-5")))
    others = (
        a_record(a_ticket("TICKET-2", status=Status.REVIEW)),
        a_record(a_ticket("TICKET-3", status=Status.CANCELLED)),
        a_record(a_ticket("TICKET-4", status=Status.DONE)),
        a_record(a_ticket("TICKET-5", status=Status.ARCHIVED), resolution="done"),
    )
    view = a_view(record, *others, held=True)
    caller = Asking(CLAUDE, HOLDER)
    refusal = refusal_of(ask_of(view, record, Ask(end=Status.ACTIVE), caller))
    assert (refusal.details["guard"], refusal.details["blockers"]) == ("blockers", ("TICKET-2", "TICKET-3"))
    assert "TICKET-3 (blocker_cancelled)" in refusal.message
    view.put(*(a_record(a_ticket(key, status=Status.DONE)) for key in ("TICKET-2", "TICKET-3")))
    assert moved_of(ask_of(view, record, Ask(end=Status.ACTIVE), caller)).end is Status.ACTIVE


def test_work_starts_only_in_a_valid_place_of_the_hierarchy() -> None:
    record = a_record(a_ticket(parent="INTENT-9"))
    refusal = refusal_of(ask_of(a_view(record, held=True), record, Ask(end=Status.ACTIVE), Asking(CLAUDE, HOLDER)))
    assert (refusal.code, refusal.details["guard"]) == ("GUARD_UNMET", "hierarchy")


def test_containers_above_become_active_when_work_below_starts() -> None:
    record = a_record(a_ticket(parent="EPIC-1"))
    epic = a_record(a_ticket("EPIC-1", kind="epic"))
    outcome = ask_of(a_view(record, epic, held=True), record, Ask(end=Status.ACTIVE), Asking(CLAUDE, HOLDER))
    assert [(draft.subject, draft.epoch) for draft in outcome.events] == [
        ("TICKET-1", 1),
        ("EPIC-1", None),
        ("INTENT-1", None),
    ]


def test_a_container_that_is_active_already_is_not_moved_again() -> None:
    record = a_record()
    view = a_view(record, held=True)
    view.put(an_intent(status=Status.ACTIVE))
    assert len(ask_of(view, record, Ask(end=Status.ACTIVE), Asking(CLAUDE, HOLDER)).events) == 1


def test_a_container_needs_no_lease() -> None:
    intent = an_intent()
    assert moved_of(ask_of(FakeView(intent), intent, Ask(end=Status.ACTIVE), Asking(CLAUDE))).end is Status.ACTIVE


def test_a_container_is_done_only_when_no_child_is_open() -> None:
    intent = an_intent(status=Status.ACTIVE)
    view = FakeView(intent, a_record(), a_record(a_ticket("TICKET-2", status=Status.DONE)))
    refusal = refusal_of(ask_of(view, intent, Ask(end=Status.DONE), Asking()))
    assert (refusal.details["guard"], refusal.details["children"]) == ("children", ("TICKET-1",))
    view.put(a_record(a_ticket(status=Status.CANCELLED)))
    assert moved_of(ask_of(view, intent, Ask(end=Status.DONE), Asking())).end is Status.DONE


def test_only_the_creator_or_a_person_drops_an_idea() -> None:
    record = with_status(a_record(creator=CLAUDE), Status.BACKLOG)
    ask = Ask(end=Status.ARCHIVED, operation="ticket-archive")
    refusal = refusal_of(ask_of(a_view(record), record, ask, Asking(CODEX)))
    assert (refusal.code, refusal.details["guard"]) == ("GUARD_UNMET", "creator, human")
    for caller in (Asking(CLAUDE), Asking(JANE)):
        assert moved_of(ask_of(a_view(record), record, ask, caller)).end is Status.ARCHIVED


def test_only_the_last_holder_or_a_person_gives_paused_work_back() -> None:
    record = with_status(a_record(), Status.PAUSED)
    view = a_view(record)
    view.works(a_session(status="suspended"))
    assert (
        refusal_of(ask_of(view, record, Ask(end=Status.TODO), Asking(CODEX))).details["guard"] == "last holder, human"
    )
    for caller in (Asking(CLAUDE, HOLDER), Asking(JANE)):
        assert moved_of(ask_of(view, record, Ask(end=Status.TODO), caller)).end is Status.TODO


def test_under_require_review_the_author_passes_no_review() -> None:
    record = with_status(a_record(), Status.REVIEW)
    view = a_view(record, review=True)
    view.works(a_session(status="finished"))
    refusal = refusal_of(ask_of(view, record, Ask(end=Status.DONE, shown=PASSED), Asking(CLAUDE)))
    assert (refusal.code, refusal.kind) == ("REVIEWER_IS_AUTHOR", Kind.REFUSED)
    assert moved_of(ask_of(view, record, Ask(end=Status.DONE, shown=PASSED), Asking(CODEX))).end is Status.DONE


def test_under_require_review_active_work_is_not_done_without_one() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = a_view(record, held=True, review=True)
    refusal = refusal_of(ask_of(view, record, Ask(end=Status.DONE), Asking(CLAUDE, HOLDER)))
    assert (refusal.code, refusal.details["guard"]) == ("GUARD_UNMET", "review")
    assert moved_of(ask_of(view, record, Ask(end=Status.REVIEW), Asking(CLAUDE, HOLDER))).end is Status.REVIEW


def test_active_work_is_given_back_by_two_moves_in_one_outcome() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = a_view(record, held=True)
    who = standing(view, record.id, Asking(CLAUDE, HOLDER))
    outcome = moves.give_back(view, record, Ask(end=Status.TODO, operation="session-finish"), who)
    pairs = [(draft.data.start, draft.data.end) for draft in outcome.events if isinstance(draft.data, TicketMoved)]
    assert pairs == [("active", "paused"), ("paused", "todo")]
    assert [draft.epoch for draft in outcome.events] == [1, 1]


def test_work_of_another_session_is_not_given_back() -> None:
    record = with_status(a_record(), Status.ACTIVE)
    view = a_view(record, held=True)
    who: Standing = standing(view, record.id, Asking(CODEX))
    assert refusal_of(moves.give_back(view, record, Ask(end=Status.TODO), who)).code == "LEASE_HELD"


def test_a_known_resolution_is_kept_and_any_other_text_becomes_the_reason() -> None:
    record = a_record()
    view = a_view(record)
    kept = moved_of(ask_of(view, record, Ask(end=Status.CANCELLED, reason="old", resolution="Dropped"), Asking()))
    assert (kept.reason, kept.resolution) == ("old", "dropped")
    told = moved_of(ask_of(view, record, Ask(end=Status.CANCELLED, reason="old", resolution="see EPIC-2"), Asking()))
    assert (told.reason, told.resolution) == ("old; see EPIC-2", None)


def test_a_resolution_that_says_something_else_than_the_move_is_refused_and_nothing_written() -> None:
    record = a_record()
    outcome = ask_of(a_view(record), record, Ask(end=Status.CANCELLED, reason="r", resolution="done"), Asking())
    assert (refusal_of(outcome).code, outcome.events) == ("VALUE_INVALID", ())


def test_obstacles_are_named_whoever_asks() -> None:
    record = a_record(a_ticket(blockers=("TICKET-2",)))
    view = a_view(record, a_record(a_ticket("TICKET-2")))
    wanted = row(Status.TODO, Status.ACTIVE)
    assert wanted is not None
    assert [refusal.details["guard"] for refusal in moves.obstacles(view, record, wanted)] == ["blockers"]


@pytest.mark.parametrize(
    ("ask", "taught"),
    [
        (Ask(end=Status.BLOCKED, reason="no key", tried="asked"), True),
        (Ask(end=Status.BLOCKED, reason="no key", operation="resolve", settles=True), False),
        (Ask(end=Status.CANCELLED, reason="no key"), False),
    ],
)
def test_only_a_new_way_that_is_blocked_is_remembered(ask: Ask, taught: bool) -> None:  # noqa: FBT001 - a table
    record = a_record()
    outcome = ask_of(a_view(record), record, ask, Asking(JANE))
    assert outcome.refusal is None
    found = [draft.data for draft in outcome.events if isinstance(draft.data, ReflectionRecorded)]
    assert [(each.pattern, each.insight, each.scope) for each in found] == [("no key", "asked", record.id)] * taught
