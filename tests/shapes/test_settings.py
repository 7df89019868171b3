"""Names and settings that make plain git behave otherwise: exo's records and the application are untouched by them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.application import application, changed
from tests.support.days import a_day, a_morning, an_evening, assert_clean, ok, refused, rows
from tests.support.process import exo, exo_command, run
from tests.support.repositories import a_clone, a_hub, a_repository, git

NAMES = {
    "spaces": "with spaces",
    "unicode": "über/ñandú ☃",
    "quotes": 'it\'s "quoted"',
    "a dash": "-dash",
    "an option": "--repo",
    "the shell": "$HOME `id` ;#&|",
    "a backslash": "back\\slash",
    "a glob": "[glob]*?",
    "a format": "%s{0}",
    "all of them": '--repo/ü ☃/it\'s "q" $HOME ;#&|/back\\slash/[glob]*? %s{0}',
}


def settings(home: Path, *pairs: tuple[str, str]) -> None:
    """Add settings of the user, as `git config --global` does."""
    for key, value in pairs:
        git(home, "config", "--global", key, value)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home of this test alone, with the usual settings in it."""
    home = tmp_path / "home"
    home.mkdir()
    usual = Path(os.environ["GIT_CONFIG_GLOBAL"]).read_text()
    (home / ".gitconfig").write_text(usual)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    return home


@pytest.mark.parametrize("name", rows(NAMES, "all of them"))
def test_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir(parents=True)
    clone = a_clone(a_hub(folder), "clone")
    a_day(clone)
    for words in (("status", "--json"), ("status",)):
        ran = exo(clone, *words)
        assert ran.exit == 0, ran.err


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are text there")
def test_a_folder_whose_name_is_no_text_is_refused_before_anything_changes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    repository = a_repository(folder)
    before = application(repository)
    error = refused(repository, "init")
    assert (error["code"], error["exit"]) == ("REPOSITORY_UNSUPPORTED", 8)
    assert "rename" in error["hint"]
    assert changed(before, application(repository)) == []
    assert not (repository / ".git" / "exo").exists()
    ran = exo(repository, "status")
    assert (ran.exit, "UTF-8" in ran.err) == (8, True)


def test_a_folder_with_a_line_break_in_its_name_holds_clones_and_is_no_address(tmp_path: Path) -> None:
    folder = tmp_path / "a\nb"
    folder.mkdir()
    repository = a_repository(folder)
    a_day(repository)
    clone = a_clone(a_hub(folder))
    error = refused(clone, "init")
    assert (error["code"], error["exit"]) == ("REMOTE_UNSUPPORTED", 2)
    assert not (clone / ".exo").exists()


def test_a_folder_that_looks_like_an_option_is_named_after_an_equals_sign(tmp_path: Path) -> None:
    a_repository(tmp_path, "-repo")
    for words in (("--repo=-repo", "init"), ("init", "--repo=./-repo")):
        ran = exo(tmp_path, *words, "--json")
        assert ran.exit == 0, ran.out
    assert (tmp_path / "-repo" / ".exo" / "FORMAT").exists()


def test_hooks_of_the_user_are_not_run_by_exo(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in (
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "post-commit",
        "pre-push",
    ):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> '{tmp_path}/ran.txt'\nexit 1\n")
        (hooks / name).chmod(0o755)
    git(clone, "config", "core.hooksPath", str(hooks))
    a_day(clone)
    assert not (tmp_path / "ran.txt").exists()
    ok(clone, "session-start", "--ticket-id", "TICKET-001")
    error = refused(clone, "push")
    assert (error["code"], (tmp_path / "ran.txt").read_text()) == ("PUSH_REJECTED", "pre-push\n")


SETTINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "line endings": (("core.autocrlf", "true"), ("core.eol", "crlf"), ("core.safecrlf", "true")),
    "signing without a key": (("commit.gpgSign", "true"), ("tag.gpgSign", "true"), ("gpg.program", "/nonexistent")),
    "signed pushes": (("push.gpgSign", "if-asked"), ("log.showSignature", "true")),
    "many files": (("feature.manyFiles", "true"), ("index.version", "4"), ("index.skipHash", "true")),
    "quiet status": (("status.showUntrackedFiles", "no"), ("status.relativePaths", "true"), ("diff.relative", "true")),
    "colours": (("color.ui", "always"), ("core.pager", "false"), ("column.ui", "always")),
    "rebasing": (("pull.rebase", "true"), ("rebase.autoStash", "true"), ("pull.ff", "only")),
    "pushing": (("push.default", "nothing"), ("push.recurseSubmodules", "only"), ("push.followTags", "true")),
    "fetching": (("fetch.prune", "true"), ("fetch.pruneTags", "true"), ("fetch.fsckObjects", "true")),
    "renames": (("diff.renames", "copies"), ("diff.noprefix", "true"), ("diff.external", "/nonexistent")),
    "filters": (("filter.up.clean", "tr a-z A-Z"), ("core.attributesFile", "~/attributes")),
    "excludes": (("core.excludesFile", "~/excludes"), ("core.ignoreCase", "true"), ("core.fileMode", "false")),
    "worktrees": (("extensions.worktreeConfig", "true"), ("worktree.guessRemote", "true")),
    "sharing": (("core.sharedRepository", "group"), ("core.logAllRefUpdates", "always"), ("core.fsync", "all")),
}


SETTINGS["all of them"] = tuple(pair for pairs in SETTINGS.values() for pair in pairs)


@pytest.mark.parametrize("pairs", rows(SETTINGS, "all of them"))
def test_settings_of_the_user(tmp_path: Path, at_home: Path, pairs: tuple[tuple[str, str], ...]) -> None:
    (at_home / "attributes").write_text("* filter=up text eol=crlf\n")
    (at_home / "excludes").write_text("*.yaml\n*.md\nledger\n.exo\n")
    hub = a_hub(tmp_path)
    settings(at_home, *pairs)
    clone = a_clone(hub)
    for key, value in pairs:
        if key.startswith("extensions."):
            git(clone, "config", key, value)
    a_day(clone)
    assert (clone / ".exo" / "CONSTITUTION.md").read_bytes().count(b"\r") == 0
    other = a_clone(hub, "other")
    ok(other, "init")
    assert_clean(other)


@pytest.mark.parametrize(("version", "answer"), [pytest.param("1", "/", marks=pytest.mark.long), ("2", r"token\0/\0")])
def test_a_file_system_monitor(tmp_path: Path, version: str, answer: str) -> None:
    clone = a_clone(a_hub(tmp_path))
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\necho asked >> '{tmp_path}/asked.txt'\nprintf '{answer}'\n")
    monitor.chmod(0o755)
    git(clone, "config", "core.fsmonitor", str(monitor))
    git(clone, "config", "core.fsmonitorHookVersion", version)
    git(clone, "config", "core.untrackedCache", "true")
    git(clone, "status")
    a_day(clone)
    (clone / ".exo" / "tickets" / "notes.txt").write_text("by hand")
    assert git(clone / ".exo", "status", "--porcelain") == "?? tickets/notes.txt"
    assert (tmp_path / "asked.txt").exists()


@pytest.mark.parametrize("branch", [pytest.param("exo", marks=pytest.mark.long), "release/2.0-ünï"])
def test_a_first_branch_of_any_name(tmp_path: Path, at_home: Path, branch: str) -> None:
    settings(at_home, ("init.defaultBranch", branch))
    git(tmp_path, "init", "-q", "repo")
    a_day(tmp_path / "repo")
    assert git(tmp_path / "repo", "symbolic-ref", "--short", "HEAD") == branch


def test_an_application_on_the_governance_branch_is_refused_before_anything_changes(
    tmp_path: Path, at_home: Path
) -> None:
    settings(at_home, ("init.defaultBranch", "exo-governance"))
    git(tmp_path, "init", "-q", "repo")
    before = application(tmp_path / "repo")
    error = refused(tmp_path / "repo", "init")
    assert (error["code"], error["exit"]) == ("SIDECAR_BRANCH_BUSY", 8)
    assert changed(before, application(tmp_path / "repo")) == []
    assert not (tmp_path / "repo" / ".exo").exists()
    ok(tmp_path / "repo", "init", "--branch", "governance")


def test_nobody_has_said_who_they_are(tmp_path: Path, at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = a_hub(tmp_path)
    (at_home / ".gitconfig").write_text('[protocol "file"]\n\tallow = always\n[user]\n\tuseConfigOnly = true\n')
    for name in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    clone = a_clone(hub)
    a_day(clone)
    ran = exo(clone, "ticket-edit", "TICKET-001", "--note", "who?", "--json", env={"LOGNAME": "o'Neil Ünï"})
    assert ran.exit == 0, ran.out
    assert git(clone, "log", "-1", "--format=%ae", "exo-governance") == "human.o-neil-n@exo.invalid"


def test_git_s_variables_of_another_repository_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, other = a_clone(a_hub(tmp_path)), a_repository(tmp_path, "other")
    before = application(other)
    index = tmp_path / "index"
    index.write_bytes((other / ".git" / "index").read_bytes())
    with monkeypatch.context() as hook:
        for name, value in {
            "GIT_DIR": str(other / ".git"),
            "GIT_WORK_TREE": str(other),
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(other / ".git" / "objects"),
            "GIT_COMMON_DIR": str(other / ".git"),
            "GIT_NAMESPACE": "elsewhere",
            "GIT_PREFIX": "src/",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.bare",
            "GIT_CONFIG_VALUE_0": "true",
        }.items():
            hook.setenv(name, value)
        ran = exo(clone, "init", "--json")
        assert ran.exit == 0, ran.out
        for words in (("session-start", "--ticket-id", "TICKET-001"), ("session-finish", "--summary", "x"), ("sync",)):
            ok(clone, *words)
    assert changed(before, application(other)) == []
    assert_clean(clone)


def test_a_hook_of_git_may_call_exo_in_the_middle_of_a_commit(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    ok(clone, "init")
    a_morning(clone)
    call = f"{sys.executable} -P -m exo_sidecar"
    for name, words in {
        "pre-commit": f"{call} ticket-edit TICKET-001 --note 'while committing' --json && {call} status",
        "post-commit": f"{call} sync",
        "reference-transaction": "cat >/dev/null",
    }.items():
        hook = clone / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{words}\n")
        hook.chmod(0o755)
    (clone / "src" / "app.py").write_text("print('changed')\n")
    git(clone, "commit", "-q", "-a", "-m", "governed")
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "show", "--name-only", "--format=").strip() == "src/app.py"
    assert str(ok(clone, "ticket-show", "TICKET-001")).count("while committing") >= 1
    an_evening(clone)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_clone_of_another_user_is_used_once_it_is_declared_safe(tmp_path: Path, at_home: Path) -> None:
    clone = a_clone(a_hub(tmp_path))
    subprocess.run(["chown", "-R", "12345:12345", str(clone)], check=True)
    error = refused(clone, "init")
    assert (error["code"], error["exit"]) == ("OWNER_UNTRUSTED", 8)
    assert f"safe.directory {clone}" in error["hint"]
    assert not (clone / ".exo").exists()
    settings(at_home, ("safe.directory", str(clone)))
    a_day(clone)


def test_the_global_settings_of_another_file_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "elsewhere.gitconfig"
    named.write_text(Path(os.environ["GIT_CONFIG_GLOBAL"]).read_text().replace("Ann Tester", "Bo Other"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(named))
    clone = a_clone(a_hub(tmp_path))
    ok(clone, "init")
    ran = run(exo_command(clone, "ticket-edit", "TICKET-001", "--note", "x", "--json"))
    assert ran.exit == 0
    assert "bo" in git(clone / ".exo", "grep", "-h", "human:", "--", "ledger").lower()
