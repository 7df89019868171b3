"""Suspending and resuming: the work kept safe, the ticket paused, the lease given back and taken again."""

from pathlib import Path

import pytest

from exo_sidecar.operations import session_saving
from tests.support.process import exo_command, parallel
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop

SAVED = "refs/exo/saved/"


def at_work(folder: Path, clones: int = 1) -> tuple[Shop, str]:
    """Return a shop in whose first clone a session works on T1, with one commit and changed files."""
    shop = a_shop(folder, clones=clones)
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    session = str(shop.ok(0, "session-start", "--ticket-id", "T1", "--task", "work")["session"]["id"])
    commit_files(shop.clones[0], {"src/app.py": "print('committed')\n"}, "work")
    write_files(shop.clones[0], {"src/app.py": "print('changed')\n", "notes/new.txt": "new\n"})
    git(shop.clones[0], "add", "src/app.py")
    return shop, session


def changed(shop: Shop) -> str:
    """Return what git finds changed in the first clone's checkout."""
    return git(shop.clones[0], "status", "--porcelain", "-uall")


CHANGED = "M  src/app.py\n?? notes/new.txt"


def test_a_suspended_session_pauses_its_ticket_and_gives_its_lease_back_in_one_commit(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    before = shop.commits()
    found = shop.ok(0, "session-suspend", "--reason", "lunch")
    assert (found["session_id"], found["ticket_id"]) == (session, "TICKET-T1")
    assert (found["previous_status"], found["released_lease"], found["saved_ref"]) == ("active", True, None)
    assert found["uncommitted"] == ["notes/new.txt", "src/app.py"]
    assert found["sync"]["state"] == "done"
    assert changed(shop) == CHANGED
    assert shop.commits() == before + 1
    shop.ok(1, "sync")
    assert shop.status(1, "T1") == "paused"
    assert [item["state"] for item in shop.ok(1, "leases")["items"]] == ["released"]
    page = (shop.clones[1] / ".exo" / found["memento_path"]).read_text()
    assert "## Interruptions" in page
    assert "lunch" in page
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_stashed_work_leaves_the_checkout_clean_and_comes_back_as_it_was(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    found = shop.ok(0, "session-suspend", "--reason", "lunch", "--stash")
    assert found["saved_ref"] == SAVED + session
    assert changed(shop) == ""
    assert (shop.clones[0] / "src/app.py").read_text() == "print('committed')\n"
    assert git(shop.clones[0], "stash", "list") == ""
    again = shop.ok(0, "session-resume", "--pop-stash")
    assert (again["session"]["id"], again["restored"], again["saved_ref"]) == (session, True, None)
    assert again["lease"]["epoch"] == 2
    assert changed(shop) == CHANGED
    assert git(shop.clones[0], "for-each-ref", SAVED) == ""
    assert shop.status(0, "T1") == "active"
    assert "lunch" in again["bootstrap_prompt"]


def test_a_resumed_session_keeps_its_first_base_and_its_history(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    first = git(shop.clones[0], "rev-parse", "main")
    head = git(shop.clones[0], "rev-parse", "HEAD")
    for reason in ("one", "two"):
        shop.ok(0, "session-suspend", "--reason", reason)
        found = shop.ok(0, "session-resume")["session"]
    assert (found["base"], found["part_base"], found["epoch"]) == (first, head, 3)
    assert [each["reason"] for each in found["suspensions"]] == ["one", "two"]
    assert all(each["resumed_at"] for each in found["suspensions"])
    done = shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo")
    assert done["session_id"] == session
    assert done["commits"] == [head]
    shop.ok(0, "sync")
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_a_suspension_needs_a_reason_and_a_session(tmp_path: Path) -> None:
    shop, _ = at_work(tmp_path)
    before = shop.tip()
    assert shop.fails(0, "session-suspend")["code"] == "REASON_REQUIRED"
    assert shop.fails(0, "session-suspend", "--reason", " ")["exit"] == 2
    assert shop.fails(0, "session-suspend", "--reason", "r", "--ticket-id", "T2")["code"] == "SESSION_TICKET_MISMATCH"
    assert shop.fails(0, "session-resume")["code"] == "SESSION_NOT_SUSPENDED"
    assert shop.ok(0, "session-suspend", "--reason", "r", "--stash", "--dry-run")["saved_ref"].startswith(SAVED)
    assert (shop.tip(), changed(shop)) == (before, CHANGED)
    shop.ok(0, "session-suspend", "--reason", "r")
    assert shop.fails(0, "session-suspend", "--reason", "r")["code"] == "SESSION_NOT_ACTIVE"


def test_a_kept_lease_stays_held_and_is_gone_on_with_under_its_own_epoch(tmp_path: Path) -> None:
    shop, _ = at_work(tmp_path, clones=2)
    assert not shop.ok(0, "session-suspend", "--reason", "r", "--keep-lease")["released_lease"]
    assert shop.fails(1, "session-start", "--ticket-id", "T1")["code"] == "LEASE_HELD"
    shop.ok(1, "sync")
    assert shop.fails(1, "ticket-move", "T1", "todo", "--actor", "agent:x")["code"] == "LEASE_HELD"
    assert shop.ok(0, "session-resume")["lease"]["epoch"] == 1


def test_another_session_may_work_in_the_checkout_meanwhile(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    shop.ok(0, "session-suspend", "--reason", "urgent", "--stash")
    shop.ok(0, "session-start", "--ticket-id", "T2")
    assert shop.fails(0, "session-resume", session)["code"] == "SESSION_ALREADY_ACTIVE"
    commit_files(shop.clones[0], {"other.txt": "x\n"})
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo")
    assert shop.ok(0, "session-resume", session, "--pop-stash")["restored"]
    assert changed(shop) == CHANGED


def test_a_session_is_resumed_where_it_was_suspended_unless_told_otherwise(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    git(shop.clones[0], "switch", "-q", "main")
    refused = shop.fails(0, "session-resume")
    assert (refused["code"], refused["exit"]) == ("WORKTREE_MISMATCH", 1)
    assert "exo/TICKET-T1" in refused["message"]
    other = tmp_path / "linked"
    git(shop.clones[0], "worktree", "add", "-q", "-b", "second", str(other))
    linked = Shop((other,), None, shop.tickets)
    assert linked.fails(0, "session-resume")["code"] == "SESSION_NOT_SUSPENDED"
    assert linked.fails(0, "session-resume", session)["code"] == "WORKTREE_MISMATCH"
    assert shop.fails(1, "session-resume", session)["code"] == "WORKTREE_MISMATCH"
    assert linked.ok(0, "session-resume", session, "--here")["session"]["branch"] == "second"
    assert shop.fails(0, "session-resume")["code"] == "SESSION_NOT_SUSPENDED"


def test_a_session_goes_on_in_another_clone_and_the_first_one_forgets_it(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    refused = shop.fails(1, "session-resume", session, "--here", "--pop-stash")
    assert refused["code"] == "STASH_CONFLICT"
    found = shop.ok(1, "session-resume", session, "--here")
    assert found["lease"]["epoch"] == 2
    assert shop.fails(0, "session-resume", session, "--here")["code"] == "SESSION_NOT_SUSPENDED"
    assert shop.fails(0, "session-finish", "--summary", "s")["code"] == "SESSION_NOT_ACTIVE"
    assert shop.ok(1, "session-finish", "--summary", "s")["session_id"] == session
    assert git(shop.clones[0], "for-each-ref", SAVED) != ""


def test_a_ticket_that_another_took_meanwhile_is_not_had(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    assert shop.fails(0, "session-resume", "--pop-stash")["code"] == "LEASE_HELD"
    assert changed(shop) == ""
    shop.ok(1, "session-finish", "--summary", "s", "--set-status", "cancelled", "--reason", "r")
    assert shop.fails(0, "session-resume", session)["code"] == "TICKET_CLOSED"
    assert git(shop.clones[0], "for-each-ref", SAVED) != ""


def test_work_that_does_not_fit_any_more_takes_no_lease_and_changes_nothing(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    write_files(shop.clones[0], {"notes/new.txt": "mine\n"})
    before = shop.tip()
    refused = shop.fails(0, "session-resume", "--pop-stash")
    assert (refused["code"], refused["exit"]) == ("STASH_CONFLICT", 1)
    assert "notes/new.txt" in refused["message"]
    assert (shop.tip(), shop.status(0, "T1")) == (before, "paused")
    (shop.clones[0] / "notes/new.txt").unlink()
    assert shop.ok(0, "session-resume", session)["saved_ref"] == SAVED + session
    assert shop.ok(0, "session-resume", "--pop-stash")["restored"]
    assert changed(shop) == CHANGED


def test_work_that_was_never_put_back_stays_within_reach_of_what_is_put_aside_next(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    shop.ok(0, "session-suspend", "--reason", "one", "--stash")
    first = git(shop.clones[0], "rev-parse", SAVED + session)
    shop.ok(0, "session-resume")
    write_files(shop.clones[0], {"later.txt": "later\n"})
    ran = shop.exo(0, "session-suspend", "--reason", "two", "--stash")
    assert "SAVED_EARLIER" in [warning["code"] for warning in ran.answer["warnings"]]
    assert git(shop.clones[0], "rev-parse", f"{SAVED}{session}^3") == first


def test_what_cannot_be_saved_is_refused_and_the_session_goes_on(tmp_path: Path) -> None:
    shop, _ = at_work(tmp_path)
    (shop.clones[0] / ".git" / "MERGE_HEAD").write_text(git(shop.clones[0], "rev-parse", "HEAD") + "\n")
    before = shop.tip()
    refused = shop.fails(0, "session-suspend", "--reason", "r", "--stash")
    assert (refused["code"], refused["exit"]) == ("STASH_FAILED", 8)
    assert (shop.tip(), changed(shop)) == (before, CHANGED)
    assert shop.ok(0, "session-suspend", "--reason", "r")["saved_ref"] is None


def test_a_session_whose_ticket_was_taken_saves_its_work_and_pauses(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    taken = ("lease-takeover", "--ticket-id", "T1", "--yes", "--force", "--reason", "stuck", "--actor", "human:ann")
    shop.ok(1, *taken)
    ran = shop.exo(0, "session-suspend", "--reason", "lost it", "--stash")
    assert ran.exit == 0, ran.out
    assert (ran.data["fenced"], ran.data["released_lease"], ran.data["saved_ref"]) == (True, False, SAVED + session)
    assert "SESSION_FENCED" in [warning["code"] for warning in ran.answer["warnings"]]
    assert changed(shop) == ""
    shop.ok(0, "sync")
    assert shop.status(0, "T1") == "active"
    assert shop.fails(0, "session-resume", "--pop-stash")["code"] == "LEASE_HELD"
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_an_offline_suspension_is_confirmed_by_the_next_sync(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    ran = shop.exo(0, "session-suspend", "--reason", "r", "--stash", "--offline")
    assert ran.exit == 0, ran.out
    assert not ran.data["released_lease"]
    assert changed(shop) == ""
    assert shop.fails(1, "session-start", "--ticket-id", "T1")["code"] == "LEASE_HELD"
    assert "END_CONFIRMED" in [warning["code"] for warning in shop.exo(0, "sync").answer["warnings"]]
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["released"]
    assert shop.ok(0, "session-resume", "--pop-stash")["session"]["id"] == session


def test_without_the_authority_a_suspension_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    shop, _ = at_work(tmp_path)
    before = shop.tip()
    shop.lose_hub()
    assert shop.fails(0, "session-suspend", "--reason", "r", "--stash")["exit"] == 8
    assert (shop.tip(), changed(shop), git(shop.clones[0], "for-each-ref", SAVED)) == (before, CHANGED, "")


def test_a_session_of_an_offline_claim_is_suspended_and_gives_its_lease_back_once_it_has_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    session = shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")["session"]["id"]
    write_files(shop.clones[0], {"new.txt": "x\n"})
    found = shop.ok(0, "session-suspend", "--reason", "r", "--stash", "--offline")
    assert (found["memento_path"], changed(shop)) == (None, "")
    shop.ok(0, "sync")
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["released"]
    assert shop.status(0, "T1") == "paused"
    again = shop.ok(0, "session-resume", "--pop-stash")
    assert (again["session"]["id"], changed(shop)) == (session, "?? new.txt")


def test_without_a_remote_it_is_the_same(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    write_files(shop.clones[0], {"new.txt": "x\n"})
    assert shop.ok(0, "session-suspend", "--reason", "r", "--stash")["released_lease"]
    assert shop.ok(0, "session-resume", "--pop-stash")["lease"]["epoch"] == 2
    assert changed(shop) == "?? new.txt"


def test_others_do_not_resume_it(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    shop.ok(0, "session-suspend", "--reason", "r")
    assert shop.fails(0, "session-resume", "--actor", "agent:other")["code"] == "SESSION_NOT_SUSPENDED"
    assert shop.fails(0, "session-resume", session, "--actor", "agent:other")["code"] == "SESSION_NOT_SUSPENDED"
    assert shop.ok(0, "session-resume")["session"]["id"] == session


def test_calls_that_are_made_at_once_do_it_once(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    clone = shop.clones[0]
    paused = parallel([exo_command(clone, "session-suspend", "--reason", "r", "--stash", "--json")] * 2)
    assert 0 in {ran.exit for ran in paused}
    assert changed(shop) == ""
    resumed = parallel([exo_command(clone, "session-resume", "--pop-stash", "--json")] * 2)
    assert 0 in {ran.exit for ran in resumed}
    assert changed(shop) == CHANGED
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["held"]
    done = shop.ok(0, "session-finish", "--summary", "s")
    assert (done["session_id"], done["released_lease"]) == (session, True)


def test_saved_work_that_nobody_puts_back_is_told_at_the_end(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    assert shop.ok(0, "session-resume", "--pop-stash", "--dry-run")["restored"]
    assert changed(shop) == ""
    shop.ok(0, "session-resume")
    ran = shop.exo(0, "session-finish", "--summary", "s")
    assert "SAVED_WORK_LEFT" in [warning["code"] for warning in ran.answer["warnings"]]
    assert git(shop.clones[0], "show", f"{SAVED}{session}:notes/new.txt") == "new"


def test_a_paused_offline_claim_that_is_lost_keeps_its_work_and_says_where(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--offline")
    write_files(shop.clones[0], {"new.txt": "x\n"})
    shop.ok(0, "session-suspend", "--reason", "r", "--stash", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    warned = [warning["code"] for warning in shop.exo(0, "sync").answer["warnings"]]
    assert {"CLAIM_LOST", "SAVED_WORK_LEFT"} <= set(warned)
    assert shop.fails(0, "session-resume", "--pop-stash")["code"] == "SESSION_NOT_SUSPENDED"
    assert shop.status(1, "T1") == "active"


def test_a_session_that_goes_on_offline_is_provisional_until_a_sync_confirms_it(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    found = shop.ok(0, "session-resume", "--pop-stash", "--offline")
    assert (found["session"]["id"], found["session"]["status"], changed(shop)) == (session, "active", CHANGED)
    assert found["lease"]["provisional"]
    shop.ok(1, "sync")
    assert shop.status(1, "T1") == "paused"
    assert "CLAIM_CONFIRMED" in [warning["code"] for warning in shop.exo(0, "sync").answer["warnings"]]
    assert [(item["state"], item["epoch"]) for item in shop.ok(0, "leases")["items"]] == [("held", 2)]
    assert shop.status(0, "T1") == "active"
    assert shop.ok(0, "session-finish", "--summary", "s")["session_id"] == session
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_a_session_that_goes_on_offline_behind_another_is_told_and_keeps_its_files(tmp_path: Path) -> None:
    shop, session = at_work(tmp_path, clones=2)
    shop.ok(0, "session-suspend", "--reason", "r", "--stash")
    shop.ok(0, "session-resume", "--pop-stash", "--offline")
    shop.ok(1, "session-start", "--ticket-id", "T1")
    assert "CLAIM_LOST" in [warning["code"] for warning in shop.exo(0, "sync").answer["warnings"]]
    assert changed(shop) == CHANGED
    assert shop.fails(0, "session-suspend", "--reason", "r")["code"] == "LEASE_LOST"
    assert shop.ok(0, "session-finish", "--summary", "s")["session_id"] == session
    shop.ok(0, "session-start", "--ticket-id", "T2")
    assert shop.ok(0, "audit")["verdict"] == "pass"


def test_what_a_killed_suspension_left_in_the_checkout_is_cleared_before_others_work_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemExit

    shop, session = at_work(tmp_path)
    with monkeypatch.context() as dying:
        dying.setattr(session_saving, "clear", killed)
        with pytest.raises(SystemExit):
            shop.exo(0, "session-suspend", "--reason", "r", "--stash")
    assert changed(shop) == CHANGED
    shop.ok(0, "session-start", "--ticket-id", "T2")
    assert changed(shop) == ""
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo")
    assert shop.ok(0, "session-resume", session, "--pop-stash")["restored"]
    assert changed(shop) == CHANGED
