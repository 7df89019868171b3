"""Several checkouts of one repository, and none: one mount for all of them, and work in each."""

import shutil
from pathlib import Path

import pytest

from tests.support.application import application, changed
from tests.support.days import a_day, a_second_day, a_word, ok, refused
from tests.support.repositories import a_clone, a_hub, a_repository, commit_files, git


def linked(repository: Path, name: str) -> Path:
    """Add a linked worktree on a branch of that name beside the repository."""
    git(repository, "worktree", "add", "-q", "-b", name, str(repository.parent / name))
    return repository.parent / name


def test_linked_worktrees_share_one_mount_and_each_has_a_session_of_its_own(tmp_path: Path) -> None:
    repository = a_clone(a_hub(tmp_path))
    one, two = linked(repository, "one"), linked(repository, "two")
    before = application(repository, one, two)
    for place in (one / "src", repository, two):
        assert ok(place, "init")["branch"] == "exo-governance"
        assert ok(place, "status")["mount"] == str(repository / ".exo")
    ok(one, "intent-create", "Why", "--brain-dump", "why", "--id", "INTENT-1")
    for number in (1, 2, 3):
        ok(two / "src", "ticket-create", f"Task {number}", "--parent", "INTENT-1", "--id", f"TICKET-{number}")
    for number, place in enumerate((one / "src", two, repository), start=1):
        assert ok(place, "session-start", "--ticket-id", f"TICKET-{number}")["session"]["ticket"] == f"TICKET-{number}"
    assert {ok(place, "status")["session"]["ticket_id"] for place in (one, two / "src", repository)} == {
        *("TICKET-1", "TICKET-2", "TICKET-3")
    }
    for place in (repository, one, two / "src"):
        ok(place, "session-finish", "--summary", "done")
    assert not (one / ".exo").exists()
    assert changed(before, application(repository, one, two)) == []
    assert git(repository, "worktree", "list").count("exo-governance") == 1


def test_a_linked_worktree_may_come_go_and_move_without_a_word_to_exo(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    one = linked(repository, "one")
    ok(one, "init")
    git(repository, "worktree", "move", str(one), str(tmp_path / "moved"))
    a_second_day(tmp_path / "moved" / "src")
    git(repository, "worktree", "remove", "--force", str(tmp_path / "moved"))
    git(repository, "worktree", "prune", "--expire=now")
    a_word(repository)


@pytest.mark.parametrize("name", [".bare", pytest.param(".git", marks=pytest.mark.long)])
def test_worktrees_around_a_bare_repository_share_the_mount_beside_it(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "clone", "-q", "--bare", str(a_hub(tmp_path)), name)
    if name == ".bare":
        (project / ".git").write_text("gitdir: ./.bare\n")
    git(project / name, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    for branch in ("one", "two"):
        git(project / name, "worktree", "add", "-q", "-b", branch, f"../{branch}")
    a_day(project / "one", project / "two")
    ok(project / "two" / "src", "session-start", "--ticket-id", "TICKET-001")
    a_word(project / "two" / "src")
    assert ok(project, "status")["mount"] == str(project / ".exo")
    assert not (project / "two" / ".exo").exists()


@pytest.mark.parametrize("options", [("--filter=blob:none",), pytest.param((), marks=pytest.mark.long)])
def test_a_bare_clone_of_a_governed_hub_has_the_branch_already(tmp_path: Path, options: tuple[str, ...]) -> None:
    hub = a_hub(tmp_path)
    git(hub, "config", "uploadpack.allowFilter", "true")
    first = a_clone(hub, "first")
    ok(first, "init")
    project = tmp_path / "project"
    project.mkdir()
    git(project, "clone", "-q", "--bare", *options, f"file://{hub}", ".bare")
    git(project / ".bare", "worktree", "add", "-q", "-b", "one", "../one")
    ok(first, "ticket-edit", "TICKET-001", "--note", "since then")
    ok(first, "sync")
    assert ok(project / "one", "init")["mounted"] is True
    assert "since then" in str(ok(project / "one", "ticket-show", "TICKET-001"))
    a_word(project / "one")
    ok(project / "one", "sync")


def test_a_branch_that_plain_git_made_from_the_remote_s_is_taken_as_it_is(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    ok(a_clone(hub, "first"), "init")
    clone = a_clone(hub, "second")
    git(clone, "branch", "-q", "exo-governance", "origin/exo-governance")
    tip = git(clone, "rev-parse", "exo-governance")
    ok(clone, "init")
    assert git(clone, "rev-parse", "exo-governance") == tip
    a_word(clone)


def test_a_bare_repository_with_settings_per_worktree_stays_bare(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "clone", "-q", "--bare", str(a_hub(tmp_path)), ".git")
    git(project / ".git", "worktree", "add", "-q", "-b", "one", "../one")
    git(project / "one", "sparse-checkout", "set", "src")  # moves core.bare to config.worktree
    assert "bare = " not in (project / ".git" / "config").read_text()
    a_day(project / "one")
    error = refused(project, "session-start", "--ticket-id", "TICKET-001")
    assert (error["code"], error["exit"]) == ("NOT_A_REPOSITORY", 8)
    assert "worktree" in error["hint"]


def test_in_a_bare_repository_everything_but_sessions_goes(tmp_path: Path) -> None:
    hub = a_hub(tmp_path / "project")
    before = application(hub)
    ok(hub, "init")
    ok(hub, "intent-create", "Why", "--brain-dump", "why", "--id", "INTENT-1")
    ok(hub, "ticket-create", "A task", "--parent", "INTENT-1", "--id", "TICKET-1")
    ok(hub, "status")
    error = refused(hub, "session-start", "--ticket-id", "TICKET-1")
    assert (error["code"], error["exit"]) == ("NOT_A_REPOSITORY", 8)
    assert ok(hub, "audit")["verdict"] == "pass"
    assert changed(before, application(hub)) == []


def test_two_bare_repositories_in_one_folder_need_two_names(tmp_path: Path) -> None:
    one, two = a_hub(tmp_path, "one.git"), a_hub(tmp_path, "two.git")
    ok(one, "init")
    before = application(two)
    error = refused(two, "init")
    assert (error["code"], error["exit"]) == ("SIDECAR_PATH_BUSY", 8)
    assert "exo sidecar-init --sidecar" in error["hint"]
    assert changed(before, application(two)) == []
    assert not (two / "worktrees").exists()
    ok(two, "sidecar-init", "--sidecar", ".exo-two")
    ok(two, "init")
    ok(one, "status")


def test_from_inside_of_the_mount_all_is_answered_and_no_session_starts(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    ok(repository, "init")
    inside = repository / ".exo" / "tickets"
    assert ok(inside, "status")["mount"] == str(repository / ".exo")
    ok(inside, "ticket-edit", "TICKET-001", "--note", "from inside")
    assert refused(inside, "session-start", "--ticket-id", "TICKET-001")["code"] == "NOT_A_REPOSITORY"


def test_a_main_worktree_that_is_gone_leaves_a_linked_one_that_says_so(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    one = linked(repository, "one")
    ok(repository, "init")
    shutil.rmtree(repository)
    error = refused(one, "status")
    assert (error["code"], error["exit"]) == ("NOT_A_REPOSITORY", 8)
    assert "git worktree repair" in error["hint"]


def test_with_the_git_directory_elsewhere_the_mount_is_in_the_checkout(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    git(tmp_path, "clone", "-q", "--separate-git-dir", str(tmp_path / "apart.git"), str(hub), "work")
    a_day(tmp_path / "work")
    assert (tmp_path / "work" / ".exo" / "FORMAT").exists()
    commit_files(tmp_path / "work", {"more.txt": "more\n"})
    a_word(tmp_path / "work")
    assert git(tmp_path / "work", "status", "--porcelain") == ""
