"""The simulation: the same seed gives the same figures, nothing is counted twice or lost, limits bite."""

import pytest

from tests.simulation import sweep
from tests.simulation.costs import HTTP, LOCAL, SSH, Transport
from tests.simulation.hub import DoubleHold, Hub
from tests.simulation.loop import Loop, Steps
from tests.simulation.report import COLUMNS, span, table
from tests.simulation.running import Ended, run
from tests.simulation.world import HOUR, MINUTE, Design, World, percentile

CROWD = World(200, transport=SSH, ttl=15 * MINUTE, task=10 * MINUTE)
"""Enough contention for every kind of refusal but the host's."""


def conserved(ended: Ended) -> None:
    """Assert what must add up in every run."""
    hub, tally, world = ended.hub, ended.tally, ended.figures.world
    under_way = hub.asked.total() - hub.results.total()
    assert 0 <= under_way <= world.clones
    assert hub.results.total() == tally.results
    assert hub.events == tally.events_pushed
    assert 0 <= len(hub.finished) - tally.finished_ever <= world.clones
    assert not hub.holders.keys() & hub.finished
    holders = list(hub.holders.values())
    assert len(holders) == len(set(holders)), "one clone holds two tickets"
    assert hub.first_free == len(hub.holders) + len(hub.finished)


def a_hub(loop: Loop, transport: Transport = LOCAL, per_minute: int = 0) -> Hub:
    return Hub(loop, transport, slots=1, round_trip=0.0, per_minute=per_minute)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    assert run(CROWD).figures == run(CROWD).figures
    assert run(CROWD).figures[1:] != run(CROWD._replace(seed=2)).figures[1:]


@pytest.mark.parametrize("design", ["refs", "branch"])
@pytest.mark.parametrize("per_minute", [0, 60])
def test_every_push_event_and_ticket_is_accounted_for(design: Design, per_minute: int) -> None:
    ended = run(CROWD._replace(design=design, per_minute=per_minute))
    conserved(ended)
    assert ended.hub.results["landed"] > 0
    assert ended.hub.results["behind"] > 0
    assert (ended.hub.results["throttled"] > 0) == (per_minute > 0)


def test_claims_that_meet_have_one_winner_and_the_other_walks_on() -> None:
    ended = run(World(300, transport=HTTP, task=MINUTE, slots=64))
    conserved(ended)
    assert ended.hub.results["lost"] > 0
    assert ended.figures.goodput > 0


def test_a_second_holder_and_a_stranger_that_finishes_are_caught() -> None:
    hub = a_hub(Loop())
    hub.hold(0, clone=1)
    with pytest.raises(DoubleHold):
        hub.hold(0, clone=2)
    with pytest.raises(DoubleHold):
        hub.finish(0, clone=2)
    hub = a_hub(Loop())
    hub.hold(0, clone=1)
    hub.finish(0, clone=1)
    with pytest.raises(DoubleHold):
        hub.hold(0, clone=1)


def test_a_hub_with_one_slot_serves_one_after_the_other() -> None:
    loop = Loop()
    hub = a_hub(loop)
    ended: list[float] = []

    def listing() -> Steps[None]:
        yield from hub.listed()
        ended.append(loop.now)

    for _ in range(3):
        loop.start(listing())
    loop.run(1.0)
    assert ended == pytest.approx([LOCAL.listing, 2 * LOCAL.listing, 3 * LOCAL.listing])
    assert hub.busy == pytest.approx(3 * LOCAL.listing)


def test_a_host_that_limits_pushes_lets_no_more_through() -> None:
    free = run(World(100)).figures
    limited = run(World(100, per_minute=6))
    conserved(limited)
    minutes = (limited.figures.world.warm_up + limited.figures.world.counted) / MINUTE
    assert limited.hub.results.total() - limited.hub.results["throttled"] <= 6 * minutes + 1
    assert limited.figures.goodput < free.goodput / 2


def test_a_few_clones_lose_no_time_worth_the_name() -> None:
    figures = run(World(10, transport=LOCAL, task=10 * MINUTE)).figures
    assert figures.share > 0.9
    assert (figures.failed, figures.lapsed) == (0, 0)
    assert figures.claim[1] < 2.0


def test_a_table_has_a_cell_for_every_column() -> None:
    lines = table([run(World(3)).figures])
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}
    assert [span(value) for value in (0.25, 90, 600, 4 * HOUR, float("nan"))] == ["0.2 s", "90.0 s", "10 m", "4 h", "-"]
    assert percentile(range(100), 0.95) == 95


def test_the_designs_are_compared_in_pairs_that_differ_in_nothing_else() -> None:
    worlds = next(each for each in sweep.questions(1) if each.name == "design").worlds
    pairs = list(zip(worlds[::2], worlds[1::2], strict=True))
    assert pairs
    assert all(one == other._replace(design="refs") for one, other in pairs)
