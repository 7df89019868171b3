"""Which interruptions and handoffs count, and what becomes of a session and of a handoff by them."""

from exo_sidecar.model.event import Draft, LeaseAcquired, SessionStarted
from exo_sidecar.model.event_sessions import (
    HandoffConsumed,
    HandoffCreated,
    SessionHandedOff,
    SessionResumed,
    SessionSuspended,
)
from exo_sidecar.model.handoff import Handoff
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import Finish, SessionRecord
from exo_sidecar.store import layout, rendering
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, folded, viewed
from tests.support.random_step import COMMIT
from tests.support.stores import a_session, created

T = TicketId("TICKET-1")
ONE, TWO = a_session(1), a_session(2)
HANDOFF = "HND-1"


def acquired(epoch: int, session: SessionId) -> Draft:
    data = LeaseAcquired(ticket=T, epoch=epoch, session=session, commit=COMMIT)
    return Draft(subject=T, data=data, session=session, epoch=epoch)


def started(epoch: int, session: SessionId) -> Draft:
    data = SessionStarted(ticket=T, branch="first", base=COMMIT)
    return Draft(subject=session, data=data, session=session, epoch=epoch)


def suspended(epoch: int | None, reason: str = "lunch") -> Draft:
    data = SessionSuspended(ticket=T, reason=reason, previous_status="active")
    return Draft(subject=ONE, data=data, session=ONE, epoch=epoch)


def resumed(epoch: int) -> Draft:
    data = SessionResumed(ticket=T, branch="second", base="2" * 40)
    return Draft(subject=ONE, data=data, session=ONE, epoch=epoch)


def made(epoch: int) -> Draft:
    content = Handoff(to="agent:*", summary="half", reserved_until="2026-01-02T03:04:05Z")
    data = HandoffCreated(ticket=T, session=ONE, content=content)
    return Draft(subject=HANDOFF, data=data, session=ONE, epoch=epoch)


def taken(epoch: int, session: SessionId, ticket: TicketId = T) -> Draft:
    data = HandoffConsumed(ticket=ticket, session=session)
    return Draft(subject=HANDOFF, data=data, session=session, epoch=epoch)


def a_worker() -> Writer:
    return Writer("a").write(created(T)).write(acquired(1, ONE)).write(started(1, ONE))


def session(view: IndexView, session_id: SessionId = ONE) -> SessionRecord:
    found = view.session(session_id)
    assert found is not None
    return found


def test_a_session_pauses_and_goes_on_with_its_first_base() -> None:
    a = a_worker().write(suspended(1))
    assert session(viewed(a)).status == "suspended"
    a.write(acquired(2, ONE)).write(resumed(2))
    found = session(viewed(a))
    assert (found.status, found.epoch, found.branch) == ("active", 2, "second")
    assert (found.base, found.part_base) == (COMMIT, "2" * 40)
    assert [each.reason for each in found.suspensions] == ["lunch"]
    assert found.suspensions[0].resumed_at is not None


def test_who_is_not_suspended_is_not_resumed_and_who_is_suspended_is_not_suspended_again() -> None:
    a = a_worker().write(acquired(2, ONE)).write(resumed(2))
    assert session(viewed(a)).branch == "first"
    a.write(suspended(2, "one")).write(suspended(2, "two"))
    assert [each.reason for each in session(viewed(a)).suspensions] == ["one"]


def test_a_fenced_suspension_does_not_count_and_one_under_no_token_does() -> None:
    a = a_worker()
    b = Writer("b").write(acquired(2, TWO), a).write(started(2, TWO))
    a.write(suspended(1))
    assert session(viewed(a, b)).status == "active"
    a.write(suspended(None))
    view = viewed(a, b)
    assert (session(view).status, session(view, TWO).status) == ("suspended", "active")


def test_of_two_that_resume_at_once_the_higher_epoch_stands() -> None:
    a = a_worker().write(suspended(1))
    b = Writer("b").write(acquired(3, TWO), a).write(started(3, TWO))
    a.write(acquired(2, ONE)).write(resumed(2))
    assert session(viewed(a, b)).status == "suspended"


def test_the_memento_of_an_interruption_is_there_while_it_lasts_and_after() -> None:
    a = a_worker()
    path = layout.memento_path(ONE)
    assert rendering.everything(folded(a)).get(path) is None
    a.write(suspended(1))
    assert b"lunch" in (rendering.everything(folded(a))[path] or b"")
    a.write(acquired(2, ONE)).write(resumed(2))
    assert b"lunch" in (rendering.everything(folded(a))[path] or b"")


def test_a_handoff_ends_its_session_and_waits_until_somebody_takes_it_up() -> None:
    finish = Finish(summary="half", ticket_status="paused")
    ended = SessionHandedOff(ticket=T, to="agent:*", handoff=HANDOFF, finish=finish)
    a = a_worker().write(Draft(subject=ONE, data=ended, session=ONE, epoch=1)).write(made(1))
    view = viewed(a)
    assert (session(view).status, session(view).handoff, session(view).finish) == ("finished", HANDOFF, finish)
    waiting = view.handoff(T)
    assert waiting is not None
    assert (view.handoffs(), waiting.content.summary) == ((waiting,), "half")
    b = Writer("b").write(acquired(2, TWO), a).write(taken(2, TWO))
    view = viewed(a, b)
    assert (view.handoff(T), view.handoffs()) == (None, ())
    found = view.handoff_taken_by(TWO)
    assert found is not None
    assert found.id == HANDOFF


def test_a_handoff_that_a_fenced_session_took_up_waits_still() -> None:
    a = a_worker().write(made(1))
    b = Writer("b").write(acquired(2, TWO), a)
    c = Writer("c").write(acquired(3, ONE), a)
    b.write(taken(2, TWO))
    view = viewed(a, b, c)
    assert view.handoff(T) is not None
    assert view.handoff_taken_by(TWO) is None


def test_a_handoff_is_taken_up_once_and_by_a_session_on_its_ticket() -> None:
    a = a_worker().write(made(1))
    stranger = Writer("b").write(taken(1, TWO, TicketId("TICKET-2")), a)
    assert viewed(a, stranger).handoff(T) is not None
    a.write(acquired(2, TWO)).write(taken(2, TWO)).write(acquired(3, ONE)).write(taken(3, ONE))
    view = viewed(a)
    assert view.handoff_taken_by(ONE) is None
    assert view.handoff_taken_by(TWO) is not None
