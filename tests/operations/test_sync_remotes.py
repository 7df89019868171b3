"""Several remotes: one `exo sync` goes through all of them, and each alone may be missing, silent or damaged."""

import shutil
from pathlib import Path
from typing import Any

from tests.support.clones import BRANCH
from tests.support.inprocess import exo_in_process
from tests.support.repositories import git
from tests.support.working import Shop, a_shop


def with_backup(shop: Shop) -> Path:
    """Give every clone a second remote, `backup`, and name both in the settings; return its folder."""
    assert shop.hub is not None
    backup = shop.hub.with_name("backup.git")
    git(shop.hub.parent, "init", "-q", "--bare", "-b", "main", str(backup))
    for clone in shop.clones:
        git(clone, "remote", "add", "backup", str(backup))
    set_sync(shop, "remotes: [origin, backup]")
    for number in range(len(shop.clones)):
        shop.ok(number, "sync")
    return backup


def set_sync(shop: Shop, line: str) -> None:
    """Say in the settings whom to sync with."""
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("remotes: []", line))
    shop.ok(0, "sync", "--remote", "origin")


def tip_at(hub: Path) -> str:
    """Return the governance branch's commit at a hub."""
    return git(hub, "rev-parse", f"refs/heads/{BRANCH}")


def by_name(result: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the summaries of a sync by remote."""
    return {each["remote"]: each for each in result["remotes"]}


def test_one_sync_leaves_every_remote_with_everything(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    backup = with_backup(shop)
    assert shop.hub is not None
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    done = shop.ok(0, "sync")
    assert tip_at(backup) == tip_at(shop.hub) == shop.tip()
    assert (done["remote"], done["pushed_events"], done["ahead"], done["behind"]) == ("origin", 1, 0, 0)
    told = {name: (each["state"], each["pushed_events"]) for name, each in by_name(done).items()}
    assert told == {"origin": ("done", 1), "backup": ("done", 1)}


def test_what_a_later_remote_brought_is_taken_to_the_earlier_ones_by_the_same_call(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    backup = with_backup(shop)
    assert shop.hub is not None
    shop.ok(1, "ticket-edit", "T2", "--note", "only at the backup")
    shop.ok(1, "sync", "--remote", "backup")
    done = shop.ok(0, "sync")
    assert tip_at(backup) == tip_at(shop.hub) == shop.tip()
    told = by_name(done)
    assert (told["backup"]["fetched_events"], told["origin"]["pushed_events"]) == (1, 1)
    assert {(each["ahead"], each["behind"]) for each in told.values()} == {(0, 0)}


def test_a_single_remote_is_told_as_ever_and_the_flag_means_that_one_alone(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.ok(0, "sync")["remotes"] == []
    backup = with_backup(shop)
    before = tip_at(backup)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    done = shop.ok(0, "sync", "--remote", "origin")
    assert (done["remote"], done["remotes"]) == ("origin", [])
    assert tip_at(backup) == before


def test_a_remote_that_this_clone_does_not_have_is_a_warning(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    with_backup(shop)
    git(shop.clones[0], "remote", "remove", "backup")
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    ran = shop.exo(0, "sync")
    assert (ran.exit, ran.data["pushed_events"]) == (0, 1)
    assert [each["message"] for each in ran.answer["warnings"] if each["code"] == "NO_REMOTE"]


def test_one_that_does_not_answer_is_a_warning_and_the_others_get_everything(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    backup = with_backup(shop)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    away = shop.lose_hub()
    ran = shop.exo(0, "sync")
    assert ran.exit == 0, ran.out
    told = by_name(ran.data)
    assert (told["origin"]["state"], told["origin"]["code"]) == ("failed", "REMOTE_UNREACHABLE")
    assert (told["backup"]["state"], told["backup"]["pushed_events"]) == ("done", 1)
    assert any(each["code"] == "REMOTE_UNREACHABLE" and "origin" in each["message"] for each in ran.answer["warnings"])
    assert tip_at(backup) == shop.tip()
    shutil.move(away, str(shop.hub))
    assert shop.ok(0, "sync")["pushed_events"] == 1


def test_when_none_answers_the_call_fails(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    backup = with_backup(shop)
    shop.lose_hub()
    shutil.rmtree(backup)
    error = shop.fails(0, "sync")
    assert (error["exit"], error["code"]) == (8, "REMOTE_UNREACHABLE")


def test_a_remote_that_lost_events_is_refused_and_the_others_get_everything(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    backup = with_backup(shop)
    assert shop.hub is not None
    earlier = tip_at(shop.hub)
    shop.ok(1, "ticket-edit", "T1", "--note", "news")
    shop.ok(1, "sync")
    shop.ok(0, "sync")
    git(shop.hub, "update-ref", f"refs/heads/{BRANCH}", earlier)
    shop.ok(0, "ticket-edit", "T1", "--note", "more news")
    error = shop.fails(0, "sync")
    assert (error["exit"], error["code"]) == (7, "SYNC_REFUSED")
    assert tip_at(shop.hub) == earlier
    assert tip_at(backup) == shop.tip()


def test_lifecycle_operations_go_to_the_remote_of_the_leases_alone(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    backup = with_backup(shop)
    before = tip_at(backup)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    assert shop.hub is not None
    assert tip_at(shop.hub) == shop.tip() != before
    assert tip_at(backup) == before


def test_the_page_names_every_remote(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    with_backup(shop)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    shop.lose_hub()
    ran = exo_in_process(shop.clones[0], "sync")
    page = ran.out
    assert ran.exit == 0, ran.err
    assert "backup: 0 events came, 1 event went" in page
    assert "origin: " in page


def test_a_lock_that_a_killed_server_left_on_the_hub_is_told_from_others_who_are_faster(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.hub is not None
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("max_rounds: 8", "max_rounds: 2"))
    shop.ok(0, "sync")
    lock = shop.hub / "refs" / "heads" / f"{BRANCH}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    error = shop.fails(0, "sync")
    assert (error["exit"], error["code"]) == (5, "SYNC_CONTENDED")
    assert f"refs/heads/{BRANCH}.lock" in error["hint"]
    lock.unlink()
    assert shop.ok(0, "sync")["pushed_events"] == 1
