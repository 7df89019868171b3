"""sidecar-compact: git's history begins anew, the ledger does not, and every clone follows with what it has."""

from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.git.repository import Repository
from exo_sidecar.store.governed import governed
from exo_sidecar.sync import compaction, lineage
from exo_sidecar.sync import sync as syncing
from tests.operations.test_sync import hub_tip
from tests.support.clones import BRANCH
from tests.support.inprocess import exo_in_process
from tests.support.repositories import a_clone, git
from tests.support.working import Shop, a_lone_shop, a_shop

COMPACT = ("sidecar-compact", "--reason", "too long", "--yes")


def commits(folder: Path) -> int:
    """Return how many commits the governance branch has in a repository."""
    return int(git(folder, "rev-list", "--count", BRANCH))


def test_the_branch_has_one_commit_with_the_same_files_here_and_on_the_hub(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    tree, before = git(shop.clones[0], "rev-parse", f"{BRANCH}^{{tree}}"), shop.tip()
    done = shop.ok(0, *COMPACT)
    assert (done["previous_tip"], done["tip"], done["remotes"]) == (before, shop.tip(), ["origin"])
    assert hub_tip(shop) == shop.tip()
    assert shop.commits() == 1
    assert git(shop.clones[0], "rev-parse", f"{BRANCH}^{{tree}}") == tree
    assert done["size_after"] < done["size_before"]
    assert "too long" in git(shop.clones[0], "log", "-1", "--format=%B", BRANCH)
    assert git(shop.clones[0], "-C", ".exo", "status", "--porcelain") == ""
    assert shop.ok(0, "audit")["verdict"] == "pass"
    tip = shop.tip()
    assert shop.ok(0, *COMPACT)["tip"] == tip
    assert "one commit already" in exo_in_process(shop.clones[0], *COMPACT).out
    shop.ok(0, "ticket-edit", "T1", "--note", "and on")
    shop.ok(0, "sync")
    assert commits(shop.clones[0]) == 2


def test_other_clones_follow_also_with_events_of_their_own(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=3)
    shop.ok(1, "ticket-edit", "T1", "--note", "not pushed yet")
    done = shop.ok(0, *COMPACT)
    shop.ok(0, "ticket-edit", "T2", "--note", "after")
    shop.ok(0, "sync")
    for number in (1, 2, 0, 1):
        shop.ok(number, "sync")
    assert shop.tip(0) == shop.tip(1) == shop.tip(2) == hub_tip(shop)
    for number in range(3):
        assert git(shop.clones[number], "rev-list", "--max-parents=0", BRANCH) == done["tip"]
        assert shop.ok(number, "ticket-show", "T1")["ticket"]["notes"] == ["not pushed yet"]
        assert shop.ok(number, "audit")["verdict"] == "pass"
    tip = shop.tip()
    shop.ok(2, "sync")
    assert shop.tip(2) == tip


def test_leases_and_sessions_go_on(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "session-start", "--ticket-id", "T1")
    shop.ok(0, *COMPACT)
    (held,) = shop.ok(0, "leases")["items"]
    assert (held["ticket"], held["state"]) == ("TICKET-T1", "held")
    shop.ok(1, "lease-heartbeat")
    assert shop.ok(1, "session-finish", "--summary", "did it")["released_lease"]
    shop.ok(0, "sync")
    assert shop.status(0, "T1") == "review"
    assert shop.ok(0, "next")["ticket_id"] == "TICKET-T2"


@pytest.mark.parametrize(
    "go_on", [COMPACT, ("sync",), ("session-start", "--ticket-id", "T1")], ids=lambda each: each[0]
)
def test_killed_before_the_hub_heard_of_it_the_next_call_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go_on: tuple[str, ...]
) -> None:
    shop = a_shop(tmp_path, clones=2)
    before = hub_tip(shop)
    first = git(shop.clones[0], "rev-list", "--max-parents=0", BRANCH)

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    begin = compaction.begin

    def begun(*args: object) -> object:
        monkeypatch.setattr(syncing, "pull", killed)
        return begin(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as dying:
        dying.setattr(compaction, "begin", begun)
        with pytest.raises(SystemExit):
            shop.exo(0, *COMPACT)
    monkeypatch.undo()
    assert (hub_tip(shop), shop.commits()) == (before, 1)
    shop.ok(1, "ticket-edit", "T2", "--note", "meanwhile")
    shop.ok(1, "sync")
    shop.ok(0, *go_on)
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    shop.ok(0, "sync")
    assert shop.tip(0) == shop.tip(1) == hub_tip(shop)
    assert git(shop.clones[1], "rev-list", "--max-parents=0", BRANCH).splitlines() != [first]
    assert shop.commits() < 8
    assert shop.ok(0, "ticket-show", "T2")["ticket"]["notes"] == ["meanwhile"]


def test_a_hub_that_forbids_it_keeps_its_history_and_so_does_the_clone(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.hub is not None
    git(shop.hub, "config", "receive.denyNonFastForwards", "true")
    before = (shop.tip(), hub_tip(shop))
    error = shop.fails(0, *COMPACT)
    assert (error["exit"], error["code"]) == (8, "REMOTE_DENIED")
    assert "denyNonFastForwards" in error["hint"]
    assert (shop.tip(), hub_tip(shop)) == before
    shop.ok(0, "ticket-edit", "T1", "--note", "and on")
    assert shop.ok(0, "sync")["pushed_events"] == 1
    assert git(shop.clones[0], "-C", ".exo", "status", "--porcelain") == ""


def test_a_second_hub_with_the_old_history_gives_way_and_loses_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    assert shop.hub is not None
    second = tmp_path / "second.git"
    git(tmp_path, "clone", "-q", "--bare", str(shop.hub), str(second))
    for clone in shop.clones:
        git(clone, "remote", "add", "second", str(second))
    shop.ok(1, "ticket-edit", "T2", "--note", "only at the second")
    shop.ok(1, "sync", "--remote", "second")
    done = shop.ok(0, *COMPACT)
    shop.ok(0, "sync", "--remote", "second")
    assert git(second, "rev-list", "--max-parents=0", BRANCH) == done["tip"]
    assert shop.ok(0, "ticket-show", "T2")["ticket"]["notes"] == ["only at the second"]
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    assert git(shop.clones[1], "rev-list", "--max-parents=0", BRANCH) == done["tip"]
    assert shop.ok(1, "audit")["verdict"] == "pass"


def test_without_a_remote_it_is_this_clones_alone(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    done = shop.ok(0, *COMPACT)
    assert (done["remotes"], shop.commits()) == ([], 1)
    assert not (shop.clones[0] / ".git" / "exo" / "compacting").exists()


def test_only_a_person_does_it_and_says_why_and_a_dry_run_does_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    before = (shop.tip(), hub_tip(shop))
    error = shop.fails(0, *COMPACT, env={"CLAUDECODE": "1"})
    assert (error["exit"], error["code"]) == (1, "HUMAN_REQUIRED")
    assert shop.fails(0, "sidecar-compact", "--reason", " ", "--yes")["code"] == "REASON_REQUIRED"
    assert shop.fails(0, *COMPACT, "--offline")["code"] == "OFFLINE"
    told = shop.ok(0, "sidecar-compact", "--reason", "x", "--dry-run")
    assert told["size_after"] < told["size_before"]
    assert (shop.tip(), hub_tip(shop)) == before


def test_a_fresh_clone_finds_its_way_and_compacts_again(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.hub is not None
    shop.ok(0, *COMPACT)
    fresh = Shop((a_clone(shop.hub, "fresh"),), shop.hub, shop.tickets)
    fresh.ok(0, "init")
    fresh.ok(0, "ticket-edit", "T1", "--note", "from a fresh one")
    done = fresh.ok(0, *COMPACT)
    shop.ok(0, "sync")
    assert shop.tip() == done["tip"]
    place = governed(Repository(locate(shop.clones[0])))
    tip = place.tip()
    assert tip is not None
    assert lineage.generation(place.repository.objects, tip) == 2
