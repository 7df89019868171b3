"""Another branch in the mount: writers refuse with the way back, readers go on, a renamed one is taken on request."""

from pathlib import Path

from tests.support.repositories import git
from tests.support.working import a_lone_shop


def test_a_branch_of_code_that_is_checked_out_in_the_mount_gets_no_record(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    clone = shop.clones[0]
    git(clone, "branch", "feature")
    code = git(clone, "rev-parse", "feature")
    governed = shop.tip()
    git(clone, "-C", ".exo", "checkout", "-q", "feature")
    for words in (("ticket-edit", "T1", "--note", "x"), ("next",), ("session-start", "--ticket-id", "T1")):
        error = shop.fails(0, *words)
        assert (error["exit"], error["code"]) == (8, "SIDECAR_BRANCH_MISMATCH"), error
        assert "switch exo-governance" in error["hint"]
    assert shop.ok(0, "ticket-list")["count"] > 0
    assert shop.ok(0, "status")["branch"] == "exo-governance"
    assert (git(clone, "rev-parse", "feature"), shop.tip()) == (code, governed)
    git(clone, "-C", ".exo", "switch", "-q", "exo-governance")
    shop.ok(0, "ticket-edit", "T1", "--note", "x")


def test_a_governed_branch_that_was_renamed_is_taken_when_a_person_says_so(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    git(shop.clones[0], "branch", "-m", "exo-governance", "governance")
    error = shop.fails(0, "ticket-edit", "T1", "--note", "x")
    assert "sidecar-init --branch governance" in error["hint"]
    shop.ok(0, "sidecar-init", "--branch", "governance", "--no-fetch-remote")
    shop.ok(0, "ticket-edit", "T1", "--note", "x")
    assert shop.ok(0, "ticket-show", "T1")["ticket"]["notes"] == ["x"]
