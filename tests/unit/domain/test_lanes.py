"""Lanes: which lane a type belongs to, when one is full, and who gives way when claims met."""

from collections.abc import Sequence

import pytest

from exo_sidecar.domain import lanes
from exo_sidecar.model.config import Config, Lane, SchedulerSettings
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.ids import TicketId
from tests.support.views import FakeView, a_record, a_ticket

FEATURE = Lane(name="feature", allowed_types=("feature",), count=1)
REST = Lane(name="rest", allowed_types=("bug", "*"), count=2)
LATE = Lane(name="late", allowed_types=("chore",), count=9)


def a_view(
    *types: str, lanes_: Sequence[Lane] = (FEATURE, REST, LATE), limit: int | None = None, enabled: bool = True
) -> FakeView:
    """Return tickets TICKET-0, TICKET-1 ... of these types; a fake sorts by id, the last comes last."""
    scheduler = SchedulerSettings(enabled=enabled, global_concurrency_limit=limit, lanes=tuple(lanes_))
    records = (a_record(a_ticket(f"TICKET-{number}", type=each)) for number, each in enumerate(types))
    return FakeView(*records, config=Config(scheduler=scheduler))


def leased(*numbers: int, epoch: int = 1) -> dict[TicketId, int]:
    return {TicketId(f"TICKET-{number}"): epoch for number in numbers}


@pytest.mark.parametrize(("kind", "lane"), [("feature", "feature"), ("bug", "rest"), ("chore", "rest"), ("x", "rest")])
def test_a_type_belongs_to_the_first_lane_that_takes_it(kind: str, lane: str) -> None:
    found = lanes.lane_of(SchedulerSettings(lanes=(FEATURE, REST, LATE)), kind)
    assert found is not None
    assert found.name == lane


def test_a_type_without_a_lane_meets_the_limit_of_all_alone() -> None:
    view = a_view("x", "x", "x", lanes_=(FEATURE,), limit=2)
    assert lanes.lane_of(view.config().scheduler, "x") is None
    assert lanes.refusal(view, leased(0), TicketId("TICKET-2")) is None
    refused = lanes.refusal(view, leased(0, 1), TicketId("TICKET-2"))
    assert refused is not None
    assert refused.code == "CONCURRENCY_LIMIT"


def test_a_lane_is_full_when_its_count_is_reached_and_others_are_not() -> None:
    view = a_view("feature", "feature", "bug", "x")
    gate = lanes.gate(view, leased(0))
    full = gate(TicketId("TICKET-1"), "feature")
    assert full is not None
    assert (full.code, full.message) == ("lane_full", "lane feature is full: 1 worked on, 1 at once")
    assert gate(TicketId("TICKET-2"), "bug") is None
    assert gate(TicketId("TICKET-0"), "feature") is None  # taken over, it takes no more room


def test_nothing_is_kept_back_while_lanes_are_switched_off() -> None:
    view = a_view("feature", "feature", limit=0, enabled=False)
    assert lanes.gate(view, leased(0))(TicketId("TICKET-1"), "feature") is None
    assert lanes.crowd(view, leased(0, 1), TicketId("TICKET-1")) is None


def test_a_lease_of_a_ticket_that_is_not_known_here_counts_for_all_and_for_no_lane() -> None:
    view = a_view("feature", limit=1)
    stranger = {TicketId("TICKET-FAR"): 1}
    assert lanes.count(view, stranger).by_lane == {}
    refused = lanes.refusal(view, stranger, TicketId("TICKET-0"))
    assert refused is not None
    assert refused.code == "CONCURRENCY_LIMIT"


def test_of_claims_that_met_the_last_in_dispatch_order_gives_way() -> None:
    view = a_view("feature", "feature", "bug")
    both = leased(0, 1, 2)
    first, last = (lanes.crowd(view, both, TicketId(f"TICKET-{number}")) for number in (0, 1))
    assert first is not None
    assert last is not None
    assert (first.gives_way, last.gives_way) == (False, True)
    assert last.error.code == "LANE_FULL"
    assert lanes.crowd(view, both, TicketId("TICKET-2")) is None


def test_a_lease_that_the_ledger_knows_does_not_give_way_any_more() -> None:
    view = a_view("feature", "feature")
    view.epochs[TicketId("TICKET-1")] = 1
    crowd = lanes.crowd(view, leased(0, 1), TicketId("TICKET-0"))
    assert crowd is not None
    assert crowd.gives_way


def test_a_lane_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueInvalid) as caught:
        lanes.named(SchedulerSettings(), "featur")
    assert caught.value.hint == "lanes: feature, bug, chore"
