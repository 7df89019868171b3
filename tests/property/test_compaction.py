"""Histories that begin anew, in several clones and at any moment: nothing is lost, and all end at one commit."""

import random
from pathlib import Path

import pytest

from exo_sidecar.store import publish
from exo_sidecar.sync import compaction
from tests.property.test_convergence import come_together
from tests.support import random_work
from tests.support.stores import Clone, a_company, closing


def compact(one: Clone) -> None:
    """Begin the history of a clone's branch anew, if it has one."""
    one.absorb()
    assert one.store.governed.tip() == publish.recorded_tip(one.store.governed)
    compaction.begin(one.store, one.stamp("sidecar-compact"), "at random")


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 20))])
def test_clones_whose_history_begins_anew_at_any_moment_converge(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with closing(a_company(tmp_path, 3, hubs=2)) as clones:
        for step in random_work.random_steps(rng, 3, 40, exchange=0.3):
            random_work.do(clones, step, 2)
            if rng.random() < 0.1:
                compact(clones[rng.randrange(3)])
        come_together(clones, 2, rng)
