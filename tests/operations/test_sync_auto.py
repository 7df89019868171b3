"""`sync.auto: always`: what writes is pushed by the same call, and a silent remote costs a warning."""

from pathlib import Path

import pytest

from tests.support.clones import BRANCH
from tests.support.repositories import git
from tests.support.working import Shop, a_shop


def an_eager_shop(folder: Path, mode: str = "always", clones: int = 1) -> Shop:
    """Make a shop whose clones sync by themselves in this way."""
    shop = a_shop(folder, clones)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("auto: lifecycle", f"auto: {mode}"))
    for number in range(clones):
        shop.ok(number, "sync")
    return shop


def on_hub(shop: Shop) -> str:
    """Return the governance branch's commit on the hub."""
    assert shop.hub is not None
    return git(shop.hub, "rev-parse", f"refs/heads/{BRANCH}")


def test_an_operation_that_writes_pushes_what_it_wrote(tmp_path: Path) -> None:
    shop = an_eager_shop(tmp_path)
    before = shop.tip()
    ran = shop.exo(0, "ticket-edit", "T1", "--note", "news")
    assert (ran.exit, ran.answer["warnings"]) == (0, [])
    assert on_hub(shop) == shop.tip() != before


def test_what_others_pushed_meanwhile_is_merged_first(tmp_path: Path) -> None:
    shop = an_eager_shop(tmp_path, clones=2)
    shop.ok(0, "ticket-edit", "T1", "--note", "mine")
    shop.ok(1, "ticket-edit", "T2", "--note", "yours")
    assert on_hub(shop) == shop.tip(1)
    assert shop.ok(1, "ticket-show", "T1")["ticket"]["notes"] == ["mine"]


@pytest.mark.parametrize("mode", ["lifecycle", "off"])
def test_in_the_other_modes_an_edit_stays_here(tmp_path: Path, mode: str) -> None:
    shop = an_eager_shop(tmp_path, mode)
    before = on_hub(shop)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    assert on_hub(shop) == before != shop.tip()


@pytest.mark.parametrize("command", ["next --offline", "ticket-edit T1 --note x --dry-run"])
def test_a_call_that_may_not_or_did_not_write_pushes_nothing(tmp_path: Path, command: str) -> None:
    shop = an_eager_shop(tmp_path)
    before = on_hub(shop)
    shop.ok(0, *command.split())
    assert on_hub(shop) == before


def test_a_hub_that_is_gone_is_a_warning_and_the_next_call_makes_up_for_it(tmp_path: Path) -> None:
    shop = an_eager_shop(tmp_path)
    away = shop.lose_hub()
    ran = shop.exo(0, "ticket-edit", "T1", "--note", "news")
    assert ran.exit == 0
    assert [each["code"] for each in ran.answer["warnings"]] == ["REMOTE_UNREACHABLE"]
    assert shop.hub is not None
    away.rename(shop.hub)
    shop.ok(0, "ticket-edit", "T2", "--note", "more")
    assert on_hub(shop) == shop.tip()


def test_a_hub_that_was_rewound_is_a_warning_of_an_edit_that_went_well(tmp_path: Path) -> None:
    shop = an_eager_shop(tmp_path, clones=2)
    earlier = on_hub(shop)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    shop.ok(1, "sync")
    assert shop.hub is not None
    other = git(shop.hub, "commit-tree", f"{earlier}^{{tree}}", "-p", earlier, "-m", "rewound")
    git(shop.hub, "update-ref", f"refs/heads/{BRANCH}", other)
    ran = shop.exo(1, "ticket-edit", "T2", "--note", "mine")
    assert ran.exit == 0
    assert [each["code"] for each in ran.answer["warnings"]] == ["SYNC_REFUSED"]
    assert shop.ok(1, "ticket-show", "T2")["ticket"]["notes"] == ["mine"]


def test_a_call_that_reads_asks_nobody(tmp_path: Path) -> None:
    shop = an_eager_shop(tmp_path)
    shop.lose_hub()
    for command in (("status",), ("ticket-list",), ("audit",)):
        assert shop.exo(0, *command).answer["warnings"] == []
