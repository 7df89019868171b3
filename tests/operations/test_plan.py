"""`plan`: a written plan becomes tickets in one commit, or every fault is named and nothing is written."""

import json
from pathlib import Path

import pytest

from tests.support.inprocess import exo_in_process
from tests.support.process import exo_command, parallel
from tests.support.working import Shop, a_lone_shop

PLAN = """# Dates keep their zone

Reports from Tokyo are a day off.

### EPIC Parsing
* Parse offsets (scope: src/{dates,zones}/**, tests/dates) (p1)
* T2: Parse names (after: Parse offsets) (type: chore) (label: parser, zones)

### EPIC-2: Reports
* Show the zone (blocks: TICKET-T1)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return a_lone_shop(tmp_path, tickets=1)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop in which every plan is refused."""
    return a_lone_shop(tmp_path_factory.mktemp("shop"), tickets=1)


def test_a_plan_in_markdown_becomes_epics_and_tasks_in_one_commit(shop: Shop) -> None:
    before = shop.commits()
    found = shop.ok(0, "plan", PLAN, "--parent", "INTENT-1")
    assert shop.commits() == before + 1
    assert found["spec_id"].startswith("SPEC-")
    parsing, offsets, names, reports, zone = found["tickets"]
    assert [each["kind"] for each in found["tickets"]] == ["epic", "task", "task", "epic", "task"]
    assert (parsing["parent"], offsets["parent"], zone["parent"]) == ("INTENT-1", parsing["id"], reports["id"])
    assert names["blockers"] == [offsets["id"]]
    first = shop.ok(0, "ticket-show", offsets["id"])["ticket"]
    assert (first["priority"], first["title"]) == (1, "Parse offsets")
    assert first["scope"]["allow"] == ["src/{dates,zones}/**", "tests/dates"]
    second = shop.ok(0, "ticket-show", names["id"])["ticket"]
    assert (second["type"], second["labels"], second["title"]) == ("chore", ["parser", "zones"], "Parse names")
    assert shop.ok(0, "ticket-show", "TICKET-T1")["ticket"]["blockers"] == [zone["id"]]
    assert shop.ok(0, "next", "--dry-run")["ticket_id"] == offsets["id"]


def test_the_text_itself_is_kept(shop: Shop) -> None:
    spec = shop.ok(0, "plan", PLAN, "--parent", "INTENT-1")["spec_id"]
    lines = (line for path in shop.clones[0].glob(".exo/ledger/*/*/*.jsonl") for line in path.read_text().splitlines())
    recorded = [json.loads(line) for line in lines if '"type":"spec.recorded"' in line]
    assert [each["subject"] for each in recorded] == [spec]
    assert recorded[0]["data"]["text"] == PLAN
    assert (recorded[0]["data"]["title"], len(recorded[0]["data"]["tickets"])) == ("Dates keep their zone", 5)
    assert shop.ok(0, "audit")["verdict"] != "fail"


def test_any_program_can_plan_in_json(shop: Shop) -> None:
    plan = [
        {"title": "Parsing", "kind": "epic", "key": "E"},
        {"title": "Later", "parent": "E", "blockers": ["first"], "notes": ["why"], "budgets": {"max_steps": 7}},
        {"title": "First", "parent": "E", "key": "first", "scope": {"deny": ["docs"]}, "status": "backlog"},
    ]
    found = shop.ok(0, "plan", json.dumps(plan), "--parent", "INTENT-1")["tickets"]
    assert found[1]["blockers"] == [found[2]["id"]]
    later = shop.ok(0, "ticket-show", found[1]["id"])["ticket"]
    assert (later["budgets"]["max_steps"], later["notes"], later["parent"]) == (7, ["why"], found[0]["id"])
    first = shop.ok(0, "ticket-show", found[2]["id"])["ticket"]
    assert (first["status"], first["scope"]["deny"]) == ("backlog", ["docs"])


def test_every_fault_is_named_by_its_line_and_nothing_is_written(untouched: Shop) -> None:
    before = untouched.tip()
    text = "### EPIC\n* (p1)\n* Two (p9)\n* Three (scop: src)\n* Four (scope: /abs)\n* Five (after: nobody)\n  * Six\n"
    error = untouched.fails(0, "plan", text, "--parent", "INTENT-1")
    assert (error["code"], error["exit"]) == ("PLAN_INVALID", 2)
    told = "\n".join(error["details"]["faults"])
    for line, words in (
        (1, "the epic has no title"),
        (2, "the task has no title"),
        (3, "9 is not a number from 1 to 5"),
        (4, "did you mean scope?"),
        (5, "/abs"),
        (6, "'nobody' is no ticket of the plan"),
        (7, "begins at the margin"),
    ):
        assert any(each.startswith(f"line {line}:") and words in each for each in told.splitlines()), told
    assert untouched.tip() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"title": "A"},\n {"titel": "B"}]', "line 2: Object"),
        ('[{"title": "A"}\n {"title": "B"}]', "line 2: this is no JSON"),
        ('{"title": "A"}', "line 1: a plan in JSON is a list"),
        ('[{"title": "A"}] x', "line 1: something follows"),
        ("[", "line 1: this is no JSON"),
        ("[]", "line 1: it names no ticket"),
        ("# Only a heading", "line 1: it names no ticket"),
        ("* A (after: B)\n* B (after: A)", "would wait for itself"),
        ("* A\n* A\n* B (after: A)", "line 3: 'A' names 2 tickets"),
        ('[{"title": "A", "kind": "intent"}]', "line 1: Invalid enum value"),
        ('[{"title": "A", "key": "a"}, {"title": "B", "parent": "a"}]', "is a task"),
    ],
)
def test_what_does_not_hold_is_refused_whole(untouched: Shop, text: str, words: str) -> None:
    before = untouched.tip()
    error = untouched.fails(0, "plan", text, "--parent", "INTENT-1")
    assert error["code"] == "PLAN_INVALID"
    assert words in "\n".join(error["details"]["faults"])
    assert untouched.tip() == before


def test_without_a_parent_every_line_is_told_that_it_needs_one(untouched: Shop) -> None:
    error = untouched.fails(0, "plan", "### EPIC One\n* Two\n* Three (type: practice)\n")
    assert [each.partition(":")[0] for each in error["details"]["faults"]] == ["line 1"]
    assert untouched.fails(0, "plan", "* Two", "--parent", "INTENT-NO")["code"] == "ID_NOT_FOUND"


def test_a_plan_has_an_end(untouched: Shop) -> None:
    text = "".join(f"* Number {number}\n" for number in range(51))
    error = untouched.fails(0, "plan", text, "--parent", "INTENT-1")
    assert (error["code"], error["details"]["limit"]) == ("PLAN_TOO_LARGE", 50)
    assert untouched.fails(0, "plan", "* a\n" + "x" * 70_000, "--parent", "INTENT-1")["code"] == "VALUE_INVALID"


def test_a_plan_may_be_judged_and_recorded_alone(shop: Shop) -> None:
    count = len(shop.ok(0, "ticket-list")["items"])
    found = shop.ok(0, "plan", PLAN, "--parent", "INTENT-1", "--no-create")
    assert {each["id"] for each in found["tickets"]} == {None}
    assert len(shop.ok(0, "ticket-list")["items"]) == count
    before = shop.tip()
    shop.ok(0, "plan", PLAN, "--parent", "INTENT-1", "--dry-run")
    assert shop.tip() == before


def test_a_plan_is_read_from_a_file_of_the_checkout(shop: Shop, tmp_path: Path) -> None:
    (shop.clones[0] / "plan.md").write_text(PLAN)
    assert len(shop.ok(0, "plan", "plan.md", "--parent", "INTENT-1")["tickets"]) == 5
    (tmp_path / "outside.md").write_text(PLAN)
    for name in ("gone.md", str(tmp_path / "outside.md"), "../outside.md"):
        assert shop.fails(0, "plan", name, "--parent", "INTENT-1")["code"] == "VALUE_INVALID"
    (shop.clones[0] / "bytes.md").write_bytes(b"* \xff\n")
    assert shop.fails(0, "plan", "bytes.md", "--parent", "INTENT-1")["code"] == "PLAN_INVALID"


def test_a_scope_that_leaves_out_what_changes_together_is_told(shop: Shop) -> None:
    config = shop.clones[0] / ".exo" / "config.yaml"
    rule = "coherence:\n  co_update_rules:\n    - {label: api, files: [src/api.py, docs/api.md]}\n"
    config.write_text(config.read_text() + rule)
    found = shop.ok(0, "plan", "* A (scope: src/**)\n* B (scope: src/**, docs/**)\n* C\n", "--parent", "INTENT-1")
    assert found["co_update_warnings"] == ["line 1: api changes together, and the scope leaves out docs/api.md"]


def test_plans_at_once_are_all_kept(shop: Shop) -> None:
    commands = [
        exo_command(shop.clones[0], "plan", f"### EPIC E{n}\n* A{n}\n* B{n}\n", "--parent", "INTENT-1", "--json")
        for n in range(3)
    ]
    ran = parallel(commands)
    assert [each.exit for each in ran] == [0, 0, 0], [each.out for each in ran]
    made = {ticket["id"] for each in ran for ticket in each.data["tickets"]}
    listed = {each["id"] for each in shop.ok(0, "ticket-list")["items"]}
    assert (len(made), made - listed) == (9, set())


def test_the_page_is_a_tree(shop: Shop) -> None:
    ran = exo_in_process(shop.clones[0], "plan", PLAN, "--parent", "INTENT-1")
    assert ran.exit == 0
    assert "[epic] Parsing" in ran.out
    assert "5 tickets made" in ran.out
