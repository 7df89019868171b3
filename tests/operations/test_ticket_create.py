"""`intent-create` and `ticket-create` through the command line: results, errors, one commit each."""

from pathlib import Path

import pytest

from tests.support.governed import a_governed_repository, asked, commits, done, let_name, refusal
from tests.support.process import exo_command, parallel
from tests.support.repositories import git

INTENT = ("intent-create", "A wish", "--brain-dump", "I want it", "--id", "INTENT-1")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    governed = a_governed_repository(tmp_path)
    let_name(governed, "unit")
    done(governed, *INTENT)
    return governed


def test_an_intent_is_a_root_made_by_one_commit(tmp_path: Path) -> None:
    governed = a_governed_repository(tmp_path)
    data = done(governed, *INTENT, "--risk", "high", "--scope-deny", "vendor/**", "--priority", "2")
    assert (data["id"], data["parent"], data["created"], data["depth"]) == ("INTENT-1", None, True, 0)
    ticket = data["ticket"]
    assert (ticket["kind"], ticket["risk"], ticket["brain_dump"], ticket["priority"]) == (
        "intent",
        "high",
        "I want it",
        2,
    )
    assert ticket["scope"] == {"allow": ["**"], "deny": ["vendor/**"]}
    assert commits(governed) == 1
    assert git(governed / ".exo", "status", "--porcelain") == ""


def test_an_intent_without_a_wish_is_refused(repository: Path) -> None:
    error = refusal(repository, "intent-create", "Empty", "--brain-dump", "  ")
    assert (error["code"], error["details"]["parameter"], error["exit"]) == ("VALUE_INVALID", "brain_dump", 2)
    assert commits(repository) == 1


def test_a_task_has_all_that_was_given(repository: Path) -> None:
    blocker = done(repository, "ticket-create", "First", "--parent", "INTENT-1", "--id", "TICKET-1")
    data = done(
        repository,
        *("ticket-create", "Second", "--parent", "intent-1", "--type", "bug", "--created-by", "TICKET-1"),
        *("--priority", "1", "--status", "backlog", "--blocker", "TICKET-1", "--label", "api", "--label", "web"),
        *("--scope-allow", "src/**", "--scope-deny", "src/gen/**", "--max-files", "3", "--max-loc", "30"),
        *("--max-steps", "5", "--max-depth", "2", "--max-duration", "2h", "--checks", "unit", "--boundary", "no API"),
        *("--success-condition", "it works", "--resource-profile", "heavy", "--link", "https://example.invalid/1"),
        *("--note", "look", "--consumer", "all", "--pain-point", "slow", "--expected-value", "2x"),
        *("--validation-path", "bench"),
    )
    ticket = data["ticket"]
    assert blocker["ticket"]["status"] == "todo"
    assert (data["parent"], data["depth"], ticket["type"], ticket["status"]) == ("INTENT-1", 1, "bug", "backlog")
    assert (ticket["created_by"], ticket["blockers"], ticket["labels"]) == ("TICKET-1", ["TICKET-1"], ["api", "web"])
    assert ticket["scope"] == {"allow": ["src/**"], "deny": ["src/gen/**"]}
    assert list(ticket["budgets"].values()) == [3, 30, 5, 2, 7200]
    assert (ticket["checks"], ticket["boundary"], ticket["success_condition"]) == (["unit"], "no API", "it works")
    assert (ticket["resource_profile"], ticket["links"], ticket["notes"]) == (
        "heavy",
        ["https://example.invalid/1"],
        ["look"],
    )
    assert list(ticket["admission"].values()) == ["all", "slow", "2x", "bench"]
    assert commits(repository) == 3


def test_a_minted_id_names_the_kind_and_its_file(repository: Path) -> None:
    data = done(repository, "ticket-create", "An epic", "--kind", "epic", "--parent", "INTENT-1")
    prefix, own = data["id"].split("-")
    assert (prefix, len(own)) == ("EPIC", 4)
    assert (repository / ".exo" / "tickets" / own[:2].lower() / f"{data['id']}.yaml").is_file()


@pytest.mark.parametrize(
    ("args", "code", "status"),
    [
        (("x",), "PARENT_REQUIRED", 1),
        (("x", "--parent", "INTENT-9"), "INVALID_PARENT", 1),
        (("x", "--parent", "INTENT-1", "--id", "intent-1"), "ID_INVALID", 2),
        (("x", "--parent", "INTENT-1", "--id", "no id"), "ID_INVALID", 2),
        (("x", "--parent", "INTENT-1", "--scope-allow", "../out"), "SCOPE_INVALID", 2),
        (("x", "--parent", "INTENT-1", "--max-steps=-1"), "BUDGET_VALUE_INVALID", 2),
        (("x", "--parent", "INTENT-1", "--max-duration", "soon"), "BUDGET_VALUE_INVALID", 2),
        (("x", "--parent", "INTENT-1", "--priority", "6"), "VALUE_INVALID", 2),
        (("x", "--parent", "INTENT-1", "--blocker", "TICKET-9"), "ID_NOT_FOUND", 4),
        (("",), "VALUE_INVALID", 2),
    ],
)
def test_a_ticket_that_breaks_a_rule_is_refused_and_nothing_is_written(
    repository: Path, args: tuple[str, ...], code: str, status: int
) -> None:
    error = refusal(repository, "ticket-create", *args)
    assert (error["code"], error["exit"]) == (code, status)
    assert error["hint"]
    assert commits(repository) == 1


def test_an_id_is_given_once(repository: Path) -> None:
    wanted = ("ticket-create", "x", "--parent", "INTENT-1", "--id", "TICKET-001")
    assert done(repository, *wanted)["id"] == "TICKET-001"
    assert refusal(repository, *wanted)["code"] == "ID_TAKEN"


def test_the_same_key_gives_the_first_ticket_again_without_a_commit(repository: Path) -> None:
    first = done(repository, "ticket-create", "x", "--parent", "INTENT-1", "--idem-key", "k")
    again = done(repository, "ticket-create", "y", "--parent", "INTENT-1", "--idem-key", "k")
    assert (again["id"], again["created"], again["ticket"]["title"]) == (first["id"], False, "x")
    assert commits(repository) == 2


def test_a_dry_run_shows_the_ticket_and_writes_nothing(repository: Path) -> None:
    data = done(repository, "ticket-create", "x", "--parent", "INTENT-1", "--id", "TICKET-5", "--dry-run")
    assert data["ticket"]["title"] == "x"
    assert commits(repository) == 1
    assert asked(repository, "ticket-show", "TICKET-5").exit == 4


def test_tickets_made_at_once_under_one_parent_are_all_there(repository: Path) -> None:
    wanted = [
        exo_command(repository, "ticket-create", f"number {number}", "--parent", "INTENT-1", "--json")
        for number in range(4)
    ]
    assert [ran.exit for ran in parallel(wanted)] == [0, 0, 0, 0]
    tree = done(repository, "ticket-show", "INTENT-1", "--tree")["tree"]
    assert {each["title"] for each in tree["descendants"]} == {f"number {number}" for number in range(4)}
    assert commits(repository) == 5
