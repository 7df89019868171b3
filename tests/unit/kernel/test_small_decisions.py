"""Ids, places, requirements, commits, links and seals of results: each decided from its arguments alone."""

import pytest
from msgspec.structs import replace

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.kernel.append_audit import append_audit
from exo_sidecar.kernel.commit_plan import commit_plan
from exo_sidecar.kernel.mint_ticket import mint_ticket
from exo_sidecar.kernel.open_session import open_session
from exo_sidecar.kernel.resolve_requirements import resolve_requirements
from exo_sidecar.kernel.seal_result import seal_result
from exo_sidecar.kernel.validate_ticket import validate_ticket
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import IdInvalid, Internal, SessionFenced
from exo_sidecar.model.event import (
    Event,
    Head,
    LeaseAcquired,
    LeaseTakenOver,
    SessionReserved,
    SessionStarted,
)
from exo_sidecar.model.hierarchy import Surroundings
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.manifest import Requirement, Requirements, Resolution
from exo_sidecar.model.opening import Grant, Opening, Overtaken
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.session import Finish, SessionRecord
from tests.support.inputs import seeded
from tests.support.views import a_record, a_ticket, an_intent

TICKET, SESSION = TicketId("TICKET-1"), SessionId("SES-1")
GRANT = Grant(SESSION, Actor("agent:a"), 3, "c" * 40)
STARTED = SessionStarted(ticket=TICKET)
RECORD = SessionRecord(id=SESSION, ticket=TICKET, actor="agent:a", status="active", clone="x", epoch=3, base="b" * 40)


def test_an_id_that_was_given_is_taken_as_it_is_meant() -> None:
    assert mint_ticket("task", "ticket-007", 0, lambda _: True, seeded()) == "TICKET-007"
    for wrong in ("SES-1", "EPIC-1", "INTENT-1", "../x"):
        with pytest.raises(IdInvalid):
            mint_ticket("task", wrong, 0, lambda _: False, seeded())


def test_a_minted_id_follows_from_its_bytes_and_is_free() -> None:
    first = mint_ticket("epic", None, 10, lambda _: False, seeded(1))
    assert first == mint_ticket("epic", None, 10, lambda _: False, seeded(1))
    assert first.startswith("EPIC-")
    assert mint_ticket("epic", None, 10, lambda each: each == first, seeded(1)) != first
    assert len(mint_ticket("task", None, 10_000_000, lambda _: False, seeded())) > len("TICKET-0000")
    with pytest.raises(Internal):
        mint_ticket("task", None, 0, lambda _: True, seeded())


def test_a_ticket_stands_under_an_open_parent_of_the_right_kind() -> None:
    task = a_ticket(parent="INTENT-1")
    assert validate_ticket(task, Surroundings(parent=an_intent("INTENT-1"))) is None
    assert validate_ticket(task, Surroundings(parent=None)) is not None
    deep = Surroundings(parent=an_intent("INTENT-1"), above=(an_intent("INTENT-2"),), levels_below=1)
    assert validate_ticket(task, replace(deep, levels_max=3)) is None
    assert validate_ticket(task, replace(deep, levels_max=2)) is not None
    ring = Surroundings(parent=an_intent("INTENT-1"), above=(a_record(task),))
    assert validate_ticket(task, ring) is not None
    alone = a_ticket(parent=None)
    assert validate_ticket(alone, Surroundings(parent=None)) is not None
    assert validate_ticket(alone, Surroundings(parent=None, require_parent=False)) is None


def test_a_session_opens_with_its_lease_first() -> None:
    outcome = open_session(Opening(TICKET, GRANT, STARTED, None, 2))
    assert [type(each.data) for each in outcome.events] == [LeaseAcquired, SessionStarted]
    assert {each.epoch for each in outcome.events} == {3}
    over = GRANT._replace(over=Overtaken(SessionId("SES-0"), "agent:b", 2))
    taken = open_session(Opening(TICKET, over, SessionReserved(ticket=TICKET, owner="agent:a"), None, 2))
    assert [type(each.data) for each in taken.events] == [LeaseAcquired, LeaseTakenOver, SessionReserved]


def test_a_lease_that_the_ledger_knows_is_not_told_again() -> None:
    assert [type(each.data) for each in open_session(Opening(TICKET, GRANT, STARTED, RECORD, 3)).events] == [
        SessionStarted
    ]
    assert open_session(Opening(TICKET, GRANT, None, RECORD, 3)).events == ()
    later = GRANT._replace(epoch=4)
    assert [type(each.data) for each in open_session(Opening(TICKET, later, None, RECORD, 3)).events] == [LeaseAcquired]


@pytest.mark.parametrize("verdict", ["tampered", "missing", "drift"])
def test_no_session_opens_under_a_policy_that_bars_work(verdict: Verdict) -> None:
    outcome = open_session(Opening(TICKET, GRANT, STARTED, None, 0, verdict=verdict))
    assert outcome.events == ()
    assert outcome.refusal is not None
    assert outcome.refusal.exit_status == 7


def test_no_session_opens_against_an_obstacle_or_under_an_old_lease() -> None:
    obstacle = Internal("no")
    assert open_session(Opening(TICKET, GRANT, STARTED, None, 0, obstacle=obstacle)).refusal is obstacle
    assert isinstance(open_session(Opening(TICKET, GRANT, STARTED, None, 4)).refusal, SessionFenced)


def test_requirements_are_found_missing_or_deleted() -> None:
    manifest = Requirements(
        requirements=(
            Requirement(id="REQ-1", title="a", acceptance=("ACC-1", "ACC-2")),
            Requirement(id="REQ-2", title="b", status="deprecated"),
            Requirement(id="REQ-3", title="c", status="deleted", acceptance=("ACC-3", "ACC-2")),
        )
    )
    found = resolve_requirements(manifest, ("REQ-3", "REQ-1", "ACC-2", "ACC-3", "REQ-9", "REQ-2", "REQ-1"))
    assert found.found == ("REQ-1", "ACC-2", "REQ-2")
    assert (found.missing, found.deleted, found.is_settled) == (("REQ-9",), ("REQ-3", "ACC-3"), False)
    assert resolve_requirements(manifest, ()).is_settled


def test_a_commit_names_its_operation_and_two_of_its_subjects() -> None:
    at = Instant("2026-01-31T09:30:00Z")
    plan = commit_plan("session-start", ("TICKET-1", "SES-1", "TICKET-1", "INTENT-1"), Actor("agent:a"), at)
    assert plan.message == "exo: session-start TICKET-1 [SES-1]\n"
    assert (plan.author, plan.seconds) == ("agent:a <agent.a@exo.invalid>", 1769851800)
    assert commit_plan("sync", (), Actor("human:jane"), at).message == "exo: sync\n"


def test_an_event_is_linked_to_the_one_before_and_not_changed_otherwise() -> None:
    event = Event(
        v=1,
        clone="a" * 16,
        seq=0,
        prev=NO_DIGEST,
        at="2026-01-31T09:30:00Z",
        actor="human:jane",
        session=None,
        policy=None,
        type="ticket.noted",
        subject="TICKET-1",
    )
    assert append_audit(event, Head(seq=0, digest=NO_DIGEST)) == replace(event, seq=1)
    assert append_audit(event, Head(seq=41, digest="d" * 64)) == replace(event, seq=42, prev="d" * 64)


def test_what_a_session_had_no_word_for_when_it_was_sealed_changes_no_seal() -> None:
    session = replace(RECORD, actor="agent:a")
    before = "d0740e4925d512db88514da2c1c57feb4ebbdcf16a696fdd832719e26e9171e5"
    said = Finish(summary="s", ticket_status="done")
    assert seal_result(session, said) == before
    assert seal_result(session, replace(said, requirements=Resolution(found=("REQ-1",)))) != before


def test_the_seal_of_a_result_covers_who_what_and_every_word() -> None:
    finish = Finish(summary="Done.", ticket_status="review")
    sealed = seal_result(RECORD, finish)
    assert sealed == seal_result(replace(RECORD, status="finished", finish=finish), finish)
    others = {
        seal_result(replace(RECORD, actor="agent:b"), finish),
        seal_result(replace(RECORD, ticket=TicketId("TICKET-2")), finish),
        seal_result(replace(RECORD, id=SessionId("SES-2")), finish),
        seal_result(RECORD, replace(finish, summary="Done!")),
        seal_result(RECORD, replace(finish, commits=("c" * 40,))),
    }
    assert len({*others, sealed}) == 6
