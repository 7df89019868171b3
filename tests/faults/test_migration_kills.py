"""`sidecar-init` on a plain folder, killed at any change of the file system: nothing is lost, a rerun finishes."""

import random
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.inprocess import exo_in_process as exo
from tests.support.process import Command, Ran, exo_command, killed, run
from tests.support.repositories import a_repository, git, write_files

SMALL: Final = 12
LARGE: Final = 1500
KILLS: Final = 14
KILLS_LARGE: Final = 3
_DIES: Final = """
import os, pathlib, signal, sys
from exo_sidecar.cli.main import run
import exo_sidecar.operations.sidecar, exo_sidecar.git.remote, dulwich.config, filelock, yaml
left, counting = int(sys.argv[1]), sys.argv[2] == "first"
changing = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate"}
def hook(event, args):
    global left, counting
    counting = counting or event == "os.rename" and str(args[0]).endswith("/repo/.exo")
    made = event == "open" and isinstance(args[2], int) and args[2] & (os.O_CREAT | os.O_TRUNC)
    if counting and (made or event in changing):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
here = pathlib.Path.cwd()
status = run(["sidecar-init"], environ=dict(os.environ), cwd=here, stdout=sys.stdout, stderr=sys.stderr)
print(int(sys.argv[1]) - left)
sys.exit(status)
"""
"""Runs `sidecar-init` and dies just before the Nth change of the file system, counted from the first one or from the
rename that moves the folder aside; 0 never dies and prints how many there are."""


def a_plain_folder(tmp_path: Path, count: int) -> dict[str, bytes]:
    """Make a repository `repo` whose `.exo` is a plain folder of so many tickets; return its files."""
    files = {f"tickets/T{number % 7}/TICKET-{number:04}.yaml": _ticket(number) for number in range(count)}
    files |= {"CONSTITUTION.md": "# Ours\n", "memory/notes.txt": "never read\n", "tickets/TICKET-BAD.yaml": "id: [\n"}
    write_files(a_repository(tmp_path) / ".exo", files)
    return {name: text.encode() for name, text in files.items()}


def _ticket(number: int) -> str:
    status = ("todo", "active", "done", "archived", "backlog")[number % 5]
    above = f"parent: TICKET-{number + 1:04}\n" if number % 9 == 8 else ""
    return f"id: TICKET-{number:04}\ntitle: Ticket {number}\ntype: practice\nstatus: {status}\n{above}"


def dying(repository: Path, after: int, counted: str = "first") -> Ran:
    """Run `sidecar-init` and kill it just before its Nth change of the file system, from the first or the rename on."""
    return run(Command(repository, (sys.executable, "-P", "-c", _DIES, str(after), counted)))


def original_of(repository: Path, name: str) -> Path:
    """Return the folder that holds the original: where it was, or aside."""
    aside = repository / ".exo.before-1"
    return (aside if aside.exists() else repository / ".exo") / name


def check_kept(repository: Path, files: dict[str, bytes]) -> None:
    """Assert that the original folder is whole, wherever it is."""
    assert {name: original_of(repository, name).read_bytes() for name in files} == files


def check_finished(repository: Path, files: dict[str, bytes], count: int) -> None:
    """Assert that a run to the end finishes what was begun: mounted, clean, everything taken in and kept."""
    ran = exo(repository, "sidecar-init", "--json")
    assert ran.exit == 0, ran.out + ran.err
    check_kept(repository, files)
    assert (repository / ".exo.before-1").is_dir()
    assert sorted(path.name for path in repository.iterdir()) == [
        ".exo",
        ".exo.before-1",
        ".git",
        "README.md",
        "src",
    ]
    saved = git(repository, "ls-tree", "-r", "--name-only", "refs/exo/saved/migrated-1").splitlines()
    assert sorted(saved) == sorted(files)
    mount = repository / ".exo"
    assert git(mount, "status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""
    assert len(list((mount / "tickets").rglob("*.yaml"))) == count
    assert (mount / "CONSTITUTION.md").read_text() == "# Ours\n"
    assert not (repository / ".git/exo/migrating").exists()
    assert (repository / ".git/worktrees/exo/gitdir").read_text().strip() == str(mount / ".git")
    assert "mounting" not in (repository / ".git/info/exclude").read_text()
    assert git(repository, "rev-list", "--count", "exo-governance") == "2"


def test_all_is_taken_in_kept_and_named(tmp_path: Path) -> None:
    files = a_plain_folder(tmp_path, SMALL)
    repository = tmp_path / "repo"
    ran = exo(repository, "sidecar-init", "--json")
    assert ran.exit == 0, ran.err
    assert ran.data["migrated"]["files"] == len(files)
    assert ran.data["migrated"]["original"] == str(repository / ".exo.before-1")
    assert ran.data["migrated"]["commit"] == git(repository, "rev-parse", "refs/exo/saved/migrated-1")
    codes = {each["code"] for each in ran.answer["warnings"]}
    assert codes == {"MIGRATION_UNREADABLE"}
    check_finished(repository, files, SMALL)
    assert git(repository, "fsck", "--strict") == ""
    shown = exo(repository, "ticket-show", "TICKET-0003", "--json").data["ticket"]
    assert (shown["status"], shown["title"]) == ("archived", "Ticket 3")


def test_with_no_commit_migration_the_files_are_kept_and_not_taken_in(tmp_path: Path) -> None:
    files = a_plain_folder(tmp_path, 3)
    repository = tmp_path / "repo"
    assert exo(repository, "sidecar-init", "--no-commit-migration").exit == 0
    check_kept(repository, files)
    assert not (repository / ".exo" / "tickets").exists()


def test_files_that_the_application_tracks_are_named_with_the_way_out(tmp_path: Path) -> None:
    a_plain_folder(tmp_path, 2)
    repository = tmp_path / "repo"
    git(repository, "add", ".exo")
    git(repository, "commit", "-q", "-m", "tracked")
    ran = exo(repository, "sidecar-init", "--json")
    assert ran.exit == 0, ran.err
    split = next(each for each in ran.answer["warnings"] if each["code"] == "SIDECAR_SPLIT")
    assert "git rm -r -q --cached .exo" in split["message"]


def test_what_the_branch_has_already_stands(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert exo(repository, "init", "--seed").exit == 0
    git(repository, "worktree", "remove", "-f", "-f", ".exo")
    write_files(repository / ".exo", {"tickets/TICKET-002.yaml": "id: TICKET-002\ntitle: Another\n"})
    ran = exo(repository, "sidecar-init", "--json")
    assert ran.exit == 0, ran.err
    assert {each["code"] for each in ran.answer["warnings"]} == {"MIGRATION_KEPT"}
    assert exo(repository, "ticket-show", "TICKET-002", "--json").data["ticket"]["title"] != "Another"


def _changes(tmp_path: Path, counted: str = "first") -> int:
    """Return how many changes of the file system a whole run makes; a few more or less, as its random ids fall out."""
    a_plain_folder(tmp_path, SMALL)
    ran = dying(tmp_path / "repo", 0, counted)
    assert ran.exit == 0, ran.err
    return int(ran.out.splitlines()[-1])


def _check_points(tmp_path: Path, points: list[int], counted: str = "first") -> None:
    hits = 0
    for point in points:
        folder = tmp_path / f"{counted}{point}"
        files = a_plain_folder(folder, SMALL)
        hits += dying(folder / "repo", point, counted).exit == -9
        check_kept(folder / "repo", files)
        check_finished(folder / "repo", files, SMALL)
    assert hits >= len(points) * 0.9


def test_killed_at_some_of_all_changes_nothing_is_lost(tmp_path: Path) -> None:
    total = _changes(tmp_path / "whole")
    assert total > 50
    _check_points(tmp_path, random.Random(total).sample(range(1, total - 11), KILLS))


def test_killed_between_the_two_renames_and_after_them_nothing_is_lost(tmp_path: Path) -> None:
    total = _changes(tmp_path / "whole", "renames")
    assert total > 6
    _check_points(tmp_path, list(range(1, 9)), "renames")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_each_change_nothing_is_lost(tmp_path: Path) -> None:
    total = _changes(tmp_path / "whole")
    _check_points(tmp_path, list(range(1, total + 1)))


def _check_random_kills(tmp_path: Path, kills: int) -> None:
    files = a_plain_folder(tmp_path, LARGE)
    repository = tmp_path / "repo"
    dice = random.Random(kills)
    hits = sum(
        killed(exo_command(repository, "sidecar-init"), after_seconds=dice.uniform(0.2, 2)).exit == -9
        for _ in range(kills)
    )
    assert hits > 0
    check_kept(repository, files)
    check_finished(repository, files, LARGE)


def test_killed_at_random_with_many_files_nothing_is_lost(tmp_path: Path) -> None:
    _check_random_kills(tmp_path, KILLS_LARGE)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("series", range(KILLS))
def test_killed_at_random_again_and_again_nothing_is_lost(tmp_path: Path, series: int) -> None:
    _check_random_kills(tmp_path, KILLS_LARGE + series)
