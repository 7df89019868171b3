"""Where a session works: the ticket's branch named, checked out, or in a worktree of its own."""

from pathlib import Path

from tests.support.inprocess import exo_in_process
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop

ALICE, BOB = {"EXO_ACTOR": "agent:alice"}, {"EXO_ACTOR": "agent:bob"}


def branch_of(folder: Path) -> str:
    """Return the branch that is checked out."""
    return git(folder, "branch", "--show-current")


def set_branches(shop: Shop, mode: str, prefix: str) -> None:
    """Let the settings say what a start does about branches."""
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(f'{config.read_text()}\nsessions:\n  branch: {mode}\n  branch_prefix: "{prefix}"\n')
    shop.ok(0, "trust", "--actor", "human:ann")


def test_switch_checks_the_tickets_branch_out_in_a_clean_checkout(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    main = shop.clones[0]
    tip = git(main, "rev-parse", "main")
    git(main, "switch", "-q", "-c", "elsewhere")
    commit_files(main, {"other.txt": "other\n"}, "other")
    started = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "switch")
    assert started["branch"] == {"wanted": "exo/TICKET-T1", "actual": "exo/TICKET-T1", "reason": None}
    assert (branch_of(main), started["session"]["base"]) == ("exo/TICKET-T1", tip)
    assert started["session"]["branch"] == "exo/TICKET-T1"
    assert started["worktree"] == str(main)
    shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo")
    git(main, "switch", "-q", "main")
    again = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "switch")
    assert again["branch"]["actual"] == branch_of(main) == "exo/TICKET-T1"


def test_switch_leaves_a_dirty_checkout_alone_and_says_what_is_checked_out(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    write_files(shop.clones[0], {"half.txt": "half\n"})
    started = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "switch")
    assert (started["branch"]["wanted"], started["branch"]["actual"]) == ("exo/TICKET-T1", "main")
    assert "not committed" in started["branch"]["reason"]
    assert branch_of(shop.clones[0]) == "main"
    assert started["session"]["branch"] == "main"


def test_switch_writes_over_no_ignored_file_and_leaves_a_detached_head_alone(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    main = shop.clones[0]
    git(main, "switch", "-q", "-c", "exo/TICKET-T1")
    commit_files(main, {"local.env": "theirs\n"}, "a file")
    git(main, "switch", "-q", "main")
    exclude = main / ".git/info/exclude"
    exclude.write_text(exclude.read_text() + "/local.env\n")
    write_files(main, {"local.env": "mine\n"})
    started = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "switch")
    assert (branch_of(main), (main / "local.env").read_text()) == ("main", "mine\n")
    assert "git did not switch" in started["branch"]["reason"]
    shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo")
    git(main, "switch", "-q", "--detach")
    started = shop.ok(0, "session-start", "--ticket-id", "T2", "--branch", "switch")
    assert (started["branch"]["actual"], "detached" in started["branch"]["reason"]) == (None, True)


def test_a_start_that_is_refused_takes_its_switch_back(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "session-start", "--ticket-id", "T1", env=BOB)
    error = shop.fails(0, "session-start", "--ticket-id", "T1", "--branch", "switch", env=ALICE)
    assert error["code"] == "LEASE_HELD"
    assert branch_of(shop.clones[0]) == "main"
    error = shop.fails(0, "session-start", "--ticket-id", "T1", "--branch", "worktree", env=ALICE)
    assert error["code"] == "LEASE_HELD"
    assert git(shop.clones[0], "branch", "--list", "exo/*") == ""
    assert len(git(shop.clones[0], "worktree", "list").splitlines()) == 2  # the checkout and the mount


def test_worktree_lets_the_session_work_in_a_checkout_of_its_own(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    main = shop.clones[0]
    write_files(main, {"half.txt": "half\n"})
    first = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "worktree", env=ALICE)
    folder = Path(first["worktree"])
    assert folder == main.parent / f"{main.name}-TICKET-T1"
    assert first["branch"] == {"wanted": "exo/TICKET-T1", "actual": "exo/TICKET-T1", "reason": None}
    assert str(folder) in first["bootstrap_prompt"]
    assert (branch_of(main), branch_of(folder)) == ("main", "exo/TICKET-T1")
    assert (main / "half.txt").exists()
    again = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "worktree", env=ALICE)
    assert (again["session"]["id"], again["reused"]) == (first["session"]["id"], True)
    second = shop.ok(0, "session-start", "--ticket-id", "T2", "--branch", "worktree", env=BOB)
    assert Path(second["worktree"]) != folder
    page = exo_in_process(main, "session-start", "--ticket-id", "T2", "--branch", "worktree", env=BOB).out
    (row,) = [line for line in page.splitlines() if line.startswith("worktree ")]
    assert row.endswith(second["worktree"])
    third = shop.fails(0, "session-start", "--ticket-id", "T2", env=ALICE)
    assert third["code"] == "LEASE_HELD"
    commit_files(folder, {"work.txt": "work\n"}, "work")
    ran = exo_in_process(folder, "session-finish", "--summary", "done", "--json", env=ALICE)
    assert (ran.exit, ran.data["session_id"], len(ran.data["commits"])) == (0, first["session"]["id"], 1)
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_a_reservation_of_this_checkout_is_adopted_in_the_tickets_worktree(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    reserved = shop.ok(0, "next", env=ALICE)
    started = shop.ok(0, "session-start", "--branch", "worktree", env=ALICE)
    assert started["session"]["id"] == reserved["session_id"]
    assert started["worktree"].endswith(started["session"]["ticket"])


def test_a_worktree_that_cannot_be_made_refuses_the_start_and_nothing_is_claimed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    main = shop.clones[0]
    write_files(main.parent / f"{main.name}-TICKET-T1", {"mine.txt": "mine\n"})
    error = shop.fails(0, "session-start", "--ticket-id", "T1", "--branch", "worktree")
    assert error["code"] == "WORKTREE_PATH_BUSY"
    assert shop.status(0, "T1") == "todo"
    assert shop.ok(0, "leases")["items"] == []


def test_a_dry_run_of_each_way_changes_no_checkout(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    for way in ("switch", "worktree"):
        ran = shop.exo(0, "session-start", "--ticket-id", "T1", "--branch", way, "--dry-run")
        assert ran.exit == 0, ran.out
        assert "exo/TICKET-T1" in ran.out
        assert branch_of(shop.clones[0]) == "main"
    assert git(shop.clones[0], "branch", "--list", "exo/*") == ""
    assert len(git(shop.clones[0], "worktree", "list").splitlines()) == 2


def test_a_start_that_is_to_share_no_file_is_refused_where_a_scope_overlaps(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    for ticket, scope in (("T1", "src/**"), ("T2", "src/app.py"), ("T3", "docs/**")):
        shop.ok(0, "ticket-edit", ticket, "--add-scope-allow", scope, "--remove-scope-allow", "**")
    shop.ok(0, "sync")
    holder = shop.ok(1, "session-start", "--ticket-id", "T1", env=BOB)["session"]["id"]
    error = shop.fails(0, "session-start", "--ticket-id", "T2", "--require-disjoint", env=ALICE)
    assert (error["code"], error["exit"]) == ("SCOPE_OVERLAP", 1)
    assert error["details"]["session"] == holder
    assert [item["ticket"] for item in shop.ok(0, "leases")["items"]] == ["TICKET-T1"]
    shop.ok(0, "session-start", "--ticket-id", "T3", "--require-disjoint", env=ALICE)
    assert shop.ok(0, "session-start", "--ticket-id", "T2", "--branch", "worktree", env=BOB)["worktree"]


def test_the_settings_say_what_a_start_does_and_the_call_may_say_otherwise(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    set_branches(shop, "switch", "work/")
    off = shop.ok(0, "session-start", "--ticket-id", "T1", "--branch", "off")
    assert (off["branch"]["wanted"], branch_of(shop.clones[0])) == (None, "main")
    shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo")
    started = shop.ok(0, "session-start", "--ticket-id", "T1")
    assert started["branch"]["actual"] == branch_of(shop.clones[0]) == "work/TICKET-T1"
