"""scan, and how init fits the first constitution and settings to a repository."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from exo_sidecar.domain import constitution, languages
from exo_sidecar.domain import scan as scans
from exo_sidecar.kernel.load_governance import load_governance
from exo_sidecar.model.policy import Constitution, Lock
from exo_sidecar.model.survey import Survey
from exo_sidecar.store import policy_blocks
from tests.support.inprocess import exo_in_process as exo
from tests.support.repositories import a_repository, git

CARGO: Final = '[package]\nname = "a"\nversion = "0.1.0"\n'
REPOSITORIES: Final[Mapping[str, tuple[Mapping[str, str], tuple[str, ...], tuple[str, ...]]]] = {
    "python": (
        {"pyproject.toml": "[project]\n", "tests/test_a.py": "def test_a(): pass\n", "src/a.py": ""},
        ("python",),
        ("python -m pytest",),
    ),
    "node": (
        {"package.json": '{"scripts": {"test": "node --test", "lint": "eslint ."}}', "package-lock.json": "{}"},
        ("npm",),
        ("npm test", "npm run lint"),
    ),
    "go": (
        {"go.mod": "module a\n", "a.go": "package a\n", "a_test.go": ""},
        ("go",),
        ("go test ./...", "go vet ./..."),
    ),
    "rust": (
        {"Cargo.toml": CARGO, "src/lib.rs": "#[test]\nfn a() {}\n"},
        ("cargo", "cargo-clippy"),
        ("cargo test", "cargo clippy"),
    ),
    "java": ({"pom.xml": "<project/>", "src/test/java/ATest.java": ""}, ("mvn",), ("mvn test",)),
    "ruby": ({"Gemfile": "", "spec/a_spec.rb": "", "test/a.rb": ""}, ("rspec", "rake"), ("rspec",)),
}


def programs(folder: Path, *names: str) -> Mapping[str, str]:
    """Return an environment in which these programs, which do nothing and do it well, are found before all others."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755 | stat.S_IXUSR)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}


def scanned(cwd: Path, env: Mapping[str, str], *words: str) -> Any:  # noqa: ANN401 - JSON
    """Return what scan finds."""
    ran = exo(cwd, "scan", *words, "--json", env=env)
    assert ran.exit == 0, ran.out
    return ran.data


@pytest.mark.parametrize("language", sorted(REPOSITORIES))
def test_the_quick_start_works_in_a_fresh_repository_of_each_language(tmp_path: Path, language: str) -> None:
    files, found, checks = REPOSITORIES[language]
    repository = a_repository(tmp_path, files=files)
    env = programs(tmp_path / "bin", *found)
    data = scanned(repository, env)
    assert (data["primary_language"], data["proposed"]["checks"]) == (language, list(checks))
    made = exo(repository, "init", "--json", env=env)
    assert made.exit == 0, made.out
    assert (made.data["scan"]["primary_language"], made.data["scan"]["checks"]) == (language, list(checks))
    for words in (("config-validate",), ("doctor",), ("next", "--owner", "jane")):
        ran = exo(repository, *words, "--json", env=env)
        assert ran.exit == 0, ran.out
    agent = {**env, "EXO_ACTOR": "agent:claude"}
    begun = exo(repository, "session-start", "--ticket-id", "TICKET-001", "--vendor", "a", "--json", env=agent)
    assert begun.exit == 0, begun.out
    ended = exo(repository, "session-finish", "--summary", "x", "--set-status", "review", "--json", env=agent)
    assert ended.exit == 0, ended.out
    assert git(repository, "status", "--porcelain") == ""


def test_a_check_is_proposed_only_where_it_can_run_and_has_something_to_do() -> None:
    here = Survey(("package.json", "go.mod"), (), (), frozenset({"npm", "go"}), frozenset())
    assert scans.scan(here).proposal.checks == ()
    assert scans.scan(here._replace(scripts=frozenset({"test"}))).proposal.checks == ("npm test",)
    tested = here._replace(files=("go.mod", "a_test.go"))
    assert scans.scan(tested).proposal.checks == ("go test ./...", "go vet ./...")
    assert scans.scan(tested._replace(programs=frozenset())).proposal.checks == ()
    both = Survey(("setup.py", "tests/test_a.py"), (), (), frozenset({"python", "python3"}), frozenset())
    assert scans.worth_asking(both) == ("python", "python3")
    modules = frozenset({"python", "python:pytest", "python3:pytest"})
    assert scans.scan(both._replace(programs=modules)).proposal.checks == ("python -m pytest",)


def test_confidence_is_the_part_of_the_markers_and_in_folders_they_count_half() -> None:
    found = scans.scan(Survey(("Cargo.toml", "web/package.json"), (), (), frozenset(), frozenset())).languages
    assert [(each.name, each.confidence) for each in found] == [("rust", 0.5), ("node", 0.12)]
    tied = scans.scan(Survey(("go.mod", "Cargo.toml"), (), (), frozenset(), frozenset())).languages
    assert [each.name for each in tied] == ["go", "rust"]


def test_sensitive_files_source_folders_and_the_archive_become_rules(tmp_path: Path) -> None:
    files = {"src/a.py": "", "deploy/server.pem": "", "archive/old.txt": "", ".gitignore": "secret.key\nvenv/\n"}
    repository = a_repository(tmp_path, files=files)
    (repository / "secret.key").write_text("")
    (repository / "venv").mkdir()
    (repository / "venv" / "cert.pem").write_text("")
    data = scanned(repository, {})
    assert data["sensitive_files"] == ["deploy/server.pem", "secret.key"]
    rules = {each["id"]: each["patterns"] for each in data["proposed"]["rules"]}
    assert rules == {"SEC-002": ["**/*.pem", "**/*.key"], "DEL-001": ["src/**"], "ARC-001": ["archive/**"]}
    assert data["proposed"]["ignore"] == ["archive/**"]
    assert exo(repository, "init", "--json").data["scan"]["rules"] == ["SEC-002", "DEL-001", "ARC-001"]


def test_without_a_scan_every_repository_gets_the_same(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files={"src/a.py": "", "key.pem": ""})
    assert exo(repository, "init", "--no-scan", "--json").data["scan"] is None
    text = (repository / ".exo" / "CONSTITUTION.md").read_text()
    assert text == constitution.text()
    assert "SEC-002" not in text


def test_scan_writes_nothing_and_needs_no_governed_repository(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files={"lib/a.rb": "", "Gemfile": "", ".github/workflows/ci.yml": ""})
    before = sorted(repository.rglob("*"))
    data = scanned(repository, {})
    assert (data["primary_language"], data["source_dirs"], data["ci_systems"]) == ("ruby", ["lib"], ["GitHub Actions"])
    assert sorted(repository.rglob("*")) == before
    assert scanned(repository, {}, "--path", "lib")["primary_language"] is None
    assert exo(repository, "scan", "--path", "..", "--json").exit == 2


def test_a_repository_without_git_s_program_is_scanned_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = a_repository(tmp_path, files={"go.mod": "", "a.go": ""})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert scanned(repository, {})["primary_language"] == "go"


def test_the_first_constitution_compiles_with_every_rule_that_a_scan_may_add() -> None:
    survey = Survey(("src/a", "k.pem", "archive/b"), (), ("archive", "src"), frozenset(), frozenset())
    read = policy_blocks.read(constitution.text(scans.scan(survey).proposal.rules))
    assert read.faults == ()
    lock = load_governance(Constitution(source="0" * 64, rules=read.sources))
    assert isinstance(lock, Lock)
    assert [rule.id for rule in lock.rules] == [
        *("SEC-001", "GIT-001", "EXO-001", "SEC-002", "DEL-001", "ARC-001", "LOCK-001", "CHECK-001"),
        *("EVO-001", "EVO-002", "EVO-003", "ACT-001", "ACT-002", "ACT-003", "ACT-004"),
    ]


def test_the_table_of_languages_offers_nothing_for_a_language_that_it_does_not_know() -> None:
    known = {each.name for each in languages.LANGUAGES}
    assert {each.language for each in (*languages.OFFERS, *languages.BUILDS)} <= known
