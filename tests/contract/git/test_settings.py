"""Git's settings: the values in force, and our own written without disturbing anything."""

from pathlib import Path

import pytest

from exo_sidecar.git import configtext
from exo_sidecar.git.lockfile import lock_of
from exo_sidecar.git.settings import GitSettings, SettingsBusy, SettingsUnreadable
from tests.support.repositories import a_repository, git

COMMENTED = """\
# kept
[core]
\tbare = false ; kept too
[remote "origin"] url = old
\tfetch = +refs/heads/*:refs/remotes/origin/*
[empty]
"""


def _settings(tmp_path: Path, text: str = "") -> GitSettings:
    repository = a_repository(tmp_path)
    if text:
        (repository / ".git" / "config").write_text(text)
    return GitSettings(repository / ".git")


def test_the_repositorys_value_stands_before_the_users(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert settings.user() == ("Ann Tester", "ann@example.invalid")
    git(tmp_path / "repo", "config", "user.name", "Local Name")
    assert GitSettings(tmp_path / "repo" / ".git").user() == ("Local Name", "ann@example.invalid")
    assert settings.get(("exo",), "absent") is None
    assert settings.get(("absent", "sub"), "key") is None


def test_remotes_have_the_address_that_git_would_use(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    repository = tmp_path / "repo"
    git(repository, "remote", "add", "origin", "short:project.git")
    git(repository, "remote", "add", "backup", str(tmp_path / "b"))
    git(repository, "config", "url.https://example.invalid/.insteadOf", "short:")
    git(repository, "config", "url.ssh://example.invalid/.pushInsteadOf", "short:")
    git(repository, "config", "remote.noaddress.fetch", "x")
    assert settings.remotes() == ("backup", "origin")
    assert settings.remote_url("origin") == "https://example.invalid/project.git"
    assert settings.remote_url("origin") == git(repository, "remote", "get-url", "origin")
    assert settings.remote_url("origin", push=True) == git(repository, "remote", "get-url", "--push", "origin")
    assert settings.remote_url("nobody") is None


@pytest.mark.parametrize("value", ["plain", " spaces ", 'qu"ote', "back\\slash", "a # b; c", "", "ünï"])
def test_a_value_that_is_set_is_read_by_git_and_by_us(tmp_path: Path, value: str) -> None:
    settings = _settings(tmp_path)
    for section in (("exo",), ("remote", 'we"ird\\name')):
        settings.set(section, "someKey", "before")
        settings.set(section, "someKey", value)
        assert settings.get(section, "someKey") == value
        assert git(tmp_path / "repo", "config", "--get-all", ".".join((*section, "someKey"))) == value
        own = configtext.read(tmp_path / "repo" / ".git" / "config")
        assert [item.value for item in own if item.key == "somekey"][-1] == value


def test_comments_and_other_lines_stay_as_they_are(tmp_path: Path) -> None:
    settings = _settings(tmp_path, COMMENTED)
    settings.set(("remote", "origin"), "prune", "true")
    settings.set(("empty",), "key", "1")
    settings.set(("core",), "bare", "true")
    text = (tmp_path / "repo" / ".git" / "config").read_text()
    assert text.startswith("# kept\n[core]\n\tbare = true\n[remote")
    for key, value in (("remote.origin.url", "old"), ("remote.origin.prune", "true"), ("empty.key", "1")):
        assert git(tmp_path / "repo", "config", key) == value


@pytest.mark.parametrize(("key", "value"), [("a b", "x"), ("key", "two\nlines"), ("", "x"), ("1key", "x"), ("k", "\0")])
def test_what_no_configuration_can_hold_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        _settings(tmp_path).set(("exo",), key, value)


def test_a_locked_configuration_is_left_alone(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    config = tmp_path / "repo" / ".git" / "config"
    before = config.read_text()
    lock_of(config).touch()
    with pytest.raises(SettingsBusy):
        settings.set(("exo",), "key", "value")
    assert config.read_text() == before


def test_a_configuration_that_cannot_be_parsed_is_an_error(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "[broken\n\tx = y\n")
    with pytest.raises(SettingsUnreadable):
        settings.get(("user",), "name")


def test_the_standard_library_reader_agrees_with_git(tmp_path: Path) -> None:
    text = (
        '[a]\n\tone = 1 # comment\n\ttwo = "quoted # not comment" tail\n\tthree\n[A "Sub.Sec"]\n'
        '\tfour = x\\\n  y\n\tFIVE = "\\t\\"q\\" \\\\"\n[old.Style] six=6\n; comment \\\n[b] seven = 7\n'
    )
    repository = a_repository(tmp_path)
    with (repository / ".git" / "config").open("a") as file:
        file.write(text)
    raw = git(repository, "config", "--local", "--list", "-z")
    expected = [entry.partition("\n")[::2] if "\n" in entry else (entry, "true") for entry in raw.split("\0") if entry]
    found = [
        (".".join(part for part in item[:3] if part is not None), item.value)
        for item in configtext.read(repository / ".git" / "config")
    ]
    assert found == expected
