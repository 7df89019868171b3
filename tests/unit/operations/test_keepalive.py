"""What a call of a session is the occasion for, and what the session must hear: functions of facts and readings."""

import pytest

from exo_sidecar.host.heartbeats import Note
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.operations.keepalive import Step, decide, seconds_past_deadline, trouble_of, warnings_of

NOW = BootClock("boot", 1000.0)


def a_session(*, state: str = "active", left: float | None = 100.0, seen: float = 10.0) -> LiveSession:
    """Return a session with a lease of 600 s, of which `left` are left; None: not known since a restart."""
    return LiveSession(
        session=SessionId("SES-AAAA"),
        ticket=TicketId("TICKET-1"),
        actor="agent:a",
        state=state,  # type: ignore[arg-type]  # every state is tried
        worktree="/w",
        boot_id="boot",
        heartbeat=NOW.seconds - seen,
        epoch=1,
        ttl_seconds=600,
        held_from=None if left is None else NOW.seconds - (600 - left),
    )


def a_note(**changes: object) -> Note:
    facts = {"boot_id": "boot", "alive": 990.0, "epoch": 1, "held_from": a_session().held_from}
    return Note(**{**facts, **changes})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("session", "note", "step"),
    [
        (a_session(left=199), None, "heartbeat"),
        (a_session(left=201), None, "nothing"),
        (a_session(left=None), None, "heartbeat"),
        (a_session(left=-50), None, "heartbeat"),
        (a_session(left=100, state="reserved"), None, "heartbeat"),
        (a_session(left=100, state="ended", seen=500), None, "nothing"),
        (a_session(left=100, state="claiming", seen=500), None, "nothing"),
        (a_session(), a_note(tried=941.0), "nothing"),
        (a_session(), a_note(tried=940.0), "heartbeat"),
        (a_session(), a_note(tried=5000.0, boot_id="before"), "heartbeat"),
        (a_session(), a_note(tried=900.0, outcome="failed"), "heartbeat"),
        (a_session(), a_note(tried=900.0, outcome="lost"), "nothing"),
        (a_session(), a_note(tried=900.0, outcome="lost", epoch=7), "heartbeat"),
        (a_session(left=500, seen=60), None, "sign"),
        (a_session(left=500, seen=60), a_note(), "nothing"),
        (a_session(left=500, seen=60), a_note(alive=940.0), "sign"),
    ],
)
def test_a_call_is_the_occasion_for_what_is_due_and_for_nothing_else(
    session: LiveSession, note: Note | None, step: Step
) -> None:
    assert decide(session, note, NOW) == step


def test_who_gave_the_lease_back_has_nothing_to_keep_alive() -> None:
    from_release = LiveSession(
        session=SessionId("SES-AAAA"),
        ticket=TicketId("TICKET-1"),
        actor="agent:a",
        state="active",
        worktree="/w",
        boot_id="boot",
        heartbeat=995.0,
        epoch=1,
    )
    assert decide(from_release, None, NOW) == "nothing"


def test_trouble_is_told_until_the_lease_is_another_one() -> None:
    lost = a_note(outcome="lost", code="LEASE_LOST", message="held by agent:b")
    assert trouble_of(a_session(), None, NOW) is None
    assert trouble_of(a_session(), a_note(outcome="kept"), NOW) is None
    found = trouble_of(a_session(), lost, NOW)
    assert found == ("LEASE_LOST", "the lease of TICKET-1 is lost: held by agent:b", True)
    assert trouble_of(a_session(left=600), lost, NOW) is None


def test_a_heartbeat_that_never_came_to_its_end_is_told_and_one_under_way_is_not() -> None:
    assert trouble_of(a_session(), a_note(outcome="started", tried=950.0), NOW) is None
    found = trouble_of(a_session(), a_note(outcome="started", tried=900.0), NOW)
    assert found is not None
    assert found.code == "HEARTBEAT_UNFINISHED"


@pytest.mark.parametrize(("left", "past"), [(30.0, None), (29.0, 1.0), (-10.0, 40.0), (None, None)])
def test_the_own_deadline_comes_a_margin_before_the_end(left: float | None, past: float | None) -> None:
    assert seconds_past_deadline(a_session(left=left), NOW) == past


def test_only_a_call_that_writes_hears_of_the_deadline() -> None:
    late = a_session(left=-10)
    assert [each.code for each in warnings_of(late, None, NOW, writes=True)] == ["LEASE_DEADLINE_PASSED"]
    assert warnings_of(late, None, NOW, writes=False) == ()
    assert warnings_of(a_session(left=-10, state="ended"), None, NOW, writes=True) == ()
