"""Trailers: a commit of a session names it once, whatever git does with the message, and no commit is ever stopped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop

TICKET = "TICKET-T1"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a repository with hooks, in which no session works yet."""
    shop = a_lone_shop(tmp_path / "repo", tickets=2)
    assert [hook["state"] for hook in shop.ok(0, "hook-install")["hooks"]] == ["created"] * 3
    return shop


def start(shop: Shop, ticket: str = TICKET) -> tuple[str, str, str]:
    """Start a session and return what its commits are to say."""
    found = shop.ok(0, "session-start", "--ticket-id", ticket)
    lease = found["lease"]
    return f"Exo-Session: {found['session']['id']}", f"Exo-Ticket: {ticket}", f"Exo-Epoch: {lease['epoch']}"


def end(shop: Shop) -> None:
    """Finish the session."""
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo")


def commit(shop: Shop, name: str, *words: str, editor: str = "true") -> subprocess.CompletedProcess[str]:
    """Change a file and commit it as a person would."""
    repository = shop.clones[0]
    (repository / name).write_text(f"{name} {len(log(shop))}\n")
    git(repository, "add", name)
    return run(shop, "commit", *words, editor=editor)


def run(shop: Shop, *words: str, editor: str = "true") -> subprocess.CompletedProcess[str]:
    """Run git with its hooks."""
    environ = {**os.environ, "GIT_EDITOR": editor, "GIT_SEQUENCE_EDITOR": "true"}
    return subprocess.run(["git", *words], cwd=shop.clones[0], env=environ, capture_output=True, text=True, check=False)


def log(shop: Shop) -> str:
    """Return all messages."""
    return git(shop.clones[0], "log", "--format=%B")


def message(shop: Shop, revision: str = "HEAD") -> str:
    """Return the message of a commit."""
    return git(shop.clones[0], "log", "-1", "--format=%B", revision).strip()


def named(shop: Shop, revision: str = "HEAD") -> list[str]:
    """Return the trailers of a commit that are ours, as git reads them."""
    said = git(shop.clones[0], "log", "-1", "--format=%(trailers:only)", revision)
    return [line for line in said.splitlines() if line.startswith("Exo-")]


def test_a_session_s_commit_names_it_and_one_without_a_session_is_left_alone(shop: Shop) -> None:
    assert commit(shop, "a", "-q", "-m", "before").returncode == 0
    assert message(shop) == "before"
    own = start(shop)
    assert commit(shop, "a", "-q", "-m", "work\n\nwhy\n\nSigned-off-by: A <a@b.c>").returncode == 0
    assert message(shop) == "\n".join(["work", "", "why", "", "Signed-off-by: A <a@b.c>", *own])
    end(shop)
    assert commit(shop, "a", "-q", "-m", "after").returncode == 0
    assert message(shop) == "after"


def test_an_amend_says_it_once_and_for_the_session_that_amends(shop: Shop) -> None:
    own = start(shop)
    commit(shop, "a", "-q", "-m", "work")
    assert run(shop, "commit", "-q", "--amend", "--no-edit").returncode == 0
    assert run(shop, "commit", "-q", "--amend", "-m", "other words").returncode == 0
    assert named(shop) == list(own)
    end(shop)
    assert run(shop, "commit", "-q", "--amend", "--no-edit").returncode == 0
    assert named(shop) == list(own)
    other = start(shop, "TICKET-T2")
    assert run(shop, "commit", "-q", "--amend", "--no-edit").returncode == 0
    assert named(shop) == list(other)


def test_a_rebase_and_a_cherry_pick_keep_the_name_and_a_merge_has_its_own(shop: Shop) -> None:
    repository = shop.clones[0]
    git(repository, "switch", "-q", "-c", "side")
    own = start(shop)
    commit(shop, "a", "-q", "-m", "one")
    end(shop)
    git(repository, "switch", "-q", "main")
    other = start(shop, "TICKET-T2")
    commit(shop, "b", "-q", "-m", "two")
    assert run(shop, "cherry-pick", "side").returncode == 0
    assert named(shop) == list(own)
    run(shop, "reset", "-q", "--hard", "HEAD^")
    assert run(shop, "merge", "-q", "--no-ff", "side").returncode == 0
    assert named(shop) == list(other)
    run(shop, "reset", "-q", "--hard", "HEAD^")
    run(shop, "switch", "-q", "side")
    assert run(shop, "rebase", "-q", "main").returncode == 0
    assert (named(shop), named(shop, "HEAD^")) == (list(own), list(other))


def test_a_squash_says_each_session_once(shop: Shop) -> None:
    own = start(shop)
    for name in ("one", "two", "three"):
        commit(shop, name, "-q", "-m", name)
    environ = {**os.environ, "GIT_SEQUENCE_EDITOR": "sed -i.bak -e '2,$s/^pick/squash/'", "GIT_EDITOR": "true"}
    words = ["git", "rebase", "-q", "-i", "HEAD~3"]
    assert subprocess.run(words, cwd=shop.clones[0], env=environ, capture_output=True, check=False).returncode == 0
    assert named(shop) == list(own)
    assert message(shop).count("Exo-Session") == 1
    assert all(word in message(shop) for word in ("one", "two", "three"))
    run(shop, "switch", "-q", "-c", "again", "HEAD^")
    assert run(shop, "merge", "-q", "--squash", "main").returncode == 0
    assert run(shop, "commit", "-q", "--no-edit").returncode == 0
    assert named(shop) == list(own)


def test_words_from_an_editor_are_signed_and_no_words_are_no_commit(shop: Shop) -> None:
    own = start(shop)
    before = git(shop.clones[0], "rev-parse", "HEAD")
    assert commit(shop, "a", editor="true").returncode != 0
    assert git(shop.clones[0], "rev-parse", "HEAD") == before
    assert run(shop, "commit", editor="sh -c 'echo words > \"$1\"' sh").returncode == 0
    assert message(shop) == "\n".join(["words", "", *own])
    assert run(shop, "commit", "--amend", editor="sed -i.bak -e '/^[a-z]/d'").returncode != 0


@pytest.mark.parametrize("comment", [";", "auto"])
def test_no_words_are_no_commit_where_comments_begin_with_another_character(shop: Shop, comment: str) -> None:
    start(shop)
    git(shop.clones[0], "config", "core.commentChar", comment)
    git(shop.clones[0], "config", "commit.status", "true")
    before = git(shop.clones[0], "rev-parse", "HEAD")
    assert commit(shop, "a", editor="true").returncode != 0
    assert git(shop.clones[0], "rev-parse", "HEAD") == before


def test_the_user_s_own_hook_still_runs_and_still_refuses(shop: Shop) -> None:
    shop.ok(0, "hook-install", "--remove")
    hook = shop.clones[0] / ".git" / "hooks" / "prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\necho theirs >> "$1"\n[ ! -e stop ]\n')
    hook.chmod(0o755)
    shop.ok(0, "hook-install")
    own = start(shop)
    assert commit(shop, "a", "-q", "-m", "work").returncode == 0
    assert "theirs" in message(shop)
    assert named(shop) == list(own)
    (shop.clones[0] / "stop").touch()
    assert commit(shop, "a", "-q", "-m", "more").returncode != 0
    shop.ok(0, "hook-install", "--remove")
    assert "theirs" in hook.read_text()


def test_a_broken_exo_stops_no_commit(shop: Shop) -> None:
    start(shop)
    hook = shop.clones[0] / ".git" / "hooks" / "prepare-commit-msg"
    hook.write_text(hook.read_text().replace(sys.executable, "/no/such/python"))
    assert commit(shop, "a", "-q", "-m", "work").returncode == 0


def test_a_commit_by_hand_on_the_governance_branch_is_nobody_s_work(shop: Shop) -> None:
    start(shop)
    mount = shop.clones[0] / ".exo"
    git(mount, "commit", "-q", "--allow-empty", "-m", "by hand")
    assert git(mount, "log", "-1", "--format=%B").strip() == "by hand"


def test_a_linked_worktree_signs_with_its_own_session(shop: Shop, tmp_path: Path) -> None:
    start(shop)
    git(shop.clones[0], "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    there = Shop((tmp_path / "side",), None, shop.tickets)
    other = start(there, "TICKET-T2")
    assert commit(there, "a", "-q", "-m", "work").returncode == 0
    assert named(there) == list(other)
