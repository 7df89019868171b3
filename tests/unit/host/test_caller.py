"""Which session a call belongs to; where several fit, none is guessed."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from exo_sidecar.host import caller
from exo_sidecar.host.ancestry import ProcessFacts
from exo_sidecar.host.caller import Call, Caller, SessionAmbiguous
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.errors import IdInvalid
from exo_sidecar.model.ids import SessionId, TicketId

AGENT = ProcessFacts(pid=10, started=5, boot_id="boot")
OTHER = ProcessFacts(pid=20, started=6, boot_id="boot")


def a_session(session: str, actor: str = "agent:a", worktree: str = "/w", **changes: object) -> LiveSession:
    plain = LiveSession(
        session=SessionId(session),
        ticket=TicketId("TICKET-1"),
        actor=actor,
        state="active",
        worktree=worktree,
        boot_id="boot",
        heartbeat=1.0,
    )
    return msgspec.structs.replace(plain, **changes)


def a_call(
    actor: str | None = None,
    session: str | None = None,
    environ: Mapping[str, str] | None = None,
    worktree: str = "/w",
) -> Call:
    return Call(actor, session, environ or {}, "Ann", Path(worktree))


def resolved(call: Call, live: list[LiveSession], lineage: tuple[ProcessFacts, ...] = ()) -> Caller:
    return caller.resolve(call, live, lambda: lineage)


def test_without_a_session_only_the_actor_is_known() -> None:
    assert resolved(a_call(), []) == ("human:ann", None, ())


def test_the_session_named_wins_over_the_environment_and_brings_its_actor() -> None:
    live = [a_session("SES-AAAA"), a_session("SES-BBBB", "agent:b")]
    call = a_call(session="ses-bbbb", environ={"EXO_SESSION_ID": "SES-AAAA"})
    assert resolved(call, live) == ("agent:b", "SES-BBBB", ())
    assert resolved(a_call(environ={"EXO_SESSION_ID": "SES-AAAA"}), live) == ("agent:a", "SES-AAAA", ())


def test_a_prefix_or_the_part_after_the_dash_names_a_living_session() -> None:
    live = [a_session("SES-AAAA"), a_session("SES-ABBB")]
    assert resolved(a_call(session="SES-AA"), live).session == "SES-AAAA"
    assert resolved(a_call(session="abbb"), live).session == "SES-ABBB"


def test_a_session_that_is_not_known_here_is_taken_at_its_word() -> None:
    assert resolved(a_call(session="SES-FARAWAY"), []) == ("human:ann", "SES-FARAWAY", ())


def test_a_malformed_session_is_refused() -> None:
    with pytest.raises(IdInvalid):
        resolved(a_call(session="../x"), [])


def test_a_recorded_process_among_the_ancestors_decides_in_any_worktree() -> None:
    live = [a_session("SES-AAAA", process=AGENT), a_session("SES-BBBB", "human:ann", process=OTHER)]
    assert resolved(a_call(worktree="/elsewhere"), live, (OTHER, AGENT)) == ("human:ann", "SES-BBBB", ())
    assert resolved(a_call(worktree="/elsewhere"), live, (AGENT,)) == ("agent:a", "SES-AAAA", ())


def test_a_process_of_the_same_number_but_another_start_is_another() -> None:
    live = [a_session("SES-AAAA", worktree="/x", process=AGENT)]
    assert resolved(a_call(), live, (msgspec.structs.replace(AGENT, started=9),)).session is None


def test_an_actor_that_was_named_does_not_slip_into_anothers_session() -> None:
    live = [a_session("SES-AAAA", process=AGENT)]
    assert resolved(a_call(actor="agent:b"), live, (AGENT,)) == ("agent:b", None, ())
    assert resolved(a_call(actor="agent:a"), live, (AGENT,)) == ("agent:a", "SES-AAAA", ())


def test_one_process_with_two_sessions_is_told_apart_by_the_worktree() -> None:
    live = [a_session("SES-AAAA", worktree="/a", process=AGENT), a_session("SES-BBBB", worktree="/b", process=AGENT)]
    assert resolved(a_call(worktree="/b"), live, (AGENT,)).session == "SES-BBBB"


def test_one_process_with_two_sessions_is_ambiguous_elsewhere() -> None:
    live = [a_session("SES-AAAA", worktree="/a", process=AGENT), a_session("SES-BBBB", worktree="/b", process=AGENT)]
    found = resolved(a_call(worktree="/c"), live, (AGENT,))
    assert found.session is None
    assert found.candidates == ("SES-AAAA", "SES-BBBB")
    with pytest.raises(SessionAmbiguous, match="SES-AAAA, SES-BBBB"):
        caller.require_clear(found)


def test_the_one_living_session_of_the_worktree_is_taken_for_the_same_actor_only() -> None:
    live = [a_session("SES-AAAA", "human:ann"), a_session("SES-BBBB", "human:ann", worktree="/b")]
    assert resolved(a_call(), live).session == "SES-AAAA"
    assert resolved(a_call(actor="human:bob"), live) == ("human:bob", None, ())


def test_two_living_sessions_of_one_worktree_and_actor_are_ambiguous() -> None:
    live = [a_session("SES-AAAA", "human:ann"), a_session("SES-BBBB", "human:ann")]
    assert resolved(a_call(), live).candidates == ("SES-AAAA", "SES-BBBB")


def test_a_reservation_is_no_session_that_a_call_could_belong_to() -> None:
    live = [a_session("SES-AAAA", "human:ann", state="reserved", process=AGENT)]
    assert resolved(a_call(), live, (AGENT,)) == ("human:ann", None, ())


def test_a_clear_caller_passes() -> None:
    clear = resolved(a_call(), [])
    assert caller.require_clear(clear) is clear
