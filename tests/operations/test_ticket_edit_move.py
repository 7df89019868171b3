"""`ticket-edit`, `ticket-move` and hand edits through the command line: one commit each, refused moves recorded."""

from pathlib import Path

import pytest

from tests.support.governed import a_governed_repository, asked, commits, done, hold, let_name, refusal
from tests.support.inprocess import exo_in_process
from tests.support.process import exo_command, parallel


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    governed = a_governed_repository(tmp_path)
    let_name(governed, "unit")
    done(governed, "intent-create", "A wish", "--brain-dump", "w", "--id", "INTENT-1")
    done(governed, "ticket-create", "Do it", "--parent", "INTENT-1", "--id", "TICKET-1", "--checks", "unit")
    return governed


def file_of(repository: Path) -> Path:
    return repository / ".exo" / "tickets" / "1" / "TICKET-1.yaml"


def test_an_edit_is_one_commit_and_names_what_changed(repository: Path) -> None:
    data = done(
        repository,
        *("ticket-edit", "TICKET-1", "--title", "Do it well", "--priority", "2", "--add-label", "api"),
        *("--add-scope-allow", "src/**", "--max-duration", "90", "--set-checks", "none", "--note", "hi"),
    )
    assert data["changed"] == ["title", "priority", "checks", "max_duration_seconds", "labels", "scope_allow", "notes"]
    assert (data["ticket"]["checks"], data["ticket"]["budgets"]["max_duration_seconds"]) == ([], 90)
    assert commits(repository) == 3


def test_sets_are_edited_by_adding_and_removing(repository: Path) -> None:
    done(repository, "ticket-edit", "TICKET-1", "--add-label", "a", "--add-label", "b", "--add-scope-allow", "src/**")
    data = done(
        repository,
        "ticket-edit",
        "TICKET-1",
        "--remove-label",
        "a",
        "--add-label",
        "c",
        "--remove-scope-allow",
        "src/**",
    )
    assert data["ticket"]["labels"] == ["b", "c"]
    assert data["ticket"]["scope"]["allow"] == ["**"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--title", "Do it"), "NOTHING_TO_CHANGE"),
        ((), "NOTHING_TO_CHANGE"),
        (("--parent", "TICKET-1"), "INVALID_PARENT"),
        (("--add-blocker", "TICKET-1"), "BLOCKER_CYCLE"),
        (("--add-scope-deny", "/abs"), "SCOPE_INVALID"),
        (("--title", "a\nb"), "VALUE_INVALID"),
    ],
)
def test_an_edit_that_breaks_a_rule_writes_nothing(repository: Path, args: tuple[str, ...], code: str) -> None:
    assert refusal(repository, "ticket-edit", "TICKET-1", *args)["code"] == code
    assert commits(repository) == 2


def test_a_move_is_one_commit_and_says_what_it_means(repository: Path) -> None:
    data = done(repository, "ticket-move", "ticket-1", "blocked", "--reason", "no access", "--evidence", "docs/log.txt")
    assert data == {
        "id": "TICKET-1",
        "from": "todo",
        "to": "blocked",
        "meaning": "blocked before start",
        "history_length": 2,
    }
    assert commits(repository) == 3


@pytest.mark.parametrize(
    ("args", "code", "status"),
    [
        (("done",), "TRANSITION_INVALID", 1),
        (("todo",), "TRANSITION_INVALID", 1),
        (("blocked",), "GUARD_UNMET", 1),
        (("in_progress",), "LEASE_NOT_HELD", 6),
    ],
)
def test_a_refused_move_is_recorded_and_changes_nothing(
    repository: Path, args: tuple[str, ...], code: str, status: int
) -> None:
    error = refusal(repository, "ticket-move", "TICKET-1", *args)
    assert (error["code"], error["exit"]) == (code, status)
    shown = done(repository, "ticket-show", "TICKET-1", "--history")
    assert shown["ticket"]["status"] == "todo"
    assert [entry["type"] for entry in shown["history"]] == ["ticket.created", "ticket.refused"]
    assert commits(repository) == 3


def test_a_move_that_is_malformed_is_not_recorded(repository: Path) -> None:
    assert refusal(repository, "ticket-move", "TICKET-1", "finished")["code"] == "STATUS_UNKNOWN"
    assert refusal(repository, "ticket-move", "TICKET-9", "done")["code"] == "ID_NOT_FOUND"
    away = refusal(repository, "ticket-move", "TICKET-1", "blocked", "--reason", "r", "--evidence", "../x")
    assert (away["code"], away["details"]["parameter"]) == ("VALUE_INVALID", "evidence")
    assert commits(repository) == 2


def test_of_two_moves_at_once_one_wins_and_the_other_is_told(repository: Path) -> None:
    wanted = [
        exo_command(repository, "ticket-move", "TICKET-1", "cancelled", "--reason", f"r{number}", "--json")
        for number in range(2)
    ]
    ran = sorted(parallel(wanted), key=lambda each: each.exit)
    assert [each.exit for each in ran] == [0, 1]
    assert ran[1].answer["error"]["details"]["reason"] == "Already in state cancelled"


def test_a_closed_ticket_is_neither_edited_nor_moved_but_put_away(repository: Path) -> None:
    done(repository, "ticket-move", "TICKET-1", "cancelled", "--reason", "r")
    assert refusal(repository, "ticket-edit", "TICKET-1", "--priority", "1")["code"] == "TICKET_CLOSED"
    error = refusal(repository, "ticket-move", "TICKET-1", "todo")
    assert error["details"]["reason"] == "Cannot transition from terminal state cancelled"
    error = refusal(repository, "ticket-move", "TICKET-1", "archived")
    assert (error["code"], error["details"]["guard"]) == ("GUARD_UNMET", "operation")
    assert "ticket-archive" in error["message"]
    done(repository, "ticket-archive", "TICKET-1")
    assert done(repository, "ticket-show", "TICKET-1")["resolution"] == "cancelled"


def test_while_a_session_holds_the_ticket_others_neither_edit_nor_move_it(repository: Path) -> None:
    session = hold(repository, "TICKET-1")
    other = exo_in_process(repository, "ticket-edit", "TICKET-1", "--priority", "1", "--actor", "agent:codex", "--json")
    assert (other.exit, other.answer["error"]["details"]["holder"]) == (6, session)
    assert refusal(repository, "ticket-move", "TICKET-1", "blocked", "--reason", "r")["code"] == "LEASE_HELD"
    assert done(repository, "ticket-edit", "TICKET-1", "--priority", "1")["changed"] == ["priority"]
    own = ("--actor", "agent:claude", "--session", session, "--json")
    assert exo_in_process(repository, "ticket-move", "TICKET-1", "active", *own).exit == 0
    assert done(repository, "ticket-show", "INTENT-1")["ticket"]["status"] == "active"
    assert exo_in_process(repository, "ticket-move", "TICKET-1", "review", *own).exit == 0


def test_under_an_agent_nobody_counts_as_a_person(repository: Path) -> None:
    hold(repository, "TICKET-1")
    wanted = ("ticket-edit", "TICKET-1", "--max-steps", "99", "--actor", "human:jane", "--json")
    ran = exo_in_process(repository, *wanted, env={"CLAUDECODE": "1"})
    assert (ran.exit, ran.answer["error"]["code"]) == (6, "LEASE_HELD")
    widening = ("ticket-edit", "TICKET-1", "--max-steps", "99", "--actor", "agent:claude", "--json")
    ran = exo_in_process(repository, *widening, "--session", "SES-AAAAAAAAAA")
    assert (ran.exit, ran.answer["error"]["code"]) == (1, "HUMAN_REQUIRED")
    assert exo_in_process(repository, *wanted).exit == 0


def test_a_hand_edit_is_taken_in_before_the_operation(repository: Path) -> None:
    path = file_of(repository)
    path.write_text(path.read_text().replace("priority: 3", "priority: 1"))
    ran = asked(repository, "ticket-edit", "TICKET-1", "--add-label", "x")
    assert (ran.exit, ran.data["ticket"]["priority"]) == (0, 1)
    assert [warning["code"] for warning in ran.answer["warnings"]] == ["EDIT_ABSORBED"]


def test_a_hand_edit_that_breaks_a_rule_is_named_kept_and_rendered_back(repository: Path) -> None:
    path = file_of(repository)
    good = path.read_text()
    path.write_text(good.replace('status: "todo"', 'status: "done"'))
    ran = asked(repository, "ticket-edit", "TICKET-1", "--add-label", "x")
    (warning,) = ran.answer["warnings"]
    assert (ran.exit, warning["code"]) == (0, "EDIT_REJECTED")
    assert "No valid transition from todo to done" in warning["message"]
    assert path.read_text() == good.replace("labels: []", 'labels:\n  - "x"')
    assert any((repository / ".exo" / "cache" / "rejected").iterdir())
