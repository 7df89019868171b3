"""`intents`: the forest with what became of it; and nothing is written."""

import pytest
from msgspec.structs import replace

from exo_sidecar.domain import forest
from exo_sidecar.domain.forest import Forest
from exo_sidecar.model.drift import Drift
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.instant import Instant
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.session import Finish, SessionRecord, Suspension
from exo_sidecar.model.view import TicketRow
from tests.support.inprocess import exo_in_process
from tests.support.views import a_session
from tests.support.working import Shop, a_lone_shop


def a_row(ticket: str, parent: str | None = "INTENT-1", *, status: Status = Status.TODO, kind: str = "") -> TicketRow:
    return TicketRow(
        id=TicketId(ticket),
        title=f"Title of {ticket}",
        kind=kind or {"INTENT": "intent", "EPIC": "epic"}.get(ticket.partition("-")[0], "task"),
        type="feature",
        status=status,
        priority=3,
        parent=TicketId(parent) if parent else None,
        score=300,
        unblocks=0,
        open_blockers=0,
        conflict_fields=(),
    )


def an_ended(session: str, ticket: str, at: str, drift: Drift | None) -> SessionRecord:
    finish = Finish(summary="s", ticket_status="done", drift=drift)
    return replace(a_session(session, ticket=ticket), status="finished", finished_at=at, finish=finish)


ROWS = (
    a_row("INTENT-1", None),
    a_row("EPIC-1"),
    a_row("TICKET-A", "EPIC-1", status=Status.DONE),
    a_row("TICKET-B", "EPIC-1"),
    a_row("TICKET-C", status=Status.CANCELLED),
    a_row("TICKET-D", status=Status.ARCHIVED),
)


def test_progress_counts_tasks_and_what_was_put_away_as_done() -> None:
    grown = Forest(ROWS, (), frozenset({TicketId("TICKET-D")})).grown(TicketId("INTENT-1"))
    assert (grown.progress.done, grown.progress.total, grown.progress.percent) == (2, 3, 66)
    assert [child.id for child in grown.children] == ["EPIC-1", "TICKET-C", "TICKET-D"]
    epic = grown.children[0]
    assert ([child.id for child in epic.children], epic.progress.done) == (["TICKET-A", "TICKET-B"], 1)
    assert Forest(ROWS, (), frozenset()).grown(TicketId("INTENT-1")).progress.done == 1


def test_drift_is_that_of_all_sessions_below_the_latest_by_its_end() -> None:
    sessions = (
        an_ended("SES-1", "TICKET-A", "2026-01-03T00:00:00Z", Drift(score=200)),
        an_ended("SES-2", "TICKET-B", "2026-01-02T00:00:00Z", Drift(score=850)),
        an_ended("SES-3", "TICKET-B", "2026-01-04T00:00:00Z", Drift(error="unknown base")),
        an_ended("SES-4", "TICKET-A", "2026-01-01T00:00:00Z", None),
    )
    grown = Forest(ROWS, sessions, frozenset()).grown(TicketId("INTENT-1"))
    assert (grown.drift.latest, grown.drift.mean, grown.drift.max, grown.drift.measured) == (0.2, 0.525, 0.85, 2)
    assert (grown.sessions, grown.last_work) == (4, "2026-01-04T00:00:00Z")


def test_orphans_are_open_tasks_without_a_living_intent_and_work_that_left_its_boundary() -> None:
    rows = (
        *ROWS,
        a_row("INTENT-2", None, status=Status.DONE),
        a_row("TICKET-E", "INTENT-2"),
        a_row("TICKET-F", None),
        a_row("TICKET-G", "INTENT-GONE"),
        a_row("EPIC-X", "EPIC-Y"),
        a_row("EPIC-Y", "EPIC-X"),
        a_row("TICKET-H", "EPIC-X"),
        a_row("TICKET-I", None, status=Status.DONE),
    )
    strayed = Drift(score=900, boundary_hits=("api/x.py",), boundary_hit_count=1, intent_root="INTENT-1")
    sessions = (an_ended("SES-1", "TICKET-A", "2026-01-03T00:00:00Z", strayed),)
    found = {each.id: each.reason for each in Forest(rows, sessions, frozenset()).orphans()}
    assert found == {
        "TICKET-A": "SES-1 left the boundary of INTENT-1: api/x.py",
        "TICKET-E": "its intent INTENT-2 is done",
        "TICKET-F": "no intent stands above TICKET-F",
        "TICKET-G": "INTENT-GONE above it is not there",
        "TICKET-H": "EPIC-X lies above itself",
    }


def test_a_ring_below_ends() -> None:
    rows = (a_row("EPIC-X", "EPIC-Y"), a_row("EPIC-Y", "EPIC-X"))
    assert Forest(rows, (), frozenset()).grown(TicketId("EPIC-X")).children[0].id == "EPIC-Y"


@pytest.mark.parametrize(
    ("status", "created", "worked", "stale"),
    [
        ("todo", "2026-01-01T00:00:00Z", None, True),
        ("todo", "2026-01-09T00:00:00Z", None, False),
        ("active", "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z", False),
        ("active", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z", True),
        ("done", "2026-01-01T00:00:00Z", None, False),
    ],
)
def test_an_open_intent_without_a_session_for_long_is_stale(
    status: str, created: str, worked: str | None, *, stale: bool
) -> None:
    assert forest.is_stale(status, created, worked, Instant("2026-01-10T12:00:00Z"), 120) is stale


def test_an_interruption_is_a_sign_of_life() -> None:
    lunch = Suspension(at="2026-02-01T00:00:00Z", reason="lunch", previous_status="active")
    session = replace(a_session("SES-1", ticket="TICKET-A"), suspensions=(lunch,))
    assert Forest(ROWS, (session,), frozenset()).grown(TicketId("INTENT-1")).last_work == "2026-02-01T00:00:00Z"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = a_lone_shop(tmp_path_factory.mktemp("shop"), tickets=2)
    made.ok(0, "ticket-create", "Group", "--kind", "epic", "--parent", "INTENT-1", "--id", "EPIC-1")
    made.ok(0, "ticket-edit", "T2", "--parent", "EPIC-1")
    made.ok(0, "session-start", "--ticket-id", "TICKET-T1", "--actor", "agent:a")
    return made


def test_the_report_has_the_forest_its_orphans_and_a_summary(shop: Shop) -> None:
    before = shop.tip()
    found = shop.ok(0, "intents")
    [intent] = found["intents"]
    assert (intent["id"], intent["status"], intent["sessions"], intent["stale"]) == ("INTENT-1", "active", 1, False)
    assert [each["id"] for each in intent["children"]] == ["TICKET-T1", "EPIC-1"]
    assert [each["id"] for each in intent["children"][1]["children"]] == ["TICKET-T2"]
    assert intent["progress"] == {"done": 0, "total": 2}
    assert found["orphans"] == []
    assert (found["summary"]["intents"], found["summary"]["open"], found["summary"]["tasks"]) == (1, 1, 2)
    assert shop.tip() == before


def test_what_does_not_fit_is_left_out(shop: Shop) -> None:
    assert shop.ok(0, "intents", "--status", "done")["intents"] == []
    assert shop.ok(0, "intents", "--drift-above", "0.5")["intents"] == []
    assert [each["stale"] for each in shop.ok(0, "intents", "--stale-hours", "1")["intents"]] == [False]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--drift-above", "2"), "VALUE_INVALID"),
        (("--stale-hours", "-1"), "VALUE_INVALID"),
        (("--status", "flying"), "STATUS_UNKNOWN"),
    ],
)
def test_what_is_no_filter_is_refused(shop: Shop, words: tuple[str, ...], code: str) -> None:
    assert shop.fails(0, "intents", *words)["code"] == code


def test_the_page_is_a_tree(shop: Shop) -> None:
    ran = exo_in_process(shop.clones[0], "intents")
    assert ran.exit == 0
    assert "EPIC-1 [epic] Group: todo, .......... 0/1" in ran.out
    assert "0 of 2 tasks done" in ran.out
