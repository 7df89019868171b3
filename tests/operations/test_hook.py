"""The pre-push hook: looks at the lease and the fence, lets go or refuses, keeps the user's own hook; never pushes."""

from pathlib import Path

import pytest

from tests.support.repositories import commit_files, git
from tests.support.working import Shop, a_push, a_shop

TICKET = "TICKET-T1"
BRANCH = "exo/TICKET-T1"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return two clones; in the first a session works on TICKET on BRANCH, and the hook is installed."""
    shop = a_shop(tmp_path, clones=2, tickets=1)
    shop.ok(0, "ticket-edit", TICKET, "--add-scope-allow", "src/**", "--remove-scope-allow", "**")
    git(shop.clones[0], "switch", "-q", "-c", BRANCH)
    shop.ok(0, "session-start", "--ticket-id", TICKET)
    commit_files(shop.clones[0], {"src/work.txt": "one\n"}, "work")
    assert shop.ok(0, "hook-install")["hooks"][0]["state"] == "created"
    return shop


def test_a_plain_push_of_the_holder_goes(shop: Shop) -> None:
    ran = a_push(shop.clones[0], "-q", "origin", BRANCH)
    assert ran.returncode == 0, ran.stderr
    assert shop.hub is not None
    assert git(shop.hub, "rev-parse", BRANCH) == git(shop.clones[0], "rev-parse", "HEAD")


def test_a_push_out_of_the_fence_is_refused_and_names_the_path(shop: Shop) -> None:
    commit_files(shop.clones[0], {"elsewhere.txt": "x\n"}, "too far")
    for said in (a_push(shop.clones[0], "origin", BRANCH).stderr, shop.fails(0, "push")["message"]):
        assert "SCOPE_DENIED" in said
        assert "elsewhere.txt" in said
    assert shop.hub is not None
    assert git(shop.hub, "for-each-ref", f"refs/heads/{BRANCH}") == ""


def test_a_session_that_lost_its_lease_pushes_nothing(shop: Shop) -> None:
    shop.ok(0, "lease-release")
    ran = a_push(shop.clones[0], "origin", BRANCH)
    assert ran.returncode != 0
    assert "LEASE_NOT_HELD" in ran.stderr


def test_what_cannot_be_judged_is_refused(shop: Shop) -> None:
    git(shop.clones[0], "remote", "add", "other", str(shop.clones[1]))
    shop.lose_hub()
    ran = a_push(shop.clones[0], "other", BRANCH)
    assert ran.returncode != 0
    assert "error" in ran.stderr


def test_a_guarded_push_passes_the_hook_where_plain_ones_are_refused(shop: Shop) -> None:
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("  per_actor: 8", "  guard: require"))
    shop.ok(0, "sync")
    ran = a_push(shop.clones[0], "origin", BRANCH)
    assert ran.returncode != 0
    assert "exo push" in ran.stderr
    shop.ok(1, "sync")
    shop.ok(1, "hook-install")
    git(shop.clones[1], "fetch", "-q", str(shop.clones[0]), f"{BRANCH}:{BRANCH}")
    elsewhere = a_push(shop.clones[1], "origin", BRANCH)
    assert "exo push" in elsewhere.stderr
    assert shop.ok(0, "push")["guard"] == "atomic"


def test_the_user_s_hook_runs_first_and_comes_back(shop: Shop) -> None:
    hook = shop.clones[1] / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ncat > seen.txt\nexit 3\n")
    hook.chmod(0o755)
    assert shop.ok(1, "hook-install")["hooks"][0]["state"] == "created"
    assert shop.ok(1, "hook-install")["hooks"][0]["state"] == "unchanged"
    ran = a_push(shop.clones[1], "origin", "HEAD:refs/heads/side")
    assert ran.returncode != 0
    assert "refs/heads/side" in (shop.clones[1] / "seen.txt").read_text()
    assert shop.ok(1, "hook-install", "--remove")["hooks"][0]["state"] == "removed"
    assert hook.read_text().endswith("exit 3\n")
    assert shop.ok(1, "hook-install", "--remove")["hooks"][0]["state"] == "absent"


def test_hooks_go_where_git_looks_for_them(shop: Shop, tmp_path: Path) -> None:
    git(shop.clones[1], "config", "core.hooksPath", str(tmp_path / "hooks"))
    shown = shop.ok(1, "hook-install")["hooks"][0]
    assert Path(shown["path"]) == tmp_path / "hooks" / "pre-push"
    assert a_push(shop.clones[1], "-q", "origin", "HEAD:refs/heads/side").returncode == 0
    linked = tmp_path / "linked"
    git(shop.clones[0], "worktree", "add", "-q", "-b", "side2", str(linked))
    assert a_push(linked, "-q", "origin", "side2").returncode == 0


def test_lines_that_are_not_git_s_are_refused(shop: Shop) -> None:
    refused = shop.fails(0, "hook", "--agent", "git", "--event", "pre-push", "--input", "what is this")
    assert refused["code"] == "VALUE_INVALID"


def test_an_installation_that_was_killed_is_repeated(shop: Shop) -> None:
    hooks = shop.clones[1] / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-push").write_text("#!/bin/sh\nexit 0\n")
    (hooks / "pre-push.exo-user").hardlink_to(hooks / "pre-push")
    assert shop.ok(1, "hook-install")["hooks"][0]["state"] in {"created", "chained"}
    assert (hooks / "pre-push.exo-user").read_text() == "#!/bin/sh\nexit 0\n"
