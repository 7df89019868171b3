"""A world set in motion."""

from typing import NamedTuple

from tests.simulation.clone import Clone
from tests.simulation.hub import Hub
from tests.simulation.loop import Loop
from tests.simulation.world import HOUR, MINUTE, Figures, Tally, World, percentile


class Ended(NamedTuple):
    """A run that is over, with all that was counted."""

    figures: Figures
    hub: Hub
    tally: Tally


def run(world: World) -> Ended:
    """Run `world` to its end."""
    loop = Loop()
    hub = Hub(
        loop,
        world.transport,
        slots=world.slots,
        round_trip=world.round_trip if world.transport.trips else 0.0,
        per_minute=world.per_minute,
    )
    tally = Tally()
    for number in range(world.clones):
        loop.start(Clone(loop, hub, world, number, tally).life())
    loop.run(world.warm_up)
    busy_before = hub.busy
    loop.run(world.warm_up + world.counted)
    return Ended(_figures(world, tally, hub.busy - busy_before), hub, tally)


def _figures(world: World, tally: Tally, busy: float) -> Figures:
    goodput = tally.finished * HOUR / world.counted
    return Figures(
        world=world,
        goodput=goodput,
        share=goodput / world.ideal,
        claim=(percentile(tally.claims, 0.5), percentile(tally.claims, 0.95)),
        release=(percentile(tally.releases, 0.5), percentile(tally.releases, 0.95)),
        pushes_per_minute=tally.pushes * MINUTE / world.counted,
        behind=tally.behind / tally.pushes if tally.pushes else 0.0,
        lost=tally.lost,
        failed=tally.failed,
        lapsed=tally.lapsed,
        busy=min(1.0, busy / (world.counted * world.slots)),  # a connection that is under way counts whole
    )
