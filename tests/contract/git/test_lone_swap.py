"""Refs changed outside a transaction: what a killed process left is cleared, what another one holds is respected."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.base.alone import alone
from exo_sidecar.git import lone_swap
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from tests.support.repositories import a_repository, git

REF = "refs/remotes/origin/exo-governance"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """A repository with one commit."""
    with Repository(locate(a_repository(tmp_path))) as opened:
        yield opened


def tip_of(repository: Repository) -> Oid:
    """Return its commit."""
    return Oid(git(repository.place.common, "rev-parse", "HEAD"))


def test_a_lock_that_a_killed_process_left_does_not_stay(repository: Repository) -> None:
    common, tip = repository.place.common, tip_of(repository)
    proof = common / "exo" / "turns" / "refs%2Fremotes%2Forigin%2Fexo-governance.tmp"
    proof.parent.mkdir(parents=True)
    proof.write_text(f"{tip}\n")
    lock = repository.refs.lock_path(REF)
    lock.parent.mkdir(parents=True)
    os.link(proof, lock)
    assert lone_swap.swap(repository, REF, old=None, new=tip)
    assert git(common, "rev-parse", REF) == tip
    assert (lock.exists(), proof.exists()) == (False, False)


def test_the_lock_of_git_is_respected(repository: Repository) -> None:
    lock = repository.refs.lock_path(REF)
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert not lone_swap.swap(repository, REF, old=None, new=tip_of(repository))
    assert lock.exists()


def test_nobody_is_waited_for(repository: Repository) -> None:
    with alone(repository.place.common / "exo" / "turns" / "turn.lock") as is_alone:
        assert is_alone
        assert not lone_swap.swap(repository, REF, old=None, new=tip_of(repository))
    assert lone_swap.swap(repository, REF, old=None, new=tip_of(repository))
