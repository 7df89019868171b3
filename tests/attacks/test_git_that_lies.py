"""Settings and refs of a checkout that would show git another history, or another folder, than what is there."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.policies import AGENT
from tests.support.repositories import commit_files, git
from tests.support.working import Shop, a_lone_shop

FILES = {f"f{number}.txt": "a line\n" * 50 for number in range(15)}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a repository in which an agent works on T1, on a branch of its own."""
    shop = a_lone_shop(tmp_path / "repo")
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    shop.ok(0, "session-start", "--ticket-id", "T1", *AGENT)
    return shop


def drift(shop: Shop) -> Any:  # noqa: ANN401 - JSON
    """Return what the session changed, as exo sees it now."""
    return shop.ok(0, "drift", *AGENT)["session_drift"]


def test_a_commit_that_names_a_session_that_does_not_exist_is_still_whose_it_is(shop: Shop) -> None:
    commit_files(shop.clones[0], FILES, "work\n\nExo-Session: SES-ZZZZZZZZZZ")
    assert drift(shop)["files"]["used"] == len(FILES)
    finished = shop.ok(0, "session-finish", "--summary", "s", "--set-status", "review", *AGENT)
    assert len(finished["commits"]) == 1


def test_a_commit_that_git_shows_in_the_place_of_another_hides_nothing(shop: Shop) -> None:
    base = git(shop.clones[0], "rev-parse", "HEAD")
    commit_files(shop.clones[0], FILES, "work")
    git(shop.clones[0], "replace", base, "HEAD")
    assert drift(shop)["files"]["used"] == len(FILES)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("color.ui", "always"),
        ("diff.external", "false"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.noprefix", "true"),
        ("diff.renames", "copies"),
        ("log.showSignature", "true"),
        ("status.showUntrackedFiles", "no"),
    ],
)
def test_what_a_person_likes_git_to_show_changes_no_count(shop: Shop, key: str, value: str) -> None:
    commit_files(shop.clones[0], {"one.txt": "1\n"}, "work")
    (shop.clones[0] / "two.txt").write_text("2\n")
    git(shop.clones[0], "config", key, value)
    found = drift(shop)
    assert (found["committed"], found["uncommitted"], found["loc"]["used"]) == (1, 1, 2)


def test_a_monitor_that_says_nothing_changed_hides_nothing_and_is_not_run(shop: Shop, tmp_path: Path) -> None:
    monitor, runs = tmp_path / "monitor", tmp_path / "runs"
    monitor.write_text(f"#!/bin/sh\necho run >>'{runs}'\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    for key, value in (("core.fsmonitor", str(monitor)), ("core.untrackedCache", "true")):
        git(shop.clones[0], "config", key, value)
    git(shop.clones[0], "status")
    runs.unlink(missing_ok=True)
    (shop.clones[0] / "new.txt").write_text("new\n")
    (shop.clones[0] / "README.md").write_text("changed\n")
    assert drift(shop)["uncommitted"] == 2
    shop.ok(0, "session-suspend", "--reason", "r", "--stash", *AGENT)
    assert not (shop.clones[0] / "new.txt").exists()
    shop.ok(0, "session-resume", "--pop-stash", *AGENT)
    assert (shop.clones[0] / "new.txt").read_text() == "new\n"
    assert not runs.exists()


def test_a_worktree_that_is_named_and_is_not_there_is_said_so(shop: Shop, tmp_path: Path) -> None:
    git(shop.clones[0], "config", "core.worktree", str(tmp_path / "gone"))
    error = shop.fails(0, "status")
    assert (error["code"], "core.worktree" in error["hint"]) == ("NOT_A_REPOSITORY", True)
