"""What a new ticket has where nobody says otherwise, and what no ticket may ask for."""

import json
from pathlib import Path
from typing import Any

import pytest

from exo_sidecar.domain import ticket_limits, wishes
from exo_sidecar.domain.tickets import Wish
from exo_sidecar.model.config import BudgetSettings, Config, DefaultSettings
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.policy import Seal, closed, text_of
from exo_sidecar.model.policy_record import PolicyRecord, Written
from exo_sidecar.model.rule import BudgetRule
from exo_sidecar.model.ticket import Ticket
from tests.support.checking import let_run
from tests.support.views import AT, FakeView
from tests.support.working import Shop, a_lone_shop

CEILINGS = (
    BudgetRule(id="BUD-1", max_files_changed=20, max_steps=5),
    BudgetRule(id="BUD-2", max_files_changed=10, types=("bug",)),
    BudgetRule(id="BUD-3", max_files_changed=15, types=("bug", "chore")),
)


def sealed(view: FakeView, *rules: BudgetRule) -> FakeView:
    seal = closed(Seal(sources={}, lock="0" * 64, rules=rules))
    written = Written(event="c:1", actor="human:ann", at=AT, digest=seal.digest, text=text_of(seal).decode())
    view.compiled = PolicyRecord(seals=(written,))
    return view


def a_wish(kind: Any = "task", **fields: Any) -> Wish:  # noqa: ANN401 - whatever a field takes
    return Wish(kind=kind, fields=fields, sets={})


def test_settings_say_what_a_task_has_and_what_is_asked_for_stands() -> None:
    defaults = DefaultSettings(ticket_budgets=BudgetSettings(max_steps=9), ticket_checks=("unit",), ticket_type="chore")
    view = FakeView(config=Config(defaults=defaults))
    assert wishes.completed(view, a_wish()).fields == {"type": "chore", "checks": ("unit",), "max_steps": 9}
    asked = a_wish(type="bug", checks=(), max_steps=3)
    assert wishes.completed(view, asked).fields == asked.fields
    assert wishes.completed(view, a_wish("epic")).fields == {"type": "chore", "max_steps": 9}
    assert wishes.completed(view, a_wish("intent")).fields == {"max_steps": 9}
    assert wishes.completed(FakeView(), a_wish()).fields == {}


def test_the_lowest_ceiling_of_a_type_counts() -> None:
    view = sealed(FakeView(), *CEILINGS)
    found = ticket_limits.ceilings(view, "bug")
    assert {name: (each.most, each.rule) for name, each in found.items()} == {
        "max_files_changed": (10, "BUD-2"),
        "max_steps": (5, "BUD-1"),
    }
    assert ticket_limits.ceilings(view, "feature")["max_files_changed"].most == 20
    assert ticket_limits.ceilings(FakeView(), "bug") == {}


def test_what_nobody_asked_for_stays_below_the_ceiling_and_what_is_asked_for_above_is_refused() -> None:
    view = sealed(FakeView(), *CEILINGS)
    assert wishes.completed(view, a_wish()).fields == {"max_steps": 5}
    assert wishes.completed(view, a_wish(type="bug")).fields["max_files_changed"] == 10
    ticket = Ticket(id=TicketId("TICKET-1"), title="t", type="bug")
    refused = ticket_limits.refusal(view, ticket, (), ("max_files_changed",))
    assert refused is not None
    assert (refused.code, refused.details["most"], refused.details["rule"]) == ("BUDGET_ABOVE_CEILING", 10, "BUD-2")
    assert ticket_limits.refusal(view, ticket, (), ("max_loc_changed",)) is None


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return a_lone_shop(tmp_path, tickets=1)


def created(shop: Shop, *words: str) -> Any:  # noqa: ANN401 - JSON
    return shop.ok(0, "ticket-create", "Work", "--parent", "INTENT-1", *words)["ticket"]


def test_the_checks_of_the_settings_are_a_task_s_unless_it_names_others(shop: Shop) -> None:
    assert created(shop)["checks"] == []
    let_run(shop, "unit", "lint")
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text() + "defaults: {ticket_checks: [unit], ticket_budgets: {max_steps: 7}}\n")
    ticket = created(shop)
    assert (ticket["checks"], ticket["budgets"]["max_steps"]) == (["unit"], 7)
    assert created(shop, "--checks", "lint", "--max-steps", "8")["checks"] == ["lint"]
    assert created(shop, "--checks", "none")["checks"] == []
    assert created(shop, "--kind", "epic")["checks"] == []


def test_a_task_that_nothing_can_show_to_be_done_is_told(shop: Shop) -> None:
    codes = [each["code"] for each in shop.exo(0, "ticket-create", "A", "--parent", "INTENT-1").answer["warnings"]]
    assert codes == ["NO_CHECKS"]
    for words in (("--type", "docs"), ("--kind", "epic")):
        ran = shop.exo(0, "ticket-create", "B", "--parent", "INTENT-1", *words)
        assert ran.answer["warnings"] == []


def test_only_checks_that_may_run_are_named(shop: Shop) -> None:
    error = shop.fails(0, "ticket-create", "A", "--parent", "INTENT-1", "--checks", "rm -rf .")
    assert (error["code"], error["exit"], error["details"]["checks"]) == ("CHECK_NOT_ALLOWED", 1, ["rm -rf ."])
    assert shop.fails(0, "ticket-edit", "T1", "--set-checks", "unit")["code"] == "CHECK_NOT_ALLOWED"
    plan = json.dumps([{"title": "A", "checks": ["unit"]}])
    assert shop.fails(0, "plan", plan, "--parent", "INTENT-1")["code"] == "PLAN_INVALID"
    let_run(shop, "unit")
    assert shop.ok(0, "ticket-edit", "T1", "--set-checks", "unit")["changed"] == ["checks"]
    let_run(shop)
    assert shop.ok(0, "ticket-edit", "T1", "--title", "It keeps what it had")["ticket"]["checks"] == ["unit"]
    path = next((shop.clones[0] / ".exo" / "tickets").glob("*/TICKET-T1.yaml"))
    path.write_text(path.read_text().replace('- "unit"', '- "other"'))
    ran = shop.exo(0, "ticket-edit", "T1", "--note", "what takes the file in")
    assert "not in checks_allowlist" in json.dumps(ran.answer)
    assert shop.ok(0, "ticket-show", "T1")["ticket"]["checks"] == ["unit"]


def test_work_on_a_closed_ticket_goes_on_in_a_new_one(shop: Shop) -> None:
    shop.ok(
        0,
        *("ticket-edit", "T1", "--priority", "1", "--add-label", "api", "--add-scope-allow", "src/**"),
        *("--boundary", "no API", "--max-steps", "9", "--note", "old", "--add-link", "a.md", "--type", "bug"),
    )
    again = ("ticket-create", "Once more", "--from", "T1")
    error = shop.fails(0, *again)
    assert (error["code"], error["details"]["ticket"]) == ("TICKET_NOT_CLOSED", "TICKET-T1")
    shop.ok(0, "ticket-move", "T1", "cancelled", "--reason", "not now")
    ticket = shop.ok(0, *again, "--priority", "2")["ticket"]
    assert (ticket["title"], ticket["priority"], ticket["parent"], ticket["type"]) == (
        "Once more",
        2,
        "INTENT-1",
        "bug",
    )
    assert (ticket["labels"], ticket["scope"]["allow"], ticket["boundary"]) == (["api"], ["src/**"], "no API")
    assert (ticket["links"], ticket["notes"], ticket["status"]) == (["a.md", "reopens:TICKET-T1"], [], "todo")
    assert ticket["budgets"]["max_steps"] == 9
    assert shop.fails(0, "ticket-create", "X", "--from", "TICKET-NO")["code"] == "ID_NOT_FOUND"
    shop.ok(0, "ticket-move", "INTENT-1", "cancelled", "--reason", "no")
    assert shop.fails(0, "ticket-create", "X", "--from", "INTENT-1")["code"] == "VALUE_INVALID"
    assert shop.fails(0, *again)["code"] == "INVALID_PARENT"
