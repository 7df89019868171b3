"""What a call that wrote is the occasion for: objects that have gathered are packed, and nothing is lost by it."""

import functools
import time
from pathlib import Path

import pytest

from exo_sidecar.git import upkeep
from tests.support.repositories import git
from tests.support.wholeness import check_whole
from tests.support.working import Shop, a_shop

WAIT_SECONDS = 30.0


def a_shop_soon_full(folder: Path, patch: pytest.MonkeyPatch) -> Shop:
    """Make a shop in which few loose objects are many, and upkeep is due at once."""
    shop = a_shop(folder)
    git(shop.clones[0], "config", "gc.auto", "1")
    git(shop.clones[0], "config", "maintenance.auto", "true")
    patch.setattr(upkeep, "start_when_due", functools.partial(upkeep.start_when_due, least=0))
    patch.setattr(upkeep, "PAUSE_SECONDS", 0.0)
    return shop


def loose(clone: Path) -> int:
    """Return how many loose objects git counts."""
    return int(git(clone, "count-objects").split()[0])


def test_work_goes_on_while_and_after_objects_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop_soon_full(tmp_path, monkeypatch)
    clone = shop.clones[0]
    shop.ok(0, "session-start", "--ticket-id", "T1")
    for number in range(12):
        shop.ok(0, "ticket-edit", "T1", "--note", f"note {number}")
    packs = clone / ".git" / "objects" / "pack"
    deadline = time.monotonic() + WAIT_SECONDS
    while not (any(packs.glob("*.pack")) and loose(clone) < 60) and time.monotonic() < deadline:
        shop.ok(0, "ticket-edit", "T2", "--note", "more")
    assert any(packs.glob("*.pack"))
    assert loose(clone) < 60, "loose objects are not bounded"
    shop.ok(0, "session-finish", "--summary", "done")
    shop.ok(0, "sync")
    assert shop.ok(0, "ticket-show", "T1")["ticket"]["notes"] == [f"note {number}" for number in range(12)]
    assert shop.ok(0, "audit")["verdict"] == "pass"
    while (clone / ".git" / "objects" / "maintenance.lock").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    check_whole(clone)


def test_only_what_wrote_is_an_occasion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path)
    asked: list[Path] = []
    monkeypatch.setattr(upkeep, "start_when_due", lambda common, _: asked.append(common))
    for command in (("status",), ("ticket-list",), ("ticket-edit", "T1", "--note", "x", "--dry-run")):
        shop.ok(0, *command)
    assert asked == []
    shop.ok(0, "ticket-edit", "T1", "--note", "x")
    assert asked == [shop.clones[0] / ".git"]


def test_a_repository_that_cannot_be_looked_after_does_not_fail_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path)

    def refuse(*_: object) -> bool:
        raise PermissionError

    monkeypatch.setattr(upkeep, "start_when_due", refuse)
    assert shop.exo(0, "ticket-edit", "T1", "--note", "x").exit == 0
