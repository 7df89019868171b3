"""Sessions: what the ledger is told, in which order, and what is refused."""

import msgspec
import pytest

from exo_sidecar.domain import sessions
from exo_sidecar.domain.moves import GuardUnmet, TicketClosed, TransitionInvalid
from exo_sidecar.domain.sessions import (
    Ending,
    SessionNotActive,
    SessionTicketMismatch,
    SummaryRequired,
    TicketBlocked,
    TicketIsContainer,
    TicketNotReady,
)
from exo_sidecar.domain.verifying import Shown, VerifyFailed
from exo_sidecar.model.errors import ExoError, SessionFenced
from exo_sidecar.model.event import NAMES, Draft, SessionFinished, SessionStarted, TicketMoved
from exo_sidecar.model.event_checks import ChecksRan
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.opening import Grant, Work
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import Finish
from exo_sidecar.model.ticket import Version
from tests.support.views import AT, CLAUDE, FakeView, a_record, a_session, a_ticket, an_intent, with_status

TICKET = TicketId("TICKET-1")
GRANT = Grant(SessionId("SES-A"), CLAUDE, 1, "1" * 40)


def a_view(status: Status = Status.TODO) -> FakeView:
    return FakeView(an_intent(), a_record(a_ticket(status=status)))


def an_ending(status: str = "review", summary: str = "done it", **changes: object) -> Ending:
    return Ending(Finish(summary=summary, ticket_status=status), status)._replace(**changes)  # type: ignore[arg-type]


def at_work(status: Status = Status.ACTIVE, epoch: int = 1) -> FakeView:
    view = a_view(status)
    view.works(a_session(epoch=epoch))
    return view


def names(outcome: Outcome) -> list[str]:
    return [NAMES[type(draft.data)] for draft in outcome.events]


def moves(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(d.subject, d.data.start, d.data.end) for d in outcome.events if isinstance(d.data, TicketMoved)]


def refusal(outcome: Outcome) -> ExoError:
    assert outcome.refusal is not None
    assert outcome.refusal.hint
    return outcome.refusal


def test_a_reservation_begins_with_the_lease_and_wakes_the_container_above() -> None:
    outcome = sessions.reserve(a_view(), TICKET, GRANT, "Builder")
    assert outcome.refusal is None
    assert names(outcome) == ["lease.acquired", "session.reserved", "ticket.moved", "ticket.moved"]
    assert moves(outcome) == [("TICKET-1", "todo", "active"), ("INTENT-1", "todo", "active")]


def test_what_a_holder_writes_carries_its_token_and_what_concerns_others_does_not() -> None:
    outcome = sessions.start(a_view(), TICKET, GRANT, Work(), verdict="ok")
    assert [(draft.session, draft.epoch) for draft in outcome.events[:3]] == [("SES-A", 1)] * 3
    # The container was never leased: under a token its move would count nowhere.
    assert outcome.events[3].subject == "INTENT-1"
    assert outcome.events[3].epoch is None


def test_a_start_without_a_reservation_takes_the_lease_first() -> None:
    outcome = sessions.start(a_view(), TICKET, GRANT, Work(branch="b", base="c", model="m"), verdict="ok")
    assert names(outcome)[:3] == ["lease.acquired", "session.started", "ticket.moved"]
    started = outcome.events[1].data
    assert isinstance(started, SessionStarted)
    assert (started.branch, started.base, started.model) == ("b", "c", "m")


def test_a_start_that_adopts_its_reservation_moves_nothing_twice() -> None:
    view = a_view(Status.ACTIVE)
    view.put(with_status(an_intent(), Status.ACTIVE))
    view.works(a_session(status="reserved"))
    assert names(sessions.start(view, TICKET, GRANT, Work(), verdict="ok")) == ["session.started"]


def test_a_start_over_a_silent_holder_takes_the_lease_and_leaves_the_status() -> None:
    view = a_view(Status.ACTIVE)
    view.put(with_status(an_intent(), Status.ACTIVE))
    view.works(a_session("SES-OLD", epoch=3))
    assert names(sessions.start(view, TICKET, GRANT._replace(epoch=4), Work(), verdict="ok")) == [
        "lease.acquired",
        "session.started",
    ]


@pytest.mark.parametrize("status", [Status.PAUSED, Status.REVIEW, Status.BLOCKED])
def test_work_goes_on_from_every_status_that_the_table_has(status: Status) -> None:
    assert moves(sessions.start(a_view(status), TICKET, GRANT, Work(), verdict="ok"))[0] == (
        "TICKET-1",
        status,
        "active",
    )


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_a_closed_ticket_is_neither_reserved_nor_started(status: Status) -> None:
    for outcome in (
        sessions.reserve(a_view(status), TICKET, GRANT, "Builder"),
        sessions.start(a_view(status), TICKET, GRANT, Work(), verdict="ok"),
    ):
        assert isinstance(refusal(outcome), TicketClosed)
        assert outcome.events == ()


def test_an_idea_in_the_backlog_is_not_ready() -> None:
    outcome = sessions.start(a_view(Status.BACKLOG), TICKET, GRANT, Work(), verdict="ok")
    assert isinstance(refusal(outcome), TicketNotReady)
    assert "ticket-move TICKET-1 todo" in refusal(outcome).hint


def test_a_container_is_not_worked_on() -> None:
    outcome = sessions.start(a_view(), TicketId("INTENT-1"), GRANT, Work(), verdict="ok")
    assert isinstance(refusal(outcome), TicketIsContainer)


def test_a_ticket_that_waits_names_what_it_waits_for() -> None:
    view = FakeView(an_intent(), a_record(a_ticket(blockers=("TICKET-2",))), a_record(a_ticket("TICKET-2")))
    blocked = refusal(sessions.start(view, TICKET, GRANT, Work(), verdict="ok"))
    assert isinstance(blocked, TicketBlocked)
    assert blocked.details["blockers"] == ("TICKET-2",)
    view.put(a_record(a_ticket("TICKET-2", status=Status.DONE)))
    assert sessions.start(view, TICKET, GRANT, Work(), verdict="ok").refusal is None


def test_a_task_without_a_valid_place_is_not_ready() -> None:
    view = FakeView(a_record(a_ticket(parent=None)))
    assert isinstance(refusal(sessions.start(view, TICKET, GRANT, Work(), verdict="ok")), TicketNotReady)


def test_a_ticket_that_does_not_exist_is_refused() -> None:
    assert isinstance(
        refusal(sessions.start(a_view(), TicketId("TICKET-9"), GRANT, Work(), verdict="ok")), TicketNotReady
    )


def test_next_hands_out_no_blocked_ticket_and_none_whose_status_is_in_conflict() -> None:
    blocked = a_view(Status.BLOCKED)
    assert isinstance(refusal(sessions.reserve(blocked, TICKET, GRANT, "Builder")), TicketNotReady)
    assert sessions.start(blocked, TICKET, GRANT, Work(), verdict="ok").refusal is None
    version = Version(value="done", actor=CLAUDE, at=AT, event="c:1")
    conflicted = FakeView(an_intent(), a_record(conflicts={"status": (version, version)}))
    assert isinstance(refusal(sessions.reserve(conflicted, TICKET, GRANT, "Builder")), TicketNotReady)


def test_a_session_that_ended_does_not_start_again() -> None:
    view = a_view()
    view.works(a_session(status="finished"))
    assert isinstance(refusal(sessions.start(view, TICKET, GRANT, Work(), verdict="ok")), SessionNotActive)


def test_a_finish_says_moves_and_releases_in_this_order_and_under_its_token() -> None:
    outcome = sessions.finish(at_work(epoch=2), SessionId("SES-A"), an_ending())
    assert names(outcome) == ["session.finished", "ticket.moved", "lease.released"]
    assert {draft.epoch for draft in outcome.events} == {2}
    assert moves(outcome) == [("TICKET-1", "active", "review")]


def test_keep_moves_nothing_and_a_kept_lease_is_not_released() -> None:
    assert names(sessions.finish(at_work(), SessionId("SES-A"), an_ending("keep"))) == [
        "session.finished",
        "lease.released",
    ]
    assert names(sessions.finish(at_work(), SessionId("SES-A"), an_ending("keep", release=False))) == [
        "session.finished"
    ]


def test_back_to_todo_goes_by_way_of_paused_in_one_go() -> None:
    outcome = sessions.finish(at_work(), SessionId("SES-A"), an_ending("todo"))
    assert moves(outcome) == [("TICKET-1", "active", "paused"), ("TICKET-1", "paused", "todo")]


@pytest.mark.parametrize("status", ["blocked", "cancelled"])
def test_blocked_and_cancelled_ask_for_a_reason(status: str) -> None:
    without = sessions.finish(at_work(), SessionId("SES-A"), an_ending(status))
    assert isinstance(refusal(without), GuardUnmet)
    given = sessions.finish(at_work(), SessionId("SES-A"), an_ending(status, reason="because"))
    assert moves(given) == [("TICKET-1", "active", status)]


def test_done_is_refused_where_a_review_is_asked_for() -> None:
    view = at_work()
    passed = an_ending("done", shown=Shown(verify="passed"))
    assert sessions.finish(view, SessionId("SES-A"), passed).refusal is None
    asked = msgspec.structs.replace(view.settings.lifecycle, require_review=True)
    view.settings = msgspec.structs.replace(view.settings, lifecycle=asked)
    assert isinstance(refusal(sessions.finish(view, SessionId("SES-A"), passed)), GuardUnmet)


def test_what_the_checks_showed_is_written_before_the_end_and_also_when_the_end_is_refused() -> None:
    ran = ChecksRan(verdict="fail", ticket=TICKET)
    failed = an_ending("keep", shown=Shown(verify="failed"), ran=ran)
    assert names(sessions.finish(at_work(), SessionId("SES-A"), failed)) == [
        "check.ran",
        "session.finished",
        "lease.released",
    ]
    outcome = sessions.finish(at_work(epoch=2), SessionId("SES-A"), failed._replace(status="review"))
    assert isinstance(refusal(outcome), VerifyFailed)
    assert names(outcome) == ["check.ran", "ticket.refused"]
    assert (outcome.events[0].subject, outcome.events[0].epoch) == (TICKET, 2)


@pytest.mark.parametrize("summary", ["", "  \n "])
def test_a_finish_without_words_is_refused(summary: str) -> None:
    ending = an_ending(summary=summary)
    assert isinstance(refusal(sessions.finish(at_work(), SessionId("SES-A"), ending)), SummaryRequired)


def test_a_finish_on_another_ticket_is_refused() -> None:
    ending = an_ending(ticket=TicketId("TICKET-2"))
    assert isinstance(refusal(sessions.finish(at_work(), SessionId("SES-A"), ending)), SessionTicketMismatch)


def test_only_a_session_at_work_finishes() -> None:
    view = a_view(Status.ACTIVE)
    assert isinstance(refusal(sessions.finish(view, SessionId("SES-A"), an_ending())), SessionNotActive)
    view.works(a_session(status="reserved"))
    assert "never started" in refusal(sessions.finish(view, SessionId("SES-A"), an_ending())).message
    view.works(a_session("SES-B", status="finished"))
    assert isinstance(refusal(sessions.finish(view, SessionId("SES-B"), an_ending())), SessionNotActive)


def test_a_session_that_was_overtaken_is_fenced() -> None:
    view = at_work()
    view.works(a_session("SES-B", epoch=2))
    outcome = sessions.finish(view, SessionId("SES-A"), an_ending())
    assert isinstance(refusal(outcome), SessionFenced)
    assert outcome.events == ()


def test_a_move_that_the_table_has_not_is_refused_and_keep_is_the_way_out() -> None:
    view = at_work(Status.DONE)
    outcome = sessions.finish(view, SessionId("SES-A"), an_ending())
    assert isinstance(refusal(outcome), TransitionInvalid)
    assert "--set-status keep" in refusal(outcome).hint
    assert sessions.finish(view, SessionId("SES-A"), an_ending("keep")).refusal is None


def test_a_reservation_given_back_frees_its_ticket() -> None:
    view = a_view(Status.ACTIVE)
    view.works(a_session(status="reserved"))
    outcome = sessions.give_up(view, SessionId("SES-A"))
    assert names(outcome) == ["session.finished", "ticket.moved", "ticket.moved", "lease.released"]
    assert moves(outcome)[-1] == ("TICKET-1", "paused", "todo")
    ended = outcome.events[0].data
    assert isinstance(ended, SessionFinished)
    assert ended.finish.summary == sessions.UNSTARTED_SUMMARY


def test_a_session_at_work_gives_back_its_lease_alone() -> None:
    assert names(sessions.give_up(at_work(), SessionId("SES-A"))) == ["lease.released"]


def test_a_session_that_ended_has_nothing_to_give_back() -> None:
    view = a_view()
    view.works(a_session(status="finished"))
    nothing: tuple[Draft, ...] = ()
    assert sessions.give_up(view, SessionId("SES-A")).events == nothing
    assert sessions.give_up(view, SessionId("SES-X")).events == nothing
