"""Where a folder's repository is: every layout that git knows, and those that are refused."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exo_sidecar.git.locate import default_mount, locate, mount_of
from exo_sidecar.model.errors import NotARepository, OwnerUntrusted, RepositoryUnsupported
from tests.support.plumbing import mounted
from tests.support.repositories import a_repository, git


def test_a_subfolder_belongs_to_the_worktree_above(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    place = locate(repository / "src")
    assert (place.worktree, place.git_dir, place.common) == (repository, repository / ".git", repository / ".git")
    assert not place.in_mount
    assert default_mount(place) == repository / ".exo"


def test_a_file_belongs_to_the_repository_of_its_folder(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert locate(repository / "src" / "app.py").worktree == repository


def test_the_git_directory_itself_belongs_to_its_worktree(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert locate(repository / ".git" / "hooks").worktree == repository


def test_a_linked_worktree_shares_the_common_directory(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "../linked")
    place = locate(tmp_path / "linked" / "src")
    assert place.worktree == tmp_path / "linked"
    assert place.git_dir == repository / ".git" / "worktrees" / "linked"
    assert place.common == repository / ".git"
    assert default_mount(place) == repository / ".exo"


def test_a_moved_linked_worktree_is_where_it_is_found(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "../linked")
    (tmp_path / "linked").rename(tmp_path / "elsewhere")
    assert locate(tmp_path / "elsewhere").worktree == tmp_path / "elsewhere"


def test_a_bare_repository_has_no_worktree_and_gets_its_mount_beside_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "hub.git")
    place = locate(tmp_path / "hub.git" / "objects")
    assert (place.worktree, place.common) == (None, tmp_path / "hub.git")
    assert default_mount(place) == tmp_path / ".exo"


@pytest.mark.parametrize("name", [".git", ".bare"])
def test_worktrees_around_a_bare_repository_share_one_mount(tmp_path: Path, name: str) -> None:
    source = a_repository(tmp_path, "source")
    project = tmp_path / "project"
    project.mkdir()
    git(project, "clone", "-q", "--bare", str(source), name)
    if name == ".bare":
        (project / ".git").write_text("gitdir: ./.bare\n")
    git(project / name, "worktree", "add", "-q", "../feature")
    top, feature = locate(project), locate(project / "feature")
    assert (top.worktree, top.common) == (None, project / name)
    assert (feature.worktree, feature.common) == (project / "feature", project / name)
    assert default_mount(top) == default_mount(feature) == project / ".exo"


def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path) -> None:
    inner, outer = a_repository(tmp_path, "inner"), a_repository(tmp_path, "outer")
    git(outer, "submodule", "--quiet", "add", str(inner), "libs/inner")
    place = locate(outer / "libs" / "inner" / "src")
    assert place.worktree == outer / "libs" / "inner"
    assert place.common == outer / ".git" / "modules" / "libs" / "inner"
    assert default_mount(place) == outer / "libs" / "inner" / ".exo"
    assert default_mount(locate(place.common)) == outer / "libs" / "inner" / ".exo"


def test_inside_of_the_mount_is_known_and_leads_to_the_same_common_directory(tmp_path: Path) -> None:
    _, mount = mounted(a_repository(tmp_path))
    place = locate(mount / "tickets")
    assert place.in_mount
    assert (place.worktree, place.common) == (mount, tmp_path / "repo" / ".git")
    assert default_mount(place) == mount == mount_of(place.common)


def test_a_link_on_the_way_is_resolved(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    (tmp_path / "link").symlink_to(repository / "src")
    assert locate(tmp_path / "link").worktree == repository


def test_git_variables_of_a_running_hook_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository, other = a_repository(tmp_path), a_repository(tmp_path, "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert locate(repository).common == repository / ".git"


def test_a_folder_outside_of_any_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotARepository, match=str(tmp_path)):
        locate(tmp_path)


def test_a_broken_link_is_refused_and_named(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    git(repository, "worktree", "add", "-q", "../linked")
    shutil.rmtree(repository)
    with pytest.raises(NotARepository, match="linked"):
        locate(tmp_path / "linked")


def test_a_sha256_repository_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "repo")
    with pytest.raises(RepositoryUnsupported, match="objectformat = sha256"):
        locate(tmp_path / "repo")


@pytest.mark.parametrize("setting", ["refStorage = reftable", "compatObjectFormat = sha256", "somethingNew = true"])
def test_a_format_that_we_do_not_write_is_refused(tmp_path: Path, setting: str) -> None:
    repository = a_repository(tmp_path)
    with (repository / ".git" / "config").open("a") as file:
        file.write(f"[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\t{setting}\n")
    with pytest.raises(RepositoryUnsupported, match=setting.partition(" ")[0].lower()):
        locate(repository)


def test_extensions_that_change_nothing_for_us_are_allowed(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    with (repository / ".git" / "config").open("a") as file:
        file.write("[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\trelativeWorktrees = true\n\tnoop\n")
    assert locate(repository).worktree == repository


def test_another_users_repository_is_refused_until_it_is_declared_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = a_repository(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "none"))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    monkeypatch.setattr(os, "geteuid", lambda: repository.stat().st_uid + 4321)
    with pytest.raises(OwnerUntrusted, match="another user") as refused:
        locate(repository)
    assert str(repository) in refused.value.hint
    config = home / ".gitconfig"
    for text, is_safe in (
        (f"[safe]\n\tdirectory = {repository} # mine\n", True),
        (f"[safe]\n\tdirectory = {tmp_path}/*\n", True),
        ("[safe]\n\tdirectory = *\n", True),
        (f"[safe]\n\tdirectory = {repository}\n\tdirectory =\n", False),
        (f"[safe]\n\tdirectory = {tmp_path}\n", False),
    ):
        config.write_text(text)
        if is_safe:
            assert locate(repository).worktree == repository
        else:
            with pytest.raises(OwnerUntrusted):
                locate(repository)


def test_the_file_of_settings_that_git_was_told_to_use_declares_what_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = a_repository(tmp_path)
    (tmp_path / "named").write_text(f"[safe]\n\tdirectory = {repository}\n")
    monkeypatch.setattr(os, "geteuid", lambda: repository.stat().st_uid + 4321)
    for variable, is_safe in (("GIT_CONFIG_GLOBAL", True), ("GIT_CONFIG_SYSTEM", False)):
        with monkeypatch.context() as told:
            told.setenv(variable, str(tmp_path / "named"))  # GIT_CONFIG_NOSYSTEM is set in every test
            if is_safe:
                assert locate(repository).worktree == repository
            else:
                with pytest.raises(OwnerUntrusted):
                    locate(repository)


def test_root_may_use_what_belongs_to_the_user_who_became_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = a_repository(tmp_path)
    uid = repository.stat().st_uid
    if uid == 0:
        for path in (repository, repository / ".git"):
            os.chown(path, 1234, -1)
        uid = 1234
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(OwnerUntrusted):
        locate(repository)
    monkeypatch.setenv("SUDO_UID", str(uid))
    assert locate(repository).worktree == repository


def test_hooks_can_locate_with_the_standard_library_alone(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    script = (
        "import sys; from pathlib import Path; from exo_sidecar.git.locate import locate, mount_of;"
        "from exo_sidecar.git.refs import Refs; place = locate(Path.cwd()); mount_of(place.common);"
        "assert Refs(place.common).read('HEAD');"
        "print([n for n in ('dulwich', 'msgspec', 'dataclasses', 'subprocess', 'json') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_locating_takes_about_a_millisecond_at_most(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    best = float("inf")
    for _ in range(50):
        started = time.perf_counter()
        locate(repository / "src")
        best = min(best, time.perf_counter() - started)
    assert best < 0.002
