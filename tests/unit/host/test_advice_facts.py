"""Facts for advice, from real repositories: what is not merged, who is ahead, what the machine has."""

import shutil
from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import advice_facts, branches
from exo_sidecar.host.advice_facts import Unmerged, Wanted
from tests.support.repositories import a_clone, a_repository, commit_files, git

APART = frozenset({"main", "exo-governance"})
NOW = 1_767_323_045
"""When commits of tests are made."""
ALWAYS = Wanted(since=0, apart=APART, merged=("HEAD",))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_repository(tmp_path_factory.mktemp("ground"), files={"src/a": "1\n", "src/b": "1\n"})


@pytest.fixture
def repo(ground: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ground, tmp_path / "repo"))


def a_branch(repo: Path, name: str, files: dict[str, str], *, start: str = "main", at: int | None = None) -> str:
    """Commit files on a new branch, as if that had been done at a time, and come back to main."""
    git(repo, "switch", "-q", "-c", name, start)
    commit = commit_files(repo, files)
    if at is not None:
        tree, parent = git(repo, "rev-parse", "HEAD^{tree}"), git(repo, "rev-parse", "HEAD^")
        person = f"A <a@example.org> {at} +0000"
        text = f"tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\n\nold\n"
        commit = git(repo, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text)
        git(repo, "update-ref", f"refs/heads/{name}", commit)
    git(repo, "switch", "-q", "-f", "main")
    return commit


def names(found: tuple[Unmerged, ...]) -> list[str]:
    return [each.name for each in found]


def test_a_branch_with_work_of_its_own_is_told_with_what_it_changes(repo: Path) -> None:
    tip = a_branch(repo, "topic", {"src/a": "2\n", "docs/x ö": "x\n"})
    (found,) = advice_facts.unmerged(repo, ALWAYS)
    assert (found.name, found.tip, found.paths) == ("topic", tip, ("docs/x ö", "src/a"))
    assert found.committed == NOW


def test_what_is_merged_is_not_told_whichever_way_it_was(repo: Path) -> None:
    a_branch(repo, "behind", {"src/a": "2\n"})
    git(repo, "merge", "-q", "--ff-only", "behind")
    a_branch(repo, "merged", {"src/b": "2\n"})
    git(repo, "merge", "-q", "--no-ff", "--no-edit", "merged")
    git(repo, "branch", "same")
    assert advice_facts.unmerged(repo, ALWAYS) == ()


def test_what_the_base_branch_has_by_now_is_nobodys_open_work(repo: Path) -> None:
    tip = a_branch(repo, "landed", {"src/a": "2\n"})
    assert names(advice_facts.unmerged(repo, ALWAYS)) == ["landed"]
    assert advice_facts.unmerged(repo, ALWAYS._replace(merged=("HEAD", tip))) == ()


def test_old_tips_own_branches_and_leases_are_left_out(repo: Path) -> None:
    a_branch(repo, "old", {"src/a": "2\n"}, at=NOW - 1000)
    a_branch(repo, "young", {"src/a": "3\n"}, at=NOW - 10)
    a_branch(repo, "exo-governance", {"x": "2\n"})
    a_branch(repo, "exo-leases/TICKET-1", {"x": "3\n"})
    wanted = ALWAYS._replace(since=NOW - 500, prefixes=("refs/heads/exo-leases/",))
    assert names(advice_facts.unmerged(repo, wanted)) == ["young"]
    assert names(advice_facts.unmerged(repo, wanted._replace(since=NOW - 1000))) == ["young", "old"]


def test_of_a_branch_here_and_at_a_remote_the_newest_is_told_once(repo: Path) -> None:
    a_branch(repo, "topic", {"src/a": "2\n"}, at=NOW - 100)
    clone = a_clone(repo, "cloned")
    assert names(advice_facts.unmerged(clone, ALWAYS)) == ["origin/topic"]
    git(clone, "branch", "topic", "origin/topic")
    git(clone, "switch", "-q", "topic")
    commit_files(clone, {"src/b": "2\n"})
    git(clone, "switch", "-q", "main")
    (found,) = advice_facts.unmerged(clone, ALWAYS)
    assert (found.name, found.paths) == ("topic", ("src/a", "src/b"))


def test_branches_that_stand_on_each_other_have_what_leads_to_them(repo: Path) -> None:
    a_branch(repo, "lower", {"src/a": "2\n"}, at=NOW - 20)
    a_branch(repo, "upper", {"src/b": "2\n"}, start="lower", at=NOW - 10)
    found = {each.name: each.paths for each in advice_facts.unmerged(repo, ALWAYS)}
    assert found == {"lower": ("src/a",), "upper": ("src/a", "src/b")}


def test_only_the_newest_branches_are_looked_at(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        a_branch(repo, f"b{number}", {"src/a": f"work {number}\n"}, at=NOW - 100 + number)
    monkeypatch.setattr(advice_facts, "LOOKED_AT_MAX", 2)
    assert names(advice_facts.unmerged(repo, ALWAYS)) == ["b3", "b2"]


def test_how_far_head_is_behind_is_counted(repo: Path) -> None:
    assert advice_facts.behind(repo, ()) == 0
    base = git(repo, "rev-parse", "HEAD")
    git(repo, "switch", "-q", "-c", "work")
    git(repo, "switch", "-q", "main")
    for number in range(3):
        tip = commit_files(repo, {"src/a": f"x{number}\n"})
    git(repo, "switch", "-q", "work")
    assert advice_facts.behind(repo, (tip,)) == 3
    assert advice_facts.behind(repo, (base,)) == 0


def test_the_upstream_is_what_the_branch_follows_as_far_as_it_is_known(repo: Path) -> None:
    clone = a_clone(repo, "cloned")
    place = locate(clone)
    tip = git(clone, "rev-parse", "HEAD")
    assert advice_facts.upstream_of(place, "main") == ("refs/remotes/origin/main", tip)
    git(clone, "switch", "-q", "-c", "work", "--track", "main")
    assert advice_facts.upstream_of(place, "work") == ("refs/heads/main", tip)
    git(clone, "branch", "alone", "--no-track")
    git(clone, "config", "branch.gone.remote", "origin")
    git(clone, "config", "branch.gone.merge", "refs/heads/gone")
    assert advice_facts.upstream_of(place, "alone") is None
    assert advice_facts.upstream_of(place, "gone") is None


def test_both_sides_of_a_parting_are_counted(repo: Path) -> None:
    clone = a_clone(repo, "cloned")
    for number in range(2):
        commit_files(repo, {"src/a": f"x{number}\n"})
    git(clone, "fetch", "-q")
    assert advice_facts.apart(clone, "refs/remotes/origin/main") == (0, 2)
    commit_files(clone, {"src/b": "x\n"})
    assert advice_facts.apart(clone, "refs/remotes/origin/main") == (1, 2)


def test_the_tip_of_a_branch_is_found_here_else_at_a_remote(repo: Path) -> None:
    tip = a_branch(repo, "topic", {"src/a": "2\n"})
    clone = locate(a_clone(repo, "cloned"))
    assert branches.tip(locate(repo), "topic", ()) == tip
    assert branches.tip(clone, "topic", ()) is None
    assert branches.tip(clone, "topic", ("origin",)) == tip
    assert branches.tip(clone, "no such..name", ("origin",)) is None


def test_the_machine_has_cores_a_load_and_memory() -> None:
    found = advice_facts.machine()
    assert found.cores >= 1
    assert found.load >= 0
    assert found.memory_mib > 0
