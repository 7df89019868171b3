"""exo push: code goes with its lease, a stale holder is turned away by the server, and the guard is told truthfully."""

import json
from pathlib import Path

import pytest

from exo_sidecar.git import code_push
from tests.support.repositories import a_hub, commit_files, git
from tests.support.working import Shop, a_pushing_shop

TICKET = "TICKET-T1"
BRANCH = "exo/TICKET-T1"
LEASE = f"refs/exo/leases/{TICKET}"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return two clones; in the first a session works on TICKET with one commit on BRANCH."""
    return a_pushing_shop(tmp_path, tickets=1)


def taken_over(shop: Shop) -> None:
    """Let the hub show another holder, as a forced take-over in the second clone does."""
    body = git(shop.server, "log", "-1", "--format=%B", LEASE).partition("\n")[2]
    lease = json.loads(body)
    lease |= {"epoch": lease["epoch"] + 1, "nonce": "f" * 32}
    lease["holder"] |= {"session": "SES-ZZZZ", "actor": "agent:other"}
    text = json.dumps(lease, sort_keys=True, separators=(",", ":"))
    old = git(shop.server, "rev-parse", LEASE)
    tree = git(shop.server, "rev-parse", f"{old}^{{tree}}")
    new = git(shop.server, "commit-tree", tree, "-p", old, "-m", f"exo-lease/1\n{text}")
    git(shop.server, "update-ref", LEASE, new, old)


def test_code_and_lease_arrive_in_one_push(shop: Shop) -> None:
    before = git(shop.server, "rev-parse", LEASE)
    data = shop.ok(0, "push")
    assert (data["guard"], data["atomic"], data["pushed"], data["from"]) == ("atomic", True, True, None)
    assert git(shop.server, "rev-parse", BRANCH) == git(shop.clones[0], "rev-parse", "HEAD") == data["to"]
    after = git(shop.server, "rev-parse", LEASE)
    assert git(shop.server, "rev-parse", f"{after}^") == before
    assert f'"branch":"{BRANCH}"' in git(shop.server, "log", "-1", "--format=%B", LEASE)
    shown = shop.ok(0, "ticket-show", TICKET, "--history")
    assert shown["history"][-1]["type"] == "push.guarded"
    assert not list((shop.clones[0] / ".git" / "exo" / "intents").glob("*.json"))


def test_a_second_push_of_the_same_renews_the_lease_and_says_so(shop: Shop) -> None:
    shop.ok(0, "push")
    lease = git(shop.server, "rev-parse", LEASE)
    data = shop.ok(0, "push")
    assert (data["pushed"], data["from"]) == (False, data["to"])
    assert git(shop.server, "rev-parse", LEASE) != lease
    commit_files(shop.clones[0], {"work.txt": "two\n"}, "more")
    again = shop.ok(0, "push")
    assert (again["from"], again["pushed"]) == (data["to"], True)


def test_a_dry_run_pushes_nothing(shop: Shop) -> None:
    lease = git(shop.server, "rev-parse", LEASE)
    assert shop.ok(0, "push", "--dry-run")["pushed"] is False
    assert git(shop.server, "rev-parse", LEASE) == lease
    assert git(shop.server, "for-each-ref", f"refs/heads/{BRANCH}") == ""


def test_a_stale_holder_is_turned_away_and_keeps_its_work(shop: Shop) -> None:
    taken_over(shop)
    lease = git(shop.server, "rev-parse", LEASE)
    ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (6, "SESSION_FENCED")
    assert "agent:other" in ran["message"]
    assert git(shop.server, "for-each-ref", f"refs/heads/{BRANCH}") == ""
    assert git(shop.server, "rev-parse", LEASE) == lease
    assert (shop.clones[0] / "work.txt").read_text() == "one\n"


def test_a_take_over_between_advertisement_and_update_is_turned_away_too(shop: Shop) -> None:
    """The hub's own hook moves the lease after git has decided what to send: only the server's check is left."""
    old = git(shop.server, "rev-parse", LEASE)
    tree = git(shop.server, "rev-parse", f"{old}^{{tree}}")
    body = git(shop.server, "log", "-1", "--format=%B", LEASE)
    text = body.replace(json.loads(body.split("\n", 1)[1])["holder"]["session"], "SES-ZZZZ").replace(
        '"epoch":1', '"epoch":2'
    )
    new = git(shop.server, "commit-tree", tree, "-p", old, "-m", text)
    hook = shop.server / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    quarantine = "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
    hook.write_text(f"#!/bin/sh\n{quarantine}git update-ref {LEASE} {new} {old}\nexit 0\n")
    hook.chmod(0o755)
    ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (6, "SESSION_FENCED")
    assert git(shop.server, "for-each-ref", f"refs/heads/{BRANCH}") == ""
    assert git(shop.server, "rev-parse", LEASE) == new


def test_a_refusal_that_is_about_the_code_keeps_the_lease(shop: Shop, tmp_path: Path) -> None:
    shop.ok(0, "push")
    other = tmp_path / "clone1"
    git(other, "fetch", "-q")
    git(other, "switch", "-q", BRANCH)
    commit_files(other, {"theirs.txt": "x\n"}, "theirs")
    git(other, "push", "-q", "origin", BRANCH)
    lease = git(shop.server, "rev-parse", LEASE)
    commit_files(shop.clones[0], {"work.txt": "two\n"}, "more")
    ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (1, "PUSH_REJECTED")
    assert "has commits of exo/TICKET-T1 that this clone has not" in ran["message"]
    assert git(shop.server, "rev-parse", LEASE) == lease
    overwritten = shop.fails(0, "push", "--force-with-lease")
    assert overwritten["code"] == "PUSH_REJECTED"  # what is there was never fetched here
    git(shop.clones[0], "fetch", "-q")
    assert shop.ok(0, "push", "--force-with-lease")["atomic"] is True


def test_a_hook_of_the_user_may_refuse(shop: Shop) -> None:
    hook = shop.clones[0] / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'error: not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (1, "PUSH_REJECTED")
    assert "not on a Friday" in ran["message"]
    assert not list((shop.clones[0] / ".git" / "exo" / "intents").glob("*.json"))


def test_a_push_that_the_server_may_still_be_at_work_on_is_not_told_as_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = shop.server / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\n[ "$1" = prepared ] || exit 0\nuntil [ -e "{tmp_path}/go" ]; do sleep 0.05; done\n')
    hook.chmod(0o755)
    with monkeypatch.context() as hurried:
        hurried.setattr(code_push, "PUSH_SECONDS", 0.5)
        ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (8, "LEASE_UNKNOWN")
    assert len(list((shop.clones[0] / ".git" / "exo" / "intents").glob("*.json"))) == 1
    (tmp_path / "go").touch()
    for lock in shop.server.rglob("*.lock"):  # here the server died with the push; it left what it had locked
        lock.unlink()
    for _ in range(2):  # the first makes sure that the lost one comes too late, the second that it is forgotten
        assert shop.ok(0, "push")["atomic"] is True
    assert not list((shop.clones[0] / ".git" / "exo" / "intents").glob("*.json"))


def test_a_server_without_atomic_is_told_as_checked(shop: Shop) -> None:
    git(shop.server, "config", "receive.advertiseAtomic", "false")
    data = shop.ok(0, "push")
    assert (data["guard"], data["atomic"], data["pushed"]) == ("checked", False, True)
    taken_over(shop)
    commit_files(shop.clones[0], {"work.txt": "two\n"}, "more")
    ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (6, "SESSION_FENCED")
    assert git(shop.server, "rev-parse", BRANCH) == data["to"]


def test_another_remote_for_the_code_is_told_as_checked(shop: Shop, tmp_path: Path) -> None:
    elsewhere = a_hub(tmp_path / "elsewhere")
    git(shop.clones[0], "remote", "add", "fork", str(elsewhere))
    data = shop.ok(0, "push", "--remote", "fork")
    assert (data["guard"], data["remote"]) == ("checked", "fork")
    assert git(elsewhere, "rev-parse", BRANCH) == data["to"]


def test_another_process_of_the_clone_may_renew_in_between(shop: Shop) -> None:
    shop.ok(0, "lease-heartbeat", "--force-push")
    assert shop.ok(0, "push")["atomic"] is True


def test_what_is_no_code_of_a_session_is_not_pushed(shop: Shop) -> None:
    for words, code in (
        (("--branch", "exo-governance"), "PUSH_REJECTED"),
        (("--branch", "no-such"), "PUSH_REJECTED"),
        (("--branch", "-x"), "PUSH_REJECTED"),
        (("--branch", "exo-leases/TICKET-T1"), "PUSH_REJECTED"),
        (("--remote", "nowhere"), "REMOTE_UNKNOWN"),
        (("--offline",), "OFFLINE"),
        (("--force-with-lease",), "PUSH_REJECTED"),
    ):
        ran = shop.fails(0, "push", *words)
        assert ran["code"] == code, words
    without = shop.fails(1, "push")
    assert without["code"] == "SESSION_NOT_ACTIVE"


def test_a_released_lease_guards_nothing(shop: Shop) -> None:
    shop.ok(0, "lease-release")
    ran = shop.fails(0, "push")
    assert ran["code"] == "LEASE_NOT_HELD"
    assert git(shop.server, "for-each-ref", f"refs/heads/{BRANCH}") == ""
