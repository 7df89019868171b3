"""Clones that hold less than everything: of history, of branches, of contents, of files."""

from pathlib import Path

import pytest

from tests.support.application import application, changed
from tests.support.days import a_day, a_second_day, a_word, ok, refused, rows
from tests.support.repositories import a_clone, a_hub, a_repository, commit_files, git

NO_FILES: dict[str, str] = {}


def a_long_hub(folder: Path) -> Path:
    """Make a hub with some history and a second branch, which serves parts of objects on request."""
    hub = a_hub(folder)
    work = a_clone(hub, "elsewhere")
    for number in range(5):
        commit_files(work, {f"src/part{number}.py": f"print({number})\n", "docs/log.md": f"{number}\n"})
    git(work, "push", "-q", "origin", "main", "main:refs/heads/side")
    git(hub, "config", "uploadpack.allowFilter", "true")
    return hub


def cloned(hub: Path, name: str, *options: str) -> Path:
    """Clone over a URL, for a path would be copied whole."""
    git(hub.parent, "clone", "-q", *options, f"file://{hub}", name)
    return hub.parent / name


def governed(hub: Path, name: str = "first") -> Path:
    """Return a whole clone in which work was planned, and everything is on the hub."""
    clone = a_clone(hub, name)
    ok(clone, "init")
    ok(clone, "intent-create", "Here", "--brain-dump", "why")
    ok(clone, "sync")
    return clone


def both_ways(clone: Path, other: Path) -> None:
    """What one clone writes comes to the other, and back."""
    ok(clone, "intent-create", "Here", "--brain-dump", "why", "--id", "INTENT-HERE")
    ok(clone, "sync")
    ok(other, "sync")
    ok(other, "ticket-show", "INTENT-HERE")
    ok(other, "ticket-edit", "INTENT-HERE", "--note", "seen")
    ok(other, "sync")
    ok(clone, "sync")
    assert "seen" in str(ok(clone, "ticket-show", "INTENT-HERE"))
    assert git(clone, "rev-parse", "exo-governance") == git(other, "rev-parse", "exo-governance")


OPTIONS = {
    "shallow": ("--depth", "1"),
    "shallow, all branches": ("--depth", "1", "--no-single-branch"),
    "single branch": ("--single-branch",),
    "without blobs": ("--filter=blob:none",),
    "without trees": ("--filter=tree:0",),
    "shallow, without blobs": ("--depth", "1", "--filter=blob:none", "--no-single-branch"),
}


@pytest.mark.parametrize("options", rows(OPTIONS, "shallow"))
def test_a_clone_that_holds_less_works_as_a_whole_one(tmp_path: Path, options: tuple[str, ...]) -> None:
    hub = a_long_hub(tmp_path)
    first = governed(hub)
    clone = cloned(hub, "less", *options)
    a_day(clone)
    both_ways(clone, first)
    assert (clone / ".git" / "shallow").exists() == ("--depth" in options)


@pytest.mark.parametrize("options", rows(OPTIONS, "without blobs"))
def test_plain_git_fetches_before_exo_does(tmp_path: Path, options: tuple[str, ...]) -> None:
    hub = a_long_hub(tmp_path)
    clone = cloned(hub, "less", *options)
    a_day(clone)
    other = a_clone(hub, "other")
    ok(other, "init")
    for number in range(2):
        ok(other, "intent-create", "There", "--brain-dump", "why", "--id", f"INTENT-{number}")
        ok(other, "sync")
        git(clone, "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
        assert ok(clone, "status")["sync"]["behind"] >= 1
    ok(clone, "sync")
    ok(clone, "ticket-show", "INTENT-0")
    both_ways(clone, other)


def test_a_partial_clone_gives_its_whole_branch_to_another_remote(tmp_path: Path) -> None:
    hub = a_long_hub(tmp_path)
    governed(hub)
    clone = cloned(hub, "less", "--filter=blob:none")
    ok(clone, "init")
    (tmp_path / "second").mkdir()
    git(clone, "remote", "add", "second", str(a_hub(tmp_path / "second", files=NO_FILES)))
    ok(clone, "sync", "--remote", "second")
    assert git(tmp_path / "second" / "hub.git", "fsck", "--no-dangling") == ""


def test_a_remote_that_is_itself_shallow_is_named_and_nothing_changes(tmp_path: Path) -> None:
    hub = a_long_hub(tmp_path)
    governed(hub)
    middle = cloned(hub, "middle.git", "--bare", "--depth", "1", "--no-single-branch")
    clone = a_repository(tmp_path, "last")
    git(clone, "remote", "add", "origin", str(middle))
    before = application(clone)
    error = refused(clone, "init")
    assert (error["code"], error["exit"]) == ("REPOSITORY_UNSUPPORTED", 8)
    assert "--unshallow" in error["hint"]
    assert changed(before, application(clone)) == []
    assert not (clone / ".exo").exists()


def test_somebody_s_clone_as_the_remote_is_read_from_and_never_moved(tmp_path: Path) -> None:
    first = governed(a_hub(tmp_path))
    clone = a_clone(first, "second")
    ok(clone, "init")
    ok(clone, "ticket-show", "TICKET-001")
    ok(clone, "intent-create", "There", "--brain-dump", "why")
    tip, before = git(first, "rev-parse", "exo-governance"), application(first)
    error = refused(clone, "sync")
    assert (error["code"], error["exit"]) == ("REMOTE_DENIED", 8)
    assert "bare repository" in error["hint"]
    assert git(first, "rev-parse", "exo-governance") == tip
    assert changed(before, application(first)) == []


@pytest.mark.long
def test_objects_may_be_borrowed_from_another_clone(tmp_path: Path) -> None:
    hub = a_long_hub(tmp_path)
    first = governed(hub)
    git(first, "repack", "-adq")
    clone = cloned(hub, "borrower", "--reference", str(first))
    a_day(clone)
    both_ways(clone, first)


SPARSE = {
    "cone": ("--cone", "src"),
    "no cone": ("--no-cone", "/src/"),
    "nothing at all": ("--no-cone", "!/*"),
    "sparse index": ("--cone", "--sparse-index", "docs"),
}


@pytest.mark.parametrize("words", rows(SPARSE, "nothing at all"))
def test_a_sparse_checkout_leaves_the_mount_whole(tmp_path: Path, words: tuple[str, ...]) -> None:
    clone = a_clone(a_long_hub(tmp_path))
    git(clone, "sparse-checkout", "set", *words)
    a_day(clone)
    git(clone, "sparse-checkout", "disable")
    git(clone, "sparse-checkout", "set", *words)
    assert (clone / ".exo" / "FORMAT").exists()
    a_word(clone)


def test_a_sparse_checkout_of_the_old_kind_does_not_reach_into_the_mount(tmp_path: Path) -> None:
    clone = a_clone(a_long_hub(tmp_path))
    git(clone, "config", "core.sparseCheckout", "true")
    (clone / ".git" / "info").mkdir(exist_ok=True)
    (clone / ".git" / "info" / "sparse-checkout").write_text("/src/\n")
    git(clone, "read-tree", "-mu", "HEAD")
    a_day(clone)
    git(clone / ".exo", "checkout", "-q", "--", ".")
    assert (clone / ".exo" / "config.yaml").exists()


def test_with_nothing_checked_out_work_goes_on(tmp_path: Path) -> None:
    a_day(cloned(a_long_hub(tmp_path), "empty", "--no-checkout"))


def test_without_a_commit_everything_but_a_push_goes(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files=NO_FILES)
    ok(repository, "init")
    a_word(repository)
    hub = a_hub(tmp_path, files=NO_FILES)
    clone = a_clone(hub)
    a_day(clone)
    ok(clone, "session-start", "--ticket-id", "TICKET-001")
    error = refused(clone, "push")
    assert (error["code"], error["exit"]) == ("PUSH_REJECTED", 1)
    assert git(hub, "for-each-ref", "refs/heads/main") == ""


def test_with_head_detached_work_goes_on_and_a_push_asks_for_a_branch(tmp_path: Path) -> None:
    clone = a_clone(a_long_hub(tmp_path))
    git(clone, "switch", "-q", "--detach", "HEAD~2")
    a_day(clone)
    ok(clone, "session-start", "--ticket-id", "TICKET-001")
    error = refused(clone, "push")
    assert (error["code"], "git switch -c" in error["hint"]) == ("PUSH_REJECTED", True)


def test_a_commit_of_the_application_older_than_governance_changes_nothing(tmp_path: Path) -> None:
    clone = a_clone(a_long_hub(tmp_path))
    ok(clone, "init")
    for old in (("HEAD~4",), ("main",), ("--orphan", "fresh")):
        git(clone, "checkout", "-q", *old)
        assert (clone / ".exo" / "FORMAT").exists()
        assert ok(clone, "status")["initialized"] is True
    a_second_day(clone)
