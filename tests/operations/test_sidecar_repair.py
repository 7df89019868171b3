"""`exo sidecar-repair`: the mount as the ledger says, and nothing that a person wrote lost."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.clones import BRANCH, Fleet, a_governed_fleet
from tests.support.inprocess import exo_in_process as exo
from tests.support.process import Ran
from tests.support.repositories import a_repository, commit_files, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A governed repository with a few tickets."""
    path = a_repository(tmp_path)
    assert exo(path, "init", "--seed").exit == 0
    return path


def a_repair(cwd: Path, *args: str) -> Ran:
    """Run `sidecar-repair`, expect it to go well and the mount to be clean."""
    ran = exo(cwd, "sidecar-repair", "--json", *args)
    assert ran.exit == 0, ran.out + ran.err
    if "--dry-run" not in args:
        assert git(cwd / ".exo", "status", "--porcelain") == ""
    return ran


def test_where_nothing_is_wrong_nothing_is_done(repository: Path) -> None:
    tip = git(repository, "rev-parse", BRANCH)
    assert a_repair(repository).data == {
        "mounted": False,
        "journal": "none",
        "index_rebuilt": True,
        "rendered": [],
        "absorbed": [],
        "kept_aside": [],
    }
    assert git(repository, "rev-parse", BRANCH) == tip


def test_without_a_mount_it_says_how_to_get_one(tmp_path: Path) -> None:
    ran = exo(a_repository(tmp_path), "sidecar-repair", "--json")
    assert (ran.exit, json.loads(ran.out or ran.err)["error"]["code"]) == (8, "SIDECAR_MISSING")


def test_a_deleted_mount_is_put_back(repository: Path) -> None:
    shutil.rmtree(repository / ".exo")
    assert a_repair(repository).data["mounted"] is True
    assert (repository / ".exo" / "config.yaml").exists()


def test_a_hand_edit_is_taken_in_before_anything_is_rendered(repository: Path) -> None:
    ticket = repository / ".exo" / "tickets" / "00" / "TICKET-002.yaml"
    ticket.write_text(ticket.read_text().replace('"Take a first ticket from start to finish"', '"Mine"'))
    with (repository / ".exo" / "CONSTITUTION.md").open("a") as file:
        file.write("\n## Ours\n\nA line.\n")
    data = a_repair(repository).data
    assert data["absorbed"] == ["CONSTITUTION.md", "tickets/00/TICKET-002.yaml"]
    assert exo(repository, "ticket-show", "TICKET-002", "--json").data["ticket"]["title"] == "Mine"
    assert "A line." in (repository / ".exo" / "CONSTITUTION.md").read_text()


def test_an_unreadable_edit_is_kept_aside_with_every_byte(repository: Path) -> None:
    ticket = repository / ".exo" / "tickets" / "00" / "TICKET-002.yaml"
    before = ticket.read_bytes()
    ticket.write_bytes(b"title: [\n")
    (repository / ".exo" / "FORMAT").write_text("mine\n")
    ran = a_repair(repository)
    assert ticket.read_bytes() == before
    kept = {(repository / ".exo" / path).read_bytes() for path in ran.data["kept_aside"]}
    assert b"title: [\n" in kept
    assert b"mine\n" in {path.read_bytes() for path in (repository / ".exo/cache/rejected").iterdir()}
    assert "FILE_UNREADABLE" in {each["code"] for each in ran.answer["warnings"]}


def test_links_and_folders_in_the_way_of_files_give_way(repository: Path, tmp_path: Path) -> None:
    mount = repository / ".exo"
    shutil.rmtree(mount / "tickets" / "00")
    (tmp_path / "outside").mkdir()
    (mount / "tickets" / "00").symlink_to(tmp_path / "outside")
    (mount / "FORMAT").unlink()
    (mount / "FORMAT").mkdir()
    (mount / "FORMAT" / "note").write_text("kept\n")
    data = a_repair(repository).data
    assert "FORMAT" in data["rendered"]
    assert list((tmp_path / "outside").iterdir()) == []
    assert [path.read_text() for path in (mount / "cache/rejected").rglob("note")] == ["kept\n"]


def test_a_damaged_journal_and_a_damaged_index_are_dropped(repository: Path) -> None:
    (repository / ".git/exo/pending").write_text("{")
    (repository / ".git/exo/index.sqlite").write_bytes(b"SQLite format 3\0" + b"rubbish" * 500)
    (repository / ".git/worktrees/exo/index").write_bytes(b"DIRCrubbish")
    assert a_repair(repository).data["journal"] == "dropped"
    assert exo(repository, "status").exit == 0


def test_a_dry_run_names_what_differs_and_changes_nothing(repository: Path) -> None:
    (repository / ".exo" / "FORMAT").unlink()
    assert a_repair(repository, "--dry-run").data["rendered"] == ["FORMAT"]
    assert not (repository / ".exo" / "FORMAT").exists()


def a_half_done(fleet: Fleet, *words: str) -> Path:
    """Leave the second clone's mount in the middle of what plain git calls a conflict; return the mount."""
    for number, text in ((0, "one\n"), (1, "two\n")):
        commit_files(fleet[number] / ".exo", {"notes.txt": text})
    fleet.git(0, "push", "-q", "origin", BRANCH)
    mount = fleet[1] / ".exo"
    git(mount, "fetch", "-q", "origin")
    done = subprocess.run(["git", "-C", mount, "-c", "merge.default=text", *words], capture_output=True, check=False)
    assert done.returncode != 0
    return mount


@pytest.mark.parametrize(
    "words",
    [("merge", "--no-edit"), ("rebase",), ("cherry-pick",)],
    ids=["merge", "rebase", "cherry-pick"],
)
def test_what_plain_git_left_half_done_is_given_up(tmp_path: Path, words: tuple[str, ...]) -> None:
    fleet = a_governed_fleet(tmp_path, 2)
    # Files of the branch are united by git itself; only an attribute of a person's makes them conflict.
    for clone in fleet.clones:
        (clone / ".git" / "info").mkdir(exist_ok=True)
        (clone / ".git" / "info" / "attributes").write_text("notes.txt merge=binary\n")
    mount = a_half_done(fleet, *words, f"origin/{BRANCH}")
    busy = exo(fleet[1], "ticket-create", "x", "--type", "practice", "--json")
    assert (busy.exit, json.loads(busy.out or busy.err)["error"]["code"]) == (8, "SIDECAR_BUSY")
    ran = exo(fleet[1], "sidecar-repair", "--json")
    assert ran.exit == 0, ran.out + ran.err
    assert "SIDECAR_GIVEN_UP" in {each["code"] for each in ran.answer["warnings"]}
    assert git(mount, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"
    assert git(mount, "status", "--porcelain") == ""
    assert exo(fleet[1], "ticket-create", "x", "--type", "practice").exit == 0


def test_a_clone_whose_own_chain_is_damaged_goes_on_under_a_new_id(repository: Path) -> None:
    mount = repository / ".exo"
    segment = next((mount / "ledger").rglob("*.jsonl"))
    lines = segment.read_text().splitlines(keepends=True)
    name = segment.relative_to(mount).as_posix()
    commit_files(mount, {name: "".join([lines[0], lines[1].replace("How people", "How robots"), *lines[2:]])})
    (repository / ".git/exo/tip").write_text(git(repository, "rev-parse", BRANCH) + "\n")
    refused = exo(repository, "ticket-create", "x", "--type", "practice", "--json")
    assert json.loads(refused.out or refused.err)["error"]["code"] == "LEDGER_DAMAGED"
    ran = a_repair(repository)
    assert "LEDGER_DAMAGED" in {each["code"] for each in ran.answer["warnings"]}
    assert exo(repository, "ticket-create", "x", "--type", "practice").exit == 0
    assert len(list((mount / "ledger").rglob("*.jsonl"))) == 2
