"""Whatever programs of two numbers do on one branch: no event is lost, and all end with the files of the newer one."""

import contextlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.store import layout
from exo_sidecar.store.render_number import number_of
from tests.support import random_work
from tests.support.repositories import git
from tests.support.stores import Clone, a_company, assert_sound, closing
from tests.support.versions import STAMP, as_next

NEWER: Final = (0, 1)
"""Clones in which the next program is used; in the others this one."""


@contextlib.contextmanager
def in_its_program(number: int) -> Iterator[None]:
    """Be the program that is used in a clone."""
    with as_next() if number in NEWER else contextlib.nullcontext():
        yield


def sync_all(clones: Sequence[Clone], order: random.Random) -> None:
    turns = list(enumerate(clones))
    order.shuffle(turns)
    for number, one in turns:
        with in_its_program(number):
            one.sync()


def come_together(clones: Sequence[Clone], order: random.Random) -> None:
    """Sync everybody until nobody has anything new, and assert what must hold then."""
    for number, one in enumerate(clones):
        with in_its_program(number):
            one.absorb()
    written = set().union(*(one.events() for one in clones))
    for _ in range(3):
        sync_all(clones, order)
    assert len({one.tip for one in clones}) == 1, "commits differ"
    tip = clones[0].tip
    sync_all(clones, order)
    assert {one.tip for one in clones} == {tip}, "idle clones made a commit"
    for number, one in enumerate(clones):
        assert one.events() == written, "an event was lost or made"
        assert one.status() == ""
        if number in NEWER:
            with as_next(), closing([one.reopened()]) as (again,):
                assert_sound(again)
    assert number_of(clones[0].store.governed.repository.objects, clones[0].tree) == layout.RENDER_NUMBER + 1
    tickets = list(clones[-1].mount.glob("tickets/*/*.yaml"))
    assert tickets
    assert all(path.read_bytes().endswith(STAMP) for path in tickets)
    git(clones[0].folder.parent / "hub0.git", "fsck", "--strict")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("seed", "steps"), [(1, 60), (2, 60), *(pytest.param(seed, 400, marks=pytest.mark.long) for seed in range(10))]
)
def test_programs_of_two_numbers_converge_to_what_the_newer_renders(tmp_path: Path, seed: int, steps: int) -> None:
    rng = random.Random(seed)
    with closing(a_company(tmp_path, 4)) as clones:
        for step in random_work.random_steps(rng, 4, steps, exchange=0.2):
            with in_its_program(step.clone % len(clones)):
                random_work.do(clones, step)
        come_together(clones, rng)


@pytest.mark.timeout(300)
def test_older_clones_among_themselves_make_no_endless_commits(tmp_path: Path) -> None:
    rng = random.Random(7)
    with closing(a_company(tmp_path, 4)) as clones:
        for step in random_work.random_steps(rng, 4, 50, exchange=0.2):
            with in_its_program(step.clone % len(clones)):
                random_work.do(clones, step)
        come_together(clones, rng)
        before = files_of(clones[0])
        with closing(clones[2:]) as older:
            for step in random_work.random_steps(rng, 2, 30, exchange=0.3):
                random_work.do(older, step)
            for one in older:
                one.absorb()
            written = set().union(*(one.events() for one in older))
            for _ in range(3):
                for one in older:
                    one.sync()
            assert len({one.tip for one in older}) == 1
            tip = older[0].tip
            for one in older:
                one.sync()
            assert {one.tip for one in older} == {tip}, "idle clones made a commit"
            assert all(one.events() == written for one in older)
            assert files_of(older[0]) == before, "an older program changed a computed file"


def files_of(one: Clone) -> list[str]:
    """Return every file of the branch but the ledger, with its content's id."""
    return [line for line in git(one.folder, "ls-tree", "-r", one.tip).splitlines() if "\tledger/" not in line]
