"""Where tickets may stand: kinds, parents, rings, depth."""

import msgspec
import pytest

from exo_sidecar.domain import hierarchy
from exo_sidecar.model.config import Config, TicketSettings
from exo_sidecar.model.errors import Kind
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import CLOSED, Status
from exo_sidecar.model.ticket import Kind as TicketKind
from exo_sidecar.model.ticket import Ticket, TicketRecord
from tests.support.views import FakeView, a_record, a_ticket, an_intent

KINDS: tuple[TicketKind, ...] = ("intent", "epic", "task")
ALLOWED = {("epic", "intent"), ("task", "intent"), ("task", "epic")}


def an_epic(ticket_id: str = "EPIC-1", **fields: str) -> TicketRecord:
    return a_record(a_ticket(ticket_id, kind="epic", **fields))  # type: ignore[arg-type]  # parent only


def code_of(view: FakeView, ticket: Ticket) -> str | None:
    refusal = hierarchy.parent_refusal(view, ticket)
    assert refusal is None or refusal.kind is Kind.REFUSED
    return refusal.code if refusal else None


@pytest.mark.parametrize("child", KINDS)
@pytest.mark.parametrize("parent", KINDS)
def test_every_pair_of_kinds_is_allowed_or_refused(child: TicketKind, parent: TicketKind) -> None:
    view = FakeView(an_intent(), a_record(a_ticket("P-1", kind=parent)))
    ticket = msgspec.structs.replace(a_ticket("C-1", kind=child), parent=TicketId("P-1"))
    assert code_of(view, ticket) == (None if (child, parent) in ALLOWED else "INVALID_PARENT")


@pytest.mark.parametrize("kind", KINDS)
def test_all_but_an_intent_need_a_parent(kind: TicketKind) -> None:
    assert code_of(FakeView(), a_ticket("X-1", kind=kind, parent=None)) == (
        None if kind == "intent" else "PARENT_REQUIRED"
    )


@pytest.mark.parametrize("kind", ["governance", "practice"])
def test_tickets_about_the_rules_need_no_parent(kind: str) -> None:
    assert code_of(FakeView(), a_ticket(parent=None, type=kind)) is None


def test_tasks_stand_alone_where_no_parent_is_required_and_epics_never() -> None:
    view = FakeView(config=Config(tickets=TicketSettings(require_parent=False)))
    assert code_of(view, a_ticket(parent=None)) is None
    assert code_of(view, a_ticket("EPIC-1", kind="epic", parent=None)) == "PARENT_REQUIRED"


def test_a_parent_must_exist() -> None:
    refusal = hierarchy.parent_refusal(FakeView(), a_ticket())
    assert refusal is not None
    assert refusal.details == {"ticket": "TICKET-1", "parent": "INTENT-1", "field": "parent"}


@pytest.mark.parametrize("status", Status)
def test_a_parent_must_be_open(status: Status) -> None:
    view = FakeView(an_intent(status=status))
    assert code_of(view, a_ticket()) == ("INVALID_PARENT" if status in CLOSED else None)


def test_a_ticket_cannot_lie_below_itself() -> None:
    low = an_epic("EPIC-2", parent="EPIC-1")
    view = FakeView(an_intent(), an_epic("EPIC-1", parent="INTENT-1"), low)
    own = hierarchy.parent_refusal(view, a_ticket("INTENT-1", kind="epic", parent="INTENT-1"))
    below = hierarchy.parent_refusal(view, a_ticket("INTENT-1", kind="task", parent="EPIC-2"))
    assert own is not None
    assert below is not None
    assert "ring" in own.message
    assert "ring" in below.message


def test_the_tree_is_as_deep_as_configured_and_not_deeper() -> None:
    view = FakeView(an_intent(), an_epic(), config=Config(tickets=TicketSettings(max_tree_depth=2)))
    assert code_of(view, a_ticket(parent="EPIC-1")) is None
    view.settings = Config(tickets=TicketSettings(max_tree_depth=1))
    assert code_of(view, a_ticket(parent="EPIC-1")) == "INVALID_PARENT"
    assert code_of(view, a_ticket(parent="INTENT-1")) is None


def test_what_lies_below_a_moved_ticket_counts_for_the_depth() -> None:
    epic = an_epic(parent="INTENT-1")
    view = FakeView(an_intent(), an_intent("INTENT-2"), epic, a_record(a_ticket(parent="EPIC-1")))
    view.settings = Config(tickets=TicketSettings(max_tree_depth=1))
    assert code_of(view, a_ticket("EPIC-1", kind="epic", parent="INTENT-2")) == "INVALID_PARENT"


def test_a_ring_ends_every_walk() -> None:
    one, two = an_epic("EPIC-1", parent="EPIC-2"), an_epic("EPIC-2", parent="EPIC-1")
    view = FakeView(one, two)
    assert [record.id for record in hierarchy.ancestors(view, one.ticket)] == ["EPIC-2"]
    assert hierarchy.descendants(view, one.id) == (("EPIC-2", 1),)
    assert hierarchy.fault(view, one) is not None


def test_a_ticket_below_a_closed_root_has_no_valid_place() -> None:
    task = a_record(a_ticket(parent="EPIC-1"))
    view = FakeView(an_intent(), an_epic(parent="INTENT-1"), task)
    assert hierarchy.fault(view, task) is None
    view.put(an_intent(status=Status.CANCELLED))
    assert hierarchy.fault(view, task) == "INTENT-1 above it is cancelled"


def test_a_ticket_with_children_keeps_a_kind_that_may_have_them() -> None:
    view = FakeView(an_intent(), an_epic(parent="INTENT-1"), a_record(a_ticket(parent="EPIC-1")))
    refusal = hierarchy.children_refusal(view, a_ticket("EPIC-1", kind="task"))
    assert refusal is not None
    assert refusal.details["field"] == "kind"
    assert hierarchy.children_refusal(view, a_ticket("EPIC-1", kind="epic")) is None


def test_descendants_come_level_by_level_and_are_capped() -> None:
    view = FakeView(an_intent(), an_epic(parent="INTENT-1"), a_record(a_ticket(parent="EPIC-1")))
    below = hierarchy.descendants(view, TicketId("INTENT-1"))
    assert below == (("EPIC-1", 1), ("TICKET-1", 2))
    assert hierarchy.descendants(view, TicketId("INTENT-1"), limit=1) == (("EPIC-1", 1),)
