"""Two processes of one clone that sync at once: the one that fetched earlier has lost nothing."""

import pathlib

import pytest

from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.store.store import Store
from exo_sidecar.sync import sync
from tests.support.working import a_shop


def test_a_tip_that_was_fetched_before_another_process_merged_a_younger_one_is_no_rewind(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2)
    older = shop.tip(0)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    shop.ok(0, "sync")
    really = sync.look

    def slow(store: Store, remote: Remote, *, timeout_seconds: float) -> Oid | None:
        monkeypatch.setattr(sync, "look", really)
        really(store, remote, timeout_seconds=timeout_seconds)
        shop.ok(1, "sync")
        return Oid(older)

    monkeypatch.setattr(sync, "look", slow)
    shop.ok(1, "ticket-edit", "T2", "--note", "own news")
    assert shop.ok(1, "sync")["pushed_events"] == 0
    shop.ok(0, "sync")
    assert shop.tip(0) == shop.tip(1)
    assert shop.ok(1, "audit")["verdict"] == "pass"
