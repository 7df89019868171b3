"""Whatever clones do and in whatever order they sync: the same events, the same bytes, the same commits."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import random_work
from tests.support.random_work import Step
from tests.support.repositories import git
from tests.support.stores import Clone, a_company, assert_sound, closing

VERBS = (*random_work.WORK, *random_work.EXCHANGE, *random_work.EXCHANGE, "by_hand")
STEPS = st.lists(
    st.builds(
        Step,
        clone=st.integers(0, 4),
        verb=st.sampled_from(VERBS),
        which=st.integers(0, random_work.TICKETS - 1),
        value=st.integers(0, 12),
    ),
    min_size=4,
    max_size=30,
)


@settings(max_examples=10)
@given(count=st.integers(2, 5), hubs=st.integers(1, 2), steps=STEPS, order=st.randoms(use_true_random=False))
def test_clones_that_know_the_same_events_are_equal_to_the_byte(
    count: int, hubs: int, steps: list[Step], order: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(a_company(Path(folder), count, hubs=hubs)) as clones:
        for step in steps:
            random_work.do(clones, step, hubs)
        come_together(clones, hubs, order)


@pytest.mark.timeout(300)
def test_four_clones_with_two_hundred_operations_each_converge(tmp_path: Path) -> None:
    rng = random.Random(20260102)
    with closing(a_company(tmp_path, 4)) as clones:
        for step in random_work.random_steps(rng, 4, 4 * 200, exchange=0.08):
            random_work.do(clones, step)
        come_together(clones, 1, rng)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(20))
def test_five_clones_with_two_hubs_converge_for_many_seeds(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with closing(a_company(tmp_path, 5, hubs=2)) as clones:
        for step in random_work.random_steps(rng, 5, 500, exchange=0.15):
            random_work.do(clones, step, 2)
        come_together(clones, 2, rng)


def come_together(clones: Sequence[Clone], hubs: int, order: random.Random) -> None:
    """Sync everybody until nobody has anything new, and assert what must hold then."""
    for one in clones:
        one.absorb()
    written = set().union(*(one.lines() for one in clones))
    for _ in range(2):
        sync_all(clones, hubs, order)
    assert len({one.tree for one in clones}) == 1, "trees differ"
    for one in clones:
        assert one.lines() == written, "an event was lost or made"
        assert_sound(one)
    sync_all(clones, hubs, order)
    assert len({one.tip for one in clones}) == 1, "commits differ"
    tip = clones[0].tip
    sync_all(clones, hubs, order)
    assert {one.tip for one in clones} == {tip}, "idle clones made a commit"
    for number in range(hubs):
        hub = clones[0].folder.parent / f"hub{number}.git"
        assert git(hub, "rev-parse", "exo-governance") == tip
        git(hub, "fsck", "--strict")


def sync_all(clones: Sequence[Clone], hubs: int, order: random.Random) -> None:
    remotes = ["origin", *(f"hub{number}" for number in range(1, hubs))]
    turns = [(one, remote) for one in clones for remote in remotes]
    order.shuffle(turns)
    for one, remote in turns:
        one.sync(remote)
