"""Whatever clones do and in whatever order they sync: the same events, the same bytes, the same commits."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import random_work
from tests.support.random_step import TICKETS, Step
from tests.support.repositories import git
from tests.support.stores import Clone, a_company, assert_sound, closing, created

YEAR_SECONDS: Final = 365 * 24 * 3600


class Company(NamedTuple):
    """How many clones and hubs, and by how many years the clock of each clone is wrong."""

    clones: int
    hubs: int
    years: list[int]


VERBS = (*random_work.WORK, *random_work.EXCHANGE, *random_work.EXCHANGE, "by_hand")
STEPS = st.lists(
    st.builds(
        Step,
        clone=st.integers(0, 5),
        verb=st.sampled_from(VERBS),
        which=st.integers(0, TICKETS - 1),
        value=st.integers(0, 12),
    ),
    min_size=4,
    max_size=30,
)
COMPANIES = st.builds(
    Company,
    clones=st.integers(2, 6),
    hubs=st.integers(1, 2),
    years=st.lists(st.sampled_from((0, 0, 1, -1)), min_size=6, max_size=6),
)


@settings(max_examples=10)
@given(company=COMPANIES, steps=STEPS, order=st.randoms(use_true_random=False))
def test_clones_that_know_the_same_events_are_equal_to_the_byte(
    company: Company, steps: list[Step], order: random.Random
) -> None:
    hubs = company.hubs
    with tempfile.TemporaryDirectory() as folder, closing(a_company(Path(folder), company.clones, hubs=hubs)) as clones:
        set_clocks(clones, company.years)
        for step in steps:
            random_work.do(clones, step, hubs)
        come_together(clones, hubs, order)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [60, pytest.param(200, marks=pytest.mark.long)])
def test_four_clones_with_many_operations_each_converge(tmp_path: Path, count: int) -> None:
    rng = random.Random(20260102)
    with closing(a_company(tmp_path, 4)) as clones:
        for step in random_work.random_steps(rng, 4, 4 * count, exchange=0.08):
            random_work.do(clones, step)
        come_together(clones, 1, rng)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(20))
def test_six_clones_with_two_hubs_converge_for_many_seeds(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with closing(a_company(tmp_path, 6, hubs=2)) as clones:
        set_clocks(clones, [rng.choice((0, 0, 1, -1)) for _ in clones])
        for step in random_work.random_steps(rng, 6, 500, exchange=0.15):
            random_work.do(clones, step, 2)
        come_together(clones, 2, rng)


CIRCLES: Final = {
    "old tips between two hubs": (3, 2, [(2, 1), (0, 1), (1, 0), (2, 0), (0, 0), (1, 1)]),
    "each clone's own way round three hubs": (
        3,
        3,
        [(0, 1), (1, 2), (2, 0), (0, 2), (1, 0), (2, 1), (0, 0), (1, 1), (2, 2)],
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_clones_that_sync_in_the_same_order_for_ever_come_to_one_commit(tmp_path: Path, circle: str) -> None:
    """Without random orders: who carries an old tip from hub to hub must not keep everybody merging."""
    count, hubs, turns = CIRCLES[circle]
    with closing(a_company(tmp_path, count, hubs=hubs)) as clones:
        for number, one in enumerate(clones):
            one.write(created(f"FIX-10{number}"))
        tips = []
        for _ in range(2 + hubs + 2):
            for clone, hub in turns:
                clones[clone].sync(f"hub{hub}" if hub else "origin")
            tips.append({one.tip for one in clones})
        assert len({one.tree for one in clones}) == 1
        assert tips[-1] == tips[-2] == tips[-3]
        assert len(tips[-1]) == 1
        assert {git(tmp_path / f"hub{number}.git", "rev-parse", "exo-governance") for number in range(hubs)} == tips[-1]
        assert_sound(clones[0])


def set_clocks(clones: Sequence[Clone], years: Sequence[int]) -> None:
    """Let the wall clocks of clones be wrong by years."""
    for one, wrong in zip(clones, years, strict=False):
        one.clock.advance(wrong * YEAR_SECONDS)


def come_together(clones: Sequence[Clone], hubs: int, order: random.Random) -> None:
    """Sync everybody until nobody has anything new, and assert what must hold then.

    The commits are the same after one more round per hub: in a round of any order nobody may carry the one hub's tip
    to the other.
    """
    for one in clones:
        one.absorb()
    written = set().union(*(one.events() for one in clones))
    for _ in range(2):
        sync_all(clones, hubs, order)
    assert len({one.tree for one in clones}) == 1, "trees differ"
    for one in clones:
        assert one.events() == written, "an event was lost or made"
        assert_sound(one)
    for _ in range(hubs):
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
