"""The first five commands, as a newcomer types them, in a repository of each language: all of them go well."""

import shlex
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.inprocess import exo_in_process
from tests.support.process import Ran, exo
from tests.support.repositories import a_hub, a_repository, git

START: Final = """\
exo init
exo doctor
exo next --owner your-name
EXO_ACTOR=agent:claude exo session-start --ticket-id TICKET-001 --vendor anthropic --model claude-code \
--context-window 200000 --task "Read what was written."
EXO_ACTOR=agent:claude exo session-finish --summary "It fits." --set-status review
"""
LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "python": {"pyproject.toml": "[project]\nname = 'a'\n", "tests/test_a.py": "def test_a(): pass\n"},
    "node": {"package.json": '{"name": "a", "scripts": {"test": "node --test"}}\n', "index.js": "\n"},
    "go": {"go.mod": "module a\n", "a.go": "package a\n", "a_test.go": "package a\n"},
    "rust": {"Cargo.toml": '[package]\nname = "a"\nversion = "0.1.0"\n', "src/lib.rs": "#[test]\nfn a() {}\n"},
    "java": {"pom.xml": "<project/>\n", "src/test/java/ATest.java": "class ATest {}\n"},
    "ruby": {"Gemfile": "\n", "spec/a_spec.rb": "\n"},
    "none": {"README.md": "# Example\n"},
    "nothing yet": {},
}
PROGRAMS: Final = ("cargo", "go", "mvn", "npm", "python", "python3", "rake", "rspec")


def failing(folder: Path) -> Mapping[str, str]:
    """Return an environment with the programs that checks need; each of them fails."""
    for name in PROGRAMS:
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o755 | stat.S_IXUSR)
    return bare(folder)


def bare(folder: Path) -> Mapping[str, str]:
    """Return an environment with git and nothing else."""
    program = shutil.which("git")
    assert program is not None
    (folder / "git").symlink_to(program)
    return {"PATH": str(folder)}


def typed(repository: Path, env: Mapping[str, str], run: Callable[..., Ran] = exo_in_process) -> list[Ran]:
    """Type the quick start, and return what each command left behind; each must go well."""
    found = []
    for line in START.splitlines():
        words = shlex.split(line)
        own = dict([words.pop(0).split("=", 1)]) if words[0].startswith("EXO_ACTOR=") else {}
        ran = run(repository, *words[1:], env={**env, **own})
        assert ran.exit == 0, (line, ran.out, ran.err)
        assert "warning" not in ran.err, (line, ran.err)
        found.append(ran)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_goes_well_without_a_remote_and_without_any_tool(
    language: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository = a_repository(tmp_path, files=LANGUAGES[language])
    typed(repository, bare(tmp_path_factory.mktemp("bin")))
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_goes_well_with_an_empty_remote_and_with_checks_that_fail(
    language: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository = a_repository(tmp_path, files=LANGUAGES[language])
    hub = a_hub(tmp_path, files={})
    git(repository, "remote", "add", "origin", str(hub))
    typed(repository, failing(tmp_path_factory.mktemp("bin")))
    assert git(hub, "rev-parse", "refs/heads/exo-governance") == git(repository, "rev-parse", "exo-governance")


def test_it_goes_well_as_processes_and_says_what_comes_next(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files=LANGUAGES["python"])
    hub = a_hub(tmp_path, files={})
    git(repository, "remote", "add", "origin", str(hub))
    governed, healthy, reserved, started, finished = typed(repository, {}, exo)
    assert "exo next" in governed.err
    assert "0 fail" not in healthy.out
    assert "exo session-start" in reserved.err
    assert "exo session-finish" in started.out
    assert "TICKET-001 is review" in finished.out
