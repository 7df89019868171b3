"""A remote whose ledger lost what was verified: refused everywhere, and taken only by a person who says why."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exo_sidecar.sync import patience
from exo_sidecar.sync import sync as syncing
from tests.operations.test_sync import assert_refused, chain_of, hub_tip, rewrite_hub, segment, set_hub
from tests.support.repositories import git
from tests.support.working import Shop, a_shop


def a_rewound_shop(folder: Path) -> tuple[Shop, str, str]:
    """Make two clones that have verified what the hub has lost since; return the hub's tips before and after."""
    shop = a_shop(folder, clones=2)
    after = hub_tip(shop)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    before = hub_tip(shop)
    set_hub(shop, after)
    return shop, before, after


def test_a_person_takes_a_rewound_branch_and_nothing_is_lost(tmp_path: Path) -> None:
    shop, before, after = a_rewound_shop(tmp_path)
    writer = chain_of(shop, 0)
    shop.ok(1, "ticket-edit", "T2", "--note", "mine")
    done = shop.ok(1, "sync", "--accept-rewrite", "--reason", "the hub was restored from last night")
    assert (done["rewritten"]["before"], done["rewritten"]["after"]) == (before, after)
    (lost,) = done["rewritten"]["lost"]
    assert lost.startswith(f"{writer}:")
    assert done["ahead"] == done["behind"] == 0
    assert hub_tip(shop) == shop.tip(1)
    assert shop.ok(1, "ticket-show", "T1")["ticket"]["notes"] == ["news"]
    (event,) = events(shop, 1, "sync.rewritten")
    assert event["data"] == {
        "remote": "origin",
        "before": before,
        "after": after,
        "reason": "the hub was restored from last night",
        "lost": [lost],
    }
    shop.ok(0, "sync")
    assert shop.ok(0, "ticket-show", "T2")["ticket"]["notes"] == ["mine"]
    assert shop.ok(0, "audit")["verdict"] == "pass"


@pytest.mark.parametrize("what", ["cut", "edited"])
def test_what_a_rewritten_ledger_lost_or_changed_goes_back_to_the_hub(tmp_path: Path, what: str) -> None:
    shop = a_shop(tmp_path, clones=2)
    writer = chain_of(shop, 0)
    whole = segment(shop.clones[0], writer).read_bytes()
    lines = whole.splitlines(keepends=True)
    bad = lines[:-1] if what == "cut" else [*lines[:2], lines[2].replace(b'"human:', b'"human:not-'), *lines[3:]]
    rewrite_hub(shop, {f"ledger/{writer[:2]}/{writer}/000001.jsonl": b"".join(bad)})
    assert_refused(shop, 1, writer, "sync")
    shop.ok(1, "sync", "--accept-rewrite", "--reason", "somebody edited it")
    assert segment(shop.clones[1], writer).read_bytes() == whole
    shop.ok(0, "sync")
    assert shop.tip(0) == shop.tip(1) == hub_tip(shop)
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_only_a_person_takes_it_and_says_why(tmp_path: Path) -> None:
    shop, _, after = a_rewound_shop(tmp_path)
    tip = shop.tip(1)
    error = shop.fails(1, "sync", "--accept-rewrite", "--reason", "x", env={"CLAUDECODE": "1"})
    assert (error["exit"], error["code"]) == (1, "HUMAN_REQUIRED")
    error = shop.fails(1, "sync", "--accept-rewrite")
    assert (error["exit"], error["code"]) == (2, "REASON_REQUIRED")
    assert shop.fails(1, "sync", "--reason", "x")["code"] == "USAGE"
    assert (shop.tip(1), hub_tip(shop)) == (tip, after)


def test_where_nothing_was_rewritten_nothing_is_told_to_the_ledger(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    ran = shop.exo(1, "sync", "--accept-rewrite", "--reason", "to be safe")
    assert (ran.exit, ran.data["rewritten"]) == (0, None)
    assert "NOTHING_REWRITTEN" in {each["code"] for each in ran.answer["warnings"]}
    assert events(shop, 1, "sync.rewritten") == []


def test_a_branch_taken_once_is_refused_again_when_it_loses_something_again(tmp_path: Path) -> None:
    shop, before, after = a_rewound_shop(tmp_path)
    shop.ok(1, "sync", "--accept-rewrite", "--reason", "once")
    shop.ok(1, "sync")
    set_hub(shop, before)
    shop.ok(0, "sync")  # it knows no younger one yet
    shop.ok(1, "sync")
    shop.ok(0, "sync")
    set_hub(shop, after)
    assert_refused(shop, 1, chain_of(shop, 0), "sync")


def test_the_refusal_names_writers_numbers_and_the_way_out_and_stops_what_would_begin(tmp_path: Path) -> None:
    shop, _, after = a_rewound_shop(tmp_path)
    writer, tip = chain_of(shop, 0), shop.tip(1)
    for command in (("sync",), ("sidecar-pull",), ("next",), ("session-start", "--ticket-id", "T2")):
        error = shop.fails(1, *command)
        assert (error["exit"], error["code"]) == (7, "SYNC_REFUSED"), command
        assert f"{writer}:" in error["message"]
        assert "exo sync --accept-rewrite --reason" in error["hint"]
        assert (shop.tip(1), hub_tip(shop)) == (tip, after), command
    assert shop.ok(1, "leases")["items"] == []
    assert shop.ok(1, "status")["initialized"]


def test_work_that_is_done_is_not_undone_by_a_hub_that_was_rewritten_meanwhile(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "session-start", "--ticket-id", "T1")
    shop.ok(0, "sync")
    writer = chain_of(shop, 0)
    lines = segment(shop.clones[0], writer).read_bytes().splitlines(keepends=True)
    rewrite_hub(shop, {f"ledger/{writer[:2]}/{writer}/000001.jsonl": b"".join(lines[:-1])})
    ran = shop.exo(1, "session-finish", "--summary", "did it")
    assert ran.exit == 0, ran.out
    assert "SYNC_REFUSED" in {each["code"] for each in ran.answer["warnings"]}
    assert shop.status(1, "T1") == "review"
    assert_refused(shop, 1, writer, "sync")


def test_a_sync_waits_for_a_remote_that_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    away = shop.lose_hub()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            assert shop.hub is not None
            away.rename(shop.hub)

    monkeypatch.setattr(patience, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    ran = shop.exo(0, "sync", "--wait", "5m")
    assert (ran.exit, ran.data["pushed_events"], len(slept)) == (0, 1, 2)
    assert ran.answer["warnings"] == []


def test_a_sync_gives_up_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = a_shop(tmp_path)
    shop.lose_hub()
    clock = iter(range(0, 1000, 4))
    passing = SimpleNamespace(sleep=lambda _: None, monotonic=lambda: float(next(clock)))
    monkeypatch.setattr(patience, "time", passing)
    error = shop.fails(0, "sync", "--wait", "10s")
    assert (error["exit"], error["code"]) == (8, "REMOTE_UNREACHABLE")
    assert next(clock) <= 20
    assert shop.fails(0, "sync", "--wait", "soon")["code"] == "VALUE_INVALID"
    assert shop.fails(0, "sync", "--wait", "3d")["code"] == "VALUE_INVALID"


def test_waiting_is_for_what_passes_and_for_nothing_else() -> None:
    tries: list[int] = []

    def contended() -> str:
        tries.append(1)
        if len(tries) < 3:
            message = "others were faster"
            raise syncing.SyncContended(message)
        return "done"

    assert patience.patiently(contended, 60) == "done"
    tries.clear()
    with pytest.raises(syncing.SyncContended):
        patience.patiently(contended, 0)
    with pytest.raises(ZeroDivisionError):
        patience.patiently(lambda: 1 // 0, 60)


def events(shop: Shop, number: int, kind: str) -> list[Any]:
    """Return the events of a type in a clone's ledger, as they stand there."""
    files = git(shop.clones[number], "ls-tree", "-r", "--name-only", "exo-governance", "ledger/").splitlines()
    texts = (git(shop.clones[number], "show", f"exo-governance:{name}") for name in files)
    found = [json.loads(line) for text in texts for line in text.splitlines()]
    return [each for each in found if each["type"] == kind]
