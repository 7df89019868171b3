"""Upkeep: loose objects are packed in the background when there are many, and nothing is ever deleted."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exo_sidecar.git import upkeep
from exo_sidecar.git.locate import locate
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.git.settings import GitSettings
from tests.support.repositories import a_repository, git

WAIT_SECONDS = 30.0
MONTH_SECONDS = 31 * 24 * 3600


def littered(folder: Path, *, auto: str = "10") -> tuple[Path, list[Oid]]:
    """Make a repository with many loose objects that nothing names, months old; return its git directory and them."""
    top = a_repository(folder)
    git(top, "config", "gc.auto", auto)
    git(top, "config", "maintenance.auto", "true")
    objects = Repository(locate(top)).objects
    oids = objects.write([("blob", b"object %d" % number) for number in range(600)], durable=False)
    old = time.time() - MONTH_SECONDS
    for oid in oids:
        os.utime(top / ".git" / "objects" / oid[:2] / oid[2:], (old, old))
    return top / ".git", oids


def loose(common: Path) -> int:
    """Return how many loose objects git counts."""
    return int(git(common, "count-objects").split()[0])


def waited(done: Callable[[], bool]) -> bool:
    """Return whether it came true in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)
    return done()


def started(common: Path) -> bool:
    """Ask for upkeep as a call does that has just written, with a threshold that a test can reach."""
    return upkeep.start_when_due(common, GitSettings(common), least=0)


def test_many_loose_objects_are_packed_and_every_one_is_still_there(tmp_path: Path) -> None:
    common, oids = littered(tmp_path)
    assert started(common)
    assert waited(lambda: loose(common) == 0)
    with contextlib.closing(Objects(common)) as objects:
        assert all(objects.contains(oid) for oid in oids), "an object was pruned"
        assert objects.read(oids[7]).data == b"object 7"
    assert waited(lambda: not (common / "objects" / "maintenance.lock").exists())
    assert git(common, "fsck", "--no-dangling") == ""


def test_it_is_not_started_again_at_once(tmp_path: Path) -> None:
    common, _ = littered(tmp_path)
    assert started(common)
    assert not started(common)
    past = time.time() - upkeep.PAUSE_SECONDS - 1
    assert waited(lambda: loose(common) == 0)
    Objects(common).write([("blob", b"again %d" % number) for number in range(600)], durable=False)
    os.utime(common / "exo" / "packed", (past, past))
    assert started(common)


@pytest.mark.parametrize("settings", [("gc.auto", "0"), ("gc.auto", "-1"), ("maintenance.auto", "false")])
def test_an_owner_who_wants_none_gets_none(tmp_path: Path, settings: tuple[str, str]) -> None:
    common, _ = littered(tmp_path)
    git(common, "config", *settings)
    assert not started(common)
    assert not (common / "exo" / "packed").exists()


def test_an_owner_who_tolerates_more_is_obeyed(tmp_path: Path) -> None:
    common, _ = littered(tmp_path, auto="1m")
    assert not started(common)


def test_few_loose_objects_are_left_alone_without_a_look_at_the_settings(tmp_path: Path) -> None:
    common = a_repository(tmp_path) / ".git"
    (common / "config").write_text("[this is no configuration")
    assert not upkeep.start_when_due(common, GitSettings(common))
