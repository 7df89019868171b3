"""`exo sidecar-init`: the governance branch mounted, and nothing of the application touched."""

import json
from pathlib import Path

import pytest

from tests.support.clones import BRANCH, a_fleet
from tests.support.inprocess import exo_in_process as exo
from tests.support.process import Ran, exo_command, parallel
from tests.support.repositories import a_clone, a_hub, a_repository, commit_files, git


def an_init(cwd: Path, *args: str) -> Ran:
    """Run `sidecar-init` and expect it to go well."""
    ran = exo(cwd, "sidecar-init", "--json", *args)
    assert ran.exit == 0, ran.out + ran.err
    return ran


def refusal(cwd: Path, *args: str) -> tuple[int, str]:
    """Run `sidecar-init`, expect it to fail, return exit status and code."""
    ran = exo(cwd, "sidecar-init", "--json", *args)
    return ran.exit, json.loads(ran.out or ran.err)["error"]["code"]


def application(repository: Path) -> tuple[object, ...]:
    """Return what belongs to the application: HEAD, branches, index, hooks, stashes, files."""
    common = repository / ".git"
    files = sorted(path for path in repository.rglob("*") if ".git" not in path.parts and ".exo" not in path.parts)
    return (
        (common / "HEAD").read_bytes(),
        git(repository, "for-each-ref", "refs/heads/main", "refs/stash", "refs/tags"),
        (common / "index").read_bytes(),
        sorted(path.name for path in (common / "hooks").iterdir()) if (common / "hooks").exists() else [],
        [(path, path.read_bytes()) for path in files if path.is_file()],
    )


def test_a_new_branch_is_begun_and_mounted_clean(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    ran = an_init(repository)
    assert ran.data == {
        "branch": BRANCH,
        "sidecar_path": str(repository / ".exo"),
        "already_mounted": False,
        "branch_source": "new",
        "upstream": None,
        "migrated": None,
        "gitignore_added": True,
        "git_repo_created": False,
    }
    assert git(repository / ".exo", "status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""
    assert (repository / ".exo" / "FORMAT").read_text().startswith("exo-sidecar 1\n")
    assert git(repository, "rev-list", "--count", BRANCH) == "1"
    assert git(repository, "fsck", "--strict") == ""


def test_nothing_of_the_application_is_touched(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    (repository / "README.md").write_text("stashed\n")
    git(repository, "stash")
    (repository / "README.md").write_text("not committed\n")
    git(repository, "add", "README.md")
    (repository / "src" / "app.py").write_text("not staged\n")
    before = application(repository)
    an_init(repository)
    assert application(repository) == before


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    an_init(repository)
    config, tip = (repository / ".git" / "config").read_bytes(), git(repository, "rev-parse", BRANCH)
    ran = an_init(repository)
    assert (ran.data["already_mounted"], ran.data["gitignore_added"]) == (True, False)
    assert (repository / ".git" / "config").read_bytes() == config
    assert git(repository, "rev-parse", BRANCH) == tip


def test_the_upstream_is_set_and_what_the_user_has_set_is_kept(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    fleet.git(1, "config", "transfer.fsckObjects", "false")
    assert an_init(fleet[0]).data["upstream"] == f"origin/{BRANCH}"
    an_init(fleet[1])
    assert fleet.git(0, "config", f"branch.{BRANCH}.rebase") == "false"
    assert fleet.git(0, "config", f"branch.{BRANCH}.merge") == f"refs/heads/{BRANCH}"
    assert fleet.git(0, "config", "transfer.fsckObjects") == "true"
    assert fleet.git(1, "config", "transfer.fsckObjects") == "false"


def test_the_remotes_branch_is_taken_as_it_is_when_the_ledger_makes_the_same_tree(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    an_init(fleet[0])
    fleet.git(0, "push", "-q", "origin", BRANCH)
    assert an_init(fleet[1]).data["branch_source"] == "remote"
    assert fleet.tips()[0] == fleet.tips()[1]
    assert git(fleet[1] / ".exo", "status", "--porcelain") == ""
    assert (fleet[1] / ".exo" / "FORMAT").read_bytes() == (fleet[0] / ".exo" / "FORMAT").read_bytes()


def test_of_a_remotes_branch_with_other_files_only_the_ledger_is_taken(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    an_init(fleet[0])
    commit_files(fleet[0] / ".exo", {"notes.txt": "a stray file\n", "config.yaml": "sync: {auto: off}\n"})
    fleet.git(0, "push", "-q", "origin", BRANCH)
    an_init(fleet[1])
    mount = fleet[1] / ".exo"
    assert not (mount / "notes.txt").exists()
    assert not (mount / "config.yaml").exists()
    assert git(mount, "rev-parse", f"{BRANCH}^") == fleet.tips()[0]
    assert git(mount, "status", "--porcelain") == ""
    fleet.git(1, "push", "-q", "origin", BRANCH)


def test_a_local_branch_is_mounted_with_its_files(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    an_init(repository)
    git(repository, "worktree", "remove", "-f", "-f", ".exo")
    assert an_init(repository).data["branch_source"] == "local"
    assert git(repository / ".exo", "status", "--porcelain") == ""
    assert (repository / ".exo" / "FORMAT").exists()


@pytest.mark.parametrize("path", ["..", "../outside", ".", ".git/exo", "a/../../b", "/elsewhere", "src/link/exo"])
def test_a_mount_outside_of_the_main_folder_or_behind_a_link_is_refused(tmp_path: Path, path: str) -> None:
    repository = a_repository(tmp_path)
    (repository / "src" / "link").symlink_to(tmp_path)
    assert refusal(repository, "--sidecar", path) == (2, "SIDECAR_PATH_INVALID")
    assert not (repository / ".git" / "worktrees").exists()


def test_a_mount_at_another_place_inside_is_fine(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert an_init(repository / "src", "--sidecar", "tools/exo").data["sidecar_path"] == str(repository / "tools/exo")
    assert an_init(repository).data["sidecar_path"] == str(repository / "tools/exo")
    assert refusal(repository, "--sidecar", "other") == (2, "SIDECAR_PATH_INVALID")
    assert git(repository, "status", "--porcelain") == ""


def test_another_branch_than_the_mounted_one_is_refused(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    an_init(repository)
    assert refusal(repository, "--branch", "other") == (8, "SIDECAR_BRANCH_MISMATCH")
    assert refusal(repository, "--branch", "a..b") == (2, "VALUE_INVALID")


def test_without_a_repository_one_is_made_unless_that_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    assert refusal(folder, "--no-init-git") == (8, "NOT_A_REPOSITORY")
    assert list(folder.iterdir()) == []
    assert an_init(folder, "--dry-run").data["git_repo_created"] is True
    assert list(folder.iterdir()) == []
    assert an_init(folder, "--default-branch", "trunk").data["git_repo_created"] is True
    assert git(folder, "symbolic-ref", "HEAD") == "refs/heads/trunk"


def test_a_remote_that_does_not_answer_stops_it_before_anything_is_changed(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "remote", "add", "origin", str(tmp_path / "nowhere.git"))
    assert refusal(repository) == (8, "REMOTE_UNREACHABLE")
    assert refusal(repository, "--offline") == (8, "OFFLINE")
    assert not (repository / ".exo").exists()
    assert git(repository, "for-each-ref", "refs/exo", "refs/heads/exo-governance") == ""
    an_init(repository, "--no-fetch-remote")
    assert git(repository, "for-each-ref", "--format=%(refname)", "refs/exo") == "refs/exo/authority"


def test_a_remote_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(a_repository(tmp_path), "--remote", "upstream") == (4, "REMOTE_UNKNOWN")


def test_clones_that_begin_at_once_agree_on_one_authority(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    for ran in parallel([exo_command(clone, "sidecar-init") for clone in fleet.clones]):
        assert ran.exit == 0, ran.err
    assert (fleet[0] / ".exo" / "FORMAT").read_text() == (fleet[1] / ".exo" / "FORMAT").read_text()


def test_two_at_once_in_one_clone_mount_once(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    for ran in parallel([exo_command(repository, "sidecar-init") for _ in range(3)]):
        assert ran.exit == 0, ran.err
    assert git(repository, "rev-list", "--count", BRANCH) == "1"
    assert git(repository / ".exo", "status", "--porcelain") == ""


def test_on_a_server_that_refuses_refs_of_ours_leases_are_branches(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    hook = hub / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) exit 0;; *) exit 1;; esac\n')
    hook.chmod(0o755)
    clone = a_clone(hub)
    ran = an_init(clone)
    assert "leases branch" in (clone / ".exo" / "FORMAT").read_text()
    assert ran.answer["warnings"][0]["code"] == "LEASES_ARE_BRANCHES"
    assert exo(clone, "intent-create", "Why", "--brain-dump", "why", "--id", "INTENT-1").exit == 0
    assert exo(clone, "ticket-create", "A task", "--id", "TICKET-001", "--parent", "INTENT-1").exit == 0
    claimed = exo(clone, "next")
    assert claimed.exit == 0, claimed.err
    branches = git(hub, "for-each-ref", "--format=%(refname:short)", "refs/heads/exo-leases")
    assert branches.split() == ["exo-leases/TICKET-001", "exo-leases/authority"]
    assert git(hub, "for-each-ref", "refs/exo") == ""


def test_where_nobody_wrote_a_constitution_a_start_is_refused_and_init_is_named(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    an_init(repository)
    assert exo(repository, "intent-create", "Why", "--brain-dump", "why", "--id", "INTENT-1").exit == 0
    assert exo(repository, "ticket-create", "A task", "--parent", "INTENT-1").exit == 0
    assert exo(repository, "next").exit == 0
    refused = exo(repository, "session-start", "--json")
    error = json.loads(refused.out or refused.err)["error"]
    assert (error["code"], error["hint"]) == ("GOVERNANCE_DRIFT", "exo init writes a first constitution")
    assert exo(repository, "init").exit == 0
    assert exo(repository, "session-start").exit == 0


def test_from_a_linked_worktree_it_mounts_in_the_main_one(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert an_init(tmp_path / "linked").data["sidecar_path"] == str(repository / ".exo")
    assert git(tmp_path / "linked", "status", "--porcelain") == ""


def test_in_a_bare_repository_it_mounts_beside_it(tmp_path: Path) -> None:
    hub = a_hub(tmp_path / "project")
    assert an_init(hub).data["sidecar_path"] == str(tmp_path / "project" / ".exo")


def test_in_a_submodule_it_mounts_in_the_submodule(tmp_path: Path) -> None:
    inner, outer = a_repository(tmp_path, "inner"), a_repository(tmp_path, "outer")
    git(outer, "submodule", "add", "-q", str(inner), "sub")
    assert an_init(outer / "sub", "--no-fetch-remote").data["sidecar_path"] == str(outer / "sub" / ".exo")
    assert git(outer / "sub", "status", "--porcelain") == ""


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 1)
    before = sorted(path for path in fleet[0].rglob("*"))
    assert an_init(fleet[0], "--dry-run").data["branch_source"] == "new"
    assert sorted(path for path in fleet[0].rglob("*")) == before


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    other = a_repository(repository, ".exo")
    assert refusal(repository) == (8, "SIDECAR_PATH_BUSY")
    assert git(other, "status", "--porcelain") == ""


def test_a_branch_of_a_newer_program_is_not_mounted(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    an_init(fleet[0])
    commit_files(fleet[0] / ".exo", {"FORMAT": "exo-sidecar 9\nrender 9\n"})
    fleet.git(0, "push", "-q", "origin", BRANCH)
    assert refusal(fleet[1]) == (7, "FORMAT_TOO_NEW")
    assert not (fleet[1] / ".exo").exists()


def test_a_remote_that_no_ref_can_be_named_after_and_a_damaged_ref_are_passed_over(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    with (repository / ".git" / "config").open("ab") as config:
        for name in (b"of two", b"a..b", b"\xff", b"torn"):
            config.write(b'[remote "' + name + b'"]\n\turl = /nowhere\n')
    torn = repository / ".git" / "refs" / "remotes" / "torn" / "exo-governance"
    torn.parent.mkdir(parents=True)
    for text in ("no object id\n", "ref: refs/remotes/torn/exo-governance\n"):
        torn.write_text(text)
        assert exo(repository, "status", "--json").data["governed_at"] is None
        assert json.loads(exo(repository, "ticket-list", "--json").out)["error"]["code"] == "SIDECAR_MISSING"


def test_a_clone_of_a_governed_repository_is_told_how_to_take_part(tmp_path: Path) -> None:
    first = a_clone(a_hub(tmp_path), "first")
    an_init(first)
    assert exo(first, "sync").exit == 0
    second = tmp_path / "second"
    git(tmp_path, "clone", "-q", str(tmp_path / "hub.git"), str(second))
    stranger = exo(a_repository(tmp_path / "other"), "status", "--json").data
    assert (stranger["initialized"], stranger["governed_at"]) == (False, None)
    assert exo(second, "status", "--json").data["governed_at"] == "origin"
    for refused in (exo(second, "ticket-list", "--json"), exo(second, "sidecar-repair", "--json")):
        error = json.loads(refused.out or refused.err)["error"]
        assert error["code"] == "SIDECAR_MISSING"
        assert error["message"].endswith("is governed at origin, and not mounted here yet")
        assert error["hint"] == "exo sidecar-init --remote origin mounts it"
    an_init(second)
    assert exo(second, "ticket-list").exit == 0


def test_a_clone_whose_remote_has_another_name_is_told_to_mount_from_that_one(tmp_path: Path) -> None:
    first = a_clone(a_hub(tmp_path), "first")
    an_init(first)
    assert exo(first, "sync").exit == 0
    second = tmp_path / "second"
    git(tmp_path, "clone", "-q", "--origin", "upstream", str(tmp_path / "hub.git"), str(second))
    shown = exo(second, "status")
    assert "exo sidecar-init --remote upstream mounts it" in shown.out + shown.err
    assert exo(second, "sidecar-init", "--remote", "upstream").exit == 0
    assert exo(second, "ticket-list").exit == 0
