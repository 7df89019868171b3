"""`exo demo`: the whole story on real repositories, and what it says when something is wrong with them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.host import stage as stages
from exo_sidecar.host.stage import Stage
from exo_sidecar.operations.demo_proof import Invariant
from exo_sidecar.operations.demo_story import Story
from tests.support.environment import ROOT
from tests.support.process import exo
from tests.support.repositories import a_repository, git

TURNS_LEASES_AWAY = '#!/bin/sh\ncase "$1" in refs/exo/leases/*) echo "no leases here" >&2; exit 1;; esac\n'
CHANGES_CODE = "#!/bin/sh\ngit -C ../ada commit -q --allow-empty -m intruder\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"README.md": "# x\n", "src/a.py": "1\n", "src/b/c.py": "2\n", "docs/guide.md": "x\n"}
    # Its own tests fail, and are none of the demonstration's business.
    files |= {"pyproject.toml": "[project]\nname = 'x'\n", "tests/test_x.py": "def test_x():\n    assert False\n"}
    return a_repository(tmp_path_factory.mktemp("source"), files=files)


@pytest.fixture
def stage(source: Path, tmp_path: Path) -> Iterator[Stage]:
    with stages.raised(source, tmp_path / "stage", os.environ) as raised:
        yield raised


def test_every_invariant_holds_one_claim_wins_and_what_is_kept_is_what_was_told(source: Path, tmp_path: Path) -> None:
    ran = exo(source, "demo", "--keep", str(tmp_path / "kept"), "--json", timeout_seconds=110)
    assert ran.exit == 0, ran.out
    assert ran.data["verdict"] == ran.data["result"] == "pass"
    assert [each["name"] for each in ran.data["invariants"] if not each["holds"]] == []
    assert len(ran.data["invariants"]) == len(Invariant)
    assert sorted(claim["exit_status"] for claim in ran.data["claims"]) == [0, 6, 6]
    assert {claim["token"] for claim in ran.data["claims"]} == {1}
    assert ran.data["path"] == str(tmp_path / "kept")
    trees = {
        git(tmp_path / "kept" / name, "rev-parse", "exo-governance^{tree}")
        for name in ("hub.git", "ada", "claude", "codex")
    }
    assert len(trees) == 1
    assert git(source, "status", "--porcelain") == ""
    assert git(source, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert not (source / ".exo").exists()


def test_a_folder_that_holds_something_is_not_used(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ran = exo(source, "demo", "--keep", str(tmp_path))
    assert ran.exit == 2
    assert "not empty" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_dry_run_makes_nothing(source: Path, tmp_path: Path) -> None:
    ran = exo(source, "demo", "--keep", str(tmp_path / "new"), "--dry-run", "--json")
    assert (ran.exit, ran.data["verdict"]) == (0, "none")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    ran = exo(tmp_path, "demo", "--repo", str(tmp_path / "missing"), "--json")
    assert ran.exit == 8
    assert ran.answer["error"]["code"] == "NOT_A_REPOSITORY"


def test_without_a_commit_to_copy_there_is_a_small_repository(tmp_path: Path) -> None:
    empty = a_repository(tmp_path, files={})
    with stages.raised(empty, tmp_path / "stage", os.environ) as raised:
        assert "src/tides/moon/phase.py" in raised.said(raised.hub, "ls-tree", "-r", "--name-only", "main")


def test_a_temporary_stage_is_taken_away(source: Path) -> None:
    with stages.raised(source, None, os.environ) as raised:
        folder = raised.folder
        assert (folder / "codex" / "src" / "a.py").exists()
    assert not folder.exists()


def test_children_see_nothing_of_the_caller(source: Path, tmp_path: Path) -> None:
    around = {"PATH": os.environ["PATH"], "EXO_ACTOR": "agent:else", "GIT_DIR": "/nowhere", "CLAUDECODE": "1"}
    with stages.raised(source, tmp_path / "stage", around) as raised:
        assert raised.environ.keys().isdisjoint({"EXO_ACTOR", "GIT_DIR", "CLAUDECODE"})


def test_a_hub_that_turns_leases_away_fails_the_race_and_all_that_follows(stage: Stage) -> None:
    hook = stage.hub / "hooks" / "update"
    hook.write_text(TURNS_LEASES_AWAY)
    hook.chmod(0o755)
    story = played(stage)
    assert not story.judged[Invariant.ONE_HOLDER].holds
    assert "0 of 3 won" in story.judged[Invariant.ONE_HOLDER].evidence
    assert not story.steps[-1].ok
    assert Invariant.ENDED not in story.judged


def test_code_that_moves_under_governance_is_found(stage: Stage) -> None:
    hook = stage.hub / "hooks" / "update"
    hook.write_text(CHANGES_CODE.replace("../ada", str(stage.clones[0].folder)).replace("git ", "env -u GIT_DIR git "))
    hook.chmod(0o755)
    story = played(stage)
    assert not story.judged[Invariant.UNTOUCHED].holds
    assert "ada" in story.judged[Invariant.UNTOUCHED].evidence
    assert story.judged[Invariant.ONE_HOLDER].holds


def test_a_repository_that_cannot_be_governed_fails_every_invariant_and_exits_1(tmp_path: Path) -> None:
    taken = a_repository(tmp_path, files={".exo": "a file where the mount would be\n"})
    ran = exo(taken, "demo", "--json")
    assert ran.exit == 1, ran.out
    assert ran.data["verdict"] == "fail"
    assert "exo init in ada ended with" in ran.data["steps"][0]["outcome"]
    assert {each["evidence"] for each in ran.data["invariants"]} == {"not reached"}


def played(stage: Stage) -> Story:
    told: list[str] = []
    story = Story(stage, told.append, lambda: 0.0)
    story.play()
    assert len(told) == len(story.steps)
    return story


def test_the_stage_runs_the_package_under_test(stage: Stage) -> None:
    assert stage.environ["PYTHONPATH"].split(":")[0] == str(ROOT)
