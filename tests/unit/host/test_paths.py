"""Paths on the disk: what they are called, where they lead, and where they lie."""

import os
from pathlib import Path

import pytest

from exo_sidecar.git import locate, mount
from exo_sidecar.host import paths
from exo_sidecar.host.paths import Survey
from exo_sidecar.model.action import PathFacts
from tests.support.repositories import a_repository, git, write_files


def surveyed(repository: Path, folder: Path | None = None, home: Path | None = None) -> Survey:
    found = paths.survey(locate.locate(repository), folder or repository, home)
    assert found is not None
    return found


def one(repository: Path, asked: str, folder: Path | None = None, home: Path | None = None) -> PathFacts:
    (found,) = paths.facts(surveyed(repository, folder, home), [asked])
    return found


def names(found: PathFacts) -> tuple[str | None, str | None]:
    return found.written.checkout, found.resolved.checkout


def test_a_plain_file_is_what_it_is_called(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    found = one(repository, "src/app.py")
    assert names(found) == ("src/app.py", "src/app.py")
    assert (found.exists, found.tracked, found.is_folder, found.is_link, found.fault) == (True, True, False, False, "")
    assert found.written.root == str(repository / "src/app.py").strip("/")
    folder = one(repository, "src")
    assert (folder.is_folder, folder.tracked, folder.exists) == (True, True, True)
    new = one(repository, "src/new.py")
    assert (new.exists, new.tracked, names(new)) == (False, False, ("src/new.py", "src/new.py"))


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("../app.py", "app.py"),
        ("./x/../app.py", "src/app.py"),
        ("..//src///app.py", "src/app.py"),
        ("../.", ""),
        (".", "src"),
        ("new/../../x", "x"),
    ],
)
def test_dots_are_taken_out_from_the_folder_of_the_caller_on(tmp_path: Path, asked: str, name: str) -> None:
    repository = a_repository(tmp_path.resolve())
    assert names(one(repository, asked, folder=repository / "src")) == (name, name)


def test_a_link_in_any_component_leads_on_and_keeps_its_own_name(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    write_files(repository, {"secrets/key": "1"})
    (repository / "src/deep").symlink_to("../secrets")
    (repository / "src/file").symlink_to("deep/key")
    (repository / "src/up").symlink_to("/")
    (repository / "src/new").symlink_to("../secrets/new")
    assert names(one(repository, "src/deep/key")) == ("src/deep/key", "secrets/key")
    assert names(one(repository, "src/deep/x/y")) == ("src/deep/x/y", "secrets/x/y")
    assert names(one(repository, "src/file")) == ("src/file", "secrets/key")
    assert one(repository, "src/file").is_link
    assert names(one(repository, "src/new")) == ("src/new", "secrets/new")
    beyond = one(repository, "src/up/etc/hosts")
    assert (beyond.resolved.area, beyond.resolved.root, beyond.written.area) == ("outside", "etc/hosts", "checkout")
    # After a link `..` goes up from where the link leads, whatever the path looks like.
    assert names(one(repository, "src/deep/../x")) == ("src/x", "x")


def test_what_cannot_be_followed_says_why(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    (repository / "loop").symlink_to("loop")
    for asked in ("loop", "loop/x", "README.md/x", "gone/../loop/x", "a\0b", "", "~root/x", "x" * 300):
        assert one(repository, asked).fault, asked
    assert one(repository, "gone/x").fault == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may go everywhere")
def test_a_folder_that_is_closed_cannot_be_judged(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    (repository / "src").chmod(0)
    try:
        assert one(repository, "src/app.py").fault
    finally:
        (repository / "src").chmod(0o700)


def test_gits_folder_is_known_under_every_spelling(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    write_files(repository, {"sub/.git/config": "1"})
    (repository / "src/git").symlink_to("../.git")
    for asked in (
        ".git",
        ".git/config",
        "src/git/hooks/x",
        ".GIT/config",
        ".g\u200cit/config",
        "git~1/x",
        "sub/.git/x",
    ):
        assert "git" in {one(repository, asked).written.area, one(repository, asked).resolved.area}, asked
    assert one(repository, "src/git/config").resolved.checkout == ".git/config"
    assert one(repository, ".gitignore").written.area == "checkout"
    assert one(repository, "src/git.py").written.area == "checkout"


def test_the_mount_and_other_worktrees_are_told_from_the_checkout(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    mount.create(locate.locate(repository), "exo-governance", repository / ".exo")
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    git(repository, "worktree", "add", "-q", "-b", "inner", "trees/inner")
    side = (tmp_path / "side").resolve()
    assert one(repository, ".exo/ledger/x").written.area == "mount"
    assert one(repository, ".exo/ledger/x").written.within == "ledger/x"
    assert one(repository, "../side/src/app.py").written.area == "worktree"
    inner = one(repository, "trees/inner/src/app.py")
    assert (inner.written.area, inner.written.checkout) == ("worktree", "trees/inner/src/app.py")
    # From the other worktree the same places are seen from the other side.
    assert one(side, "src/app.py").written.area == "checkout"
    assert one(side, str(repository / "src/app.py")).written.area == "worktree"
    mounted = one(side, str(repository / ".exo/ledger/x"))
    assert (mounted.written.area, mounted.written.checkout) == ("mount", ".exo/ledger/x")
    assert one(side, str(repository / ".git/config")).written.checkout == ".git/config"
    assert one(side, ".git").written.area == "git"


def test_a_folder_names_what_else_lies_in_it(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    git(repository, "worktree", "add", "-q", "-b", "inner", "trees/inner")
    assert one(repository, "trees").holds == ("worktree",)
    assert one(repository, ".").holds == ("git", "worktree")
    assert set(one(repository, "..").holds) == {"checkout", "git", "worktree"}
    assert one(repository, "src").holds == ()


def test_a_home_folder_is_found_by_its_sign_and_by_its_path(tmp_path: Path) -> None:
    repository, home = a_repository(tmp_path.resolve()), tmp_path.resolve() / "home"
    write_files(home, {".ssh/id": "1"})
    (repository / "key").symlink_to(home / ".ssh/id")
    (tmp_path.resolve() / "house").symlink_to("home")
    for asked in ("~/.ssh/id", str(home / ".ssh/id"), "../home/.ssh/id", "key"):
        assert one(repository, asked, home=home).resolved.home == ".ssh/id", asked
    other_way = one(repository, "~/.ssh/id", home=tmp_path.resolve() / "house")
    assert (other_way.written.home, other_way.resolved.home) == (".ssh/id", ".ssh/id")
    assert one(repository, "~", home=home).written.home == ""
    assert one(repository, "~/x").written.checkout == "~/x"
    assert one(repository, "src/app.py", home=tmp_path.resolve()).written.home == "repo/src/app.py"


def test_a_checkout_that_is_entered_through_a_link_is_still_the_checkout(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    (tmp_path / "door").symlink_to("repo")
    (repository / "self").symlink_to(".")
    assert names(one(repository, str(tmp_path / "door/src/app.py"))) == ("src/app.py", "src/app.py")
    assert names(one(repository, "self/src/app.py")) == ("self/src/app.py", "src/app.py")


def test_names_that_are_no_text_are_told_and_count_as_known(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    odd = os.fsdecode(b"src/\xff\n.py")
    assert one(repository, odd).written.checkout == odd
    assert one(repository, odd).tracked
    assert not one(repository, "src/\u00e9.py").tracked


def test_many_paths_are_asked_at_once(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve(), files={f"a/{number}": "1" for number in range(30)})
    asked = [f"a/{number}" for number in range(2500)]
    found = paths.facts(surveyed(repository), asked)
    assert [each.asked for each in found] == asked
    assert sum(each.tracked for each in found) == 30
    unasked = paths.facts(surveyed(repository), asked[:5], with_git=False)
    assert [each.tracked for each in unasked] == [False] * 5


def test_a_bare_repository_has_no_checkout(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "hub.git")
    assert paths.survey(locate.locate(tmp_path / "hub.git"), tmp_path, None) is None


def test_a_file_system_without_case_takes_two_spellings_for_one(tmp_path: Path) -> None:
    repository = a_repository(tmp_path.resolve())
    folding = surveyed(repository)._replace(folds_case=True)
    found = paths.facts(folding, ["SRC/APP.py", ".EXO/ledger/x", str(repository).upper() + "/x"])
    assert [each.tracked for each in found] == [True, False, False]
    assert [each.written.area for each in found] == ["checkout", "mount", "checkout"]
    assert [each.folds_case for each in found] == [True, True, True]
