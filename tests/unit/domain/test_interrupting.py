"""Interruptions and handoffs as rules: what the ledger is told, under which token, and who is kept away."""

import msgspec
import pytest

from exo_sidecar.domain import handoffs, interrupting
from exo_sidecar.domain.handoffs import Handing
from exo_sidecar.domain.holding import holding
from exo_sidecar.domain.interrupting import Interruption, Part
from exo_sidecar.domain.sessions import Ending
from exo_sidecar.model.event import NAMES
from exo_sidecar.model.event_sessions import HandoffConsumed, SessionSuspended
from exo_sidecar.model.handoff import Handoff, HandoffRecord
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.opening import Grant
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import Finish, SessionRecord, Suspension
from tests.support.views import AT, CLAUDE, CODEX, FakeView, a_record, a_session, a_ticket, an_intent

TICKET = TicketId("TICKET-1")
SESSION = SessionId("SES-A")
NOW = Instant("2026-01-02T12:00:00Z")
UNTIL = "2026-01-03T00:00:00Z"
LATER = Instant("2026-01-03T00:00:01Z")


def a_view(status: Status = Status.ACTIVE) -> FakeView:
    return FakeView(an_intent(status=Status.ACTIVE), a_record(a_ticket(status=status)))


def paused(*, keeps_lease: bool = False, status: Status = Status.PAUSED) -> tuple[FakeView, SessionRecord]:
    view = a_view(status)
    break_off = Suspension(at=AT, reason="lunch", previous_status="active", keeps_lease=keeps_lease)
    return view, view.works(msgspec.structs.replace(a_session(status="suspended"), suspensions=(break_off,)))


def waiting(to: str) -> HandoffRecord:
    content = Handoff(to=to, summary="half", reserved_until=UNTIL)
    return HandoffRecord(id="HND-1", ticket=TICKET, session=SESSION, actor=CLAUDE, created_at=AT, content=content)


def told(outcome: Outcome) -> list[tuple[str, int | None]]:
    assert outcome.refusal is None
    return [(NAMES[type(draft.data)], draft.epoch) for draft in outcome.events]


def code(outcome: Outcome) -> str:
    assert outcome.refusal is not None
    assert outcome.refusal.hint
    return outcome.refusal.code


def test_a_suspension_moves_the_ticket_and_gives_the_lease_back_last() -> None:
    view = a_view()
    view.works(a_session())
    outcome = interrupting.suspend(view, SESSION, Interruption("lunch"))
    assert told(outcome) == [("session.suspended", 1), ("ticket.moved", 1), ("lease.released", 1)]
    kept = interrupting.suspend(view, SESSION, Interruption("lunch", release=False))
    assert told(kept) == [("session.suspended", 1), ("ticket.moved", 1)]


@pytest.mark.parametrize("status", [Status.BLOCKED, Status.REVIEW])
def test_a_ticket_that_was_moved_away_stays_where_it_is(status: Status) -> None:
    view = a_view(status)
    view.works(a_session())
    outcome = interrupting.suspend(view, SESSION, Interruption("lunch"))
    assert told(outcome) == [("session.suspended", 1), ("lease.released", 1)]


def test_an_overtaken_session_pauses_under_no_token() -> None:
    view = a_view()
    view.works(a_session())
    view.works(a_session("SES-B", epoch=2))
    outcome = interrupting.suspend(view, SESSION, Interruption("lost", release=False))
    assert told(outcome) == [("session.suspended", None)]
    [draft] = outcome.events
    assert isinstance(draft.data, SessionSuspended)
    assert not draft.data.keeps_lease
    known = a_view()
    known.works(a_session())
    assert told(interrupting.suspend(known, SESSION, Interruption("lost", fenced=True))) == [
        ("session.suspended", None)
    ]


def test_only_the_session_at_work_on_the_ticket_named_is_suspended() -> None:
    view, _ = paused()
    assert code(interrupting.suspend(view, SESSION, Interruption("r"))) == "SESSION_NOT_ACTIVE"
    assert code(interrupting.suspend(view, SessionId("SES-X"), Interruption("r"))) == "SESSION_NOT_ACTIVE"
    at_work = a_view()
    at_work.works(a_session())
    other = Interruption("r", ticket=TicketId("TICKET-2"))
    assert code(interrupting.suspend(at_work, SESSION, other)) == "SESSION_TICKET_MISMATCH"


def test_a_resumption_is_told_under_its_new_token() -> None:
    view, _ = paused()
    outcome = interrupting.resume(view, TICKET, Grant(SESSION, CLAUDE, 2, "1" * 40), Part("b", "2" * 40), verdict="ok")
    assert told(outcome) == [("lease.acquired", 2), ("session.resumed", 2), ("ticket.moved", 2)]
    kept, _ = paused(keeps_lease=True)
    again = interrupting.resume(kept, TICKET, Grant(SESSION, CLAUDE, 1, "1" * 40), Part(), verdict="ok")
    assert told(again) == [("session.resumed", 1), ("ticket.moved", 1)]


def test_what_is_not_suspended_or_whose_ticket_is_closed_does_not_go_on() -> None:
    view = a_view()
    view.works(a_session())
    grant = Grant(SESSION, CLAUDE, 2, "1" * 40)
    assert code(interrupting.resume(view, TICKET, grant, Part(), verdict="ok")) == "SESSION_NOT_SUSPENDED"
    closed, _ = paused(status=Status.DONE)
    assert code(interrupting.resume(closed, TICKET, grant, Part(), verdict="ok")) == "TICKET_CLOSED"


def test_a_suspended_session_holds_its_ticket_only_where_it_kept_the_lease() -> None:
    free, _ = paused()
    kept, _ = paused(keeps_lease=True)
    assert holding(free, TICKET) is None
    holder = holding(kept, TICKET)
    assert holder is not None
    assert holder.session == SESSION


@pytest.mark.parametrize(
    ("to", "actor", "fits"),
    [
        ("agent:codex", "agent:codex", True),
        ("agent:codex", "agent:codex2", False),
        ("agent:codex", "human:codex", False),
        ("agent:*", "agent:claude", True),
        ("agent:*", "human:jane", False),
        ("human:*", "human:jane", True),
    ],
)
def test_whom_a_handoff_names(to: str, actor: str, *, fits: bool) -> None:
    assert handoffs.is_addressee(to)
    assert handoffs.names(to, actor) == fits
    view = a_view()
    view.handed_on.append(waiting(to))
    assert (handoffs.refusal(view, TICKET, actor, NOW) is None) == fits
    assert (handoffs.kept_from(view, actor, NOW) == frozenset()) == fits
    assert handoffs.refusal(view, TICKET, actor, LATER) is None
    assert handoffs.kept_from(view, actor, LATER) == frozenset()


@pytest.mark.parametrize("text", ["*", "robot:*", "agent:", "agent:c*", "agent:**", ""])
def test_what_names_nobody(text: str) -> None:
    assert not handoffs.is_addressee(text)


def test_whoever_takes_it_up_late_says_so() -> None:
    view = a_view(Status.PAUSED)
    grant = Grant(SESSION, CODEX, 2, "1" * 40)
    assert handoffs.taken(view, TICKET, grant, NOW).events == ()
    for to, now, late in (("agent:codex", LATER, None), ("agent:claude", LATER, 1)):
        view.handed_on = [waiting(to)]
        [draft] = handoffs.taken(view, TICKET, grant, now).events
        assert isinstance(draft.data, HandoffConsumed)
        assert (draft.subject, draft.epoch, draft.data.late_by_seconds) == ("HND-1", 2, late)


def test_handing_on_ends_the_session_and_makes_the_record_before_the_release() -> None:
    view = a_view()
    view.works(a_session())
    ending = Ending(Finish(summary="half", ticket_status="paused"), handoffs.status_after(view, TICKET))
    handing = Handing("HND-2", Handoff(to="agent:codex", summary="half", reserved_until=UNTIL))
    names = [name for name, _ in told(handoffs.hand_on(view, SESSION, ending, handing))]
    assert names == ["session.handed_off", "handoff.created", "ticket.moved", "lease.released"]
    silent = ending._replace(finish=Finish(summary=" ", ticket_status="paused"))
    assert code(handoffs.hand_on(view, SESSION, silent, handing)) == "SUMMARY_REQUIRED"
