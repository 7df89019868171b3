"""Ancestors and merge bases, on graphs where commit times help, and where they lie."""

import random
import time
from pathlib import Path

import pytest

from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.graph import is_ancestor, merge_bases, only_in
from exo_sidecar.git.locate import locate
from exo_sidecar.git.objects import Kind, ObjectMissing, object_id
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.repository import Repository, init
from tests.support.plumbing import a_commit
from tests.support.repositories import a_hub, commit_files, git


def _store(tmp_path: Path) -> Repository:
    repository = Repository(init(tmp_path / "repo", "main"))
    repository.objects.write([("tree", b"")])
    return repository


def _chain(repository: Repository, length: int, *, start: tuple[Oid, ...] = (), label: str = "c") -> list[Oid]:
    chain: list[Oid] = []
    parents = start
    for number in range(length):
        chain.append(a_commit(repository, EMPTY_TREE, parents, message=f"{label}{number}", time=1000 + number))
        parents = (chain[-1],)
    return chain


def test_on_a_line_the_older_is_an_ancestor_of_the_newer_and_not_the_reverse(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    chain = _chain(repository, 5)
    assert is_ancestor(repository.objects, chain[1], chain[4])
    assert is_ancestor(repository.objects, chain[4], chain[4])
    assert not is_ancestor(repository.objects, chain[4], chain[1])
    assert merge_bases(repository.objects, chain[1], chain[4]) == (chain[1],)


def test_parted_histories_meet_at_their_base(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    trunk = _chain(repository, 3)
    left, right = (_chain(repository, n, start=(trunk[-1],), label=side) for n, side in ((4, "l"), (2, "r")))
    assert merge_bases(repository.objects, left[-1], right[-1]) == (trunk[-1],)
    assert not is_ancestor(repository.objects, left[0], right[-1])


def test_unrelated_histories_have_no_base(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    one, other = _chain(repository, 3, label="a"), _chain(repository, 3, label="b")
    assert merge_bases(repository.objects, one[-1], other[-1]) == ()
    assert not is_ancestor(repository.objects, one[0], other[-1])


def test_a_criss_cross_has_two_bases(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    root = _chain(repository, 1)[0]
    a, b = (a_commit(repository, EMPTY_TREE, (root,), message=m, time=2000) for m in "ab")
    left = a_commit(repository, EMPTY_TREE, (a, b), message="l", time=3000)
    right = a_commit(repository, EMPTY_TREE, (b, a), message="r", time=3000)
    assert set(merge_bases(repository.objects, left, right)) == {a, b}


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs_with_lying_clocks_agree_with_git(tmp_path: Path, seed: int) -> None:
    repository = _store(tmp_path)
    choice = random.Random(seed)
    made: list[Oid] = []
    for number in range(24):
        parents = tuple(choice.sample(made[-8:], min(len(made), choice.choice((0, 1, 1, 1, 2, 2)))))
        made.append(a_commit(repository, EMPTY_TREE, parents, message=str(number), time=choice.randrange(1, 4000)))
    for _ in range(12):
        one, other = choice.sample(made, 2)
        found = git(tmp_path / "repo", "rev-list", "--count", f"{one}..{other}")
        assert is_ancestor(repository.objects, other, one) == (found == "0")
        apart = set(git(tmp_path / "repo", "rev-list", f"{other}..{one}").split())
        assert apart <= set(only_in(repository.objects, one, other)) <= set(_history(tmp_path, one))
        reduced = git(tmp_path / "repo", "rev-list", "--no-walk", *_independent(tmp_path, one, other)).split()
        assert sorted(merge_bases(repository.objects, one, other)) == sorted(reduced)


def _history(tmp_path: Path, oid: str) -> list[str]:
    return git(tmp_path / "repo", "rev-list", oid).split()


def _independent(tmp_path: Path, one: Oid, other: Oid) -> list[str]:
    """Return the best common ancestors by brute force: the common ones, less their own ancestors."""
    reach = [set(_history(tmp_path, oid)) for oid in (one, other)]
    common = reach[0] & reach[1]
    below: set[str] = set()
    for oid in common:
        below |= set(_history(tmp_path, oid)) - {oid}
    return sorted(common - below) or ["--max-count=0", "--all"]


def test_a_shallow_clones_border_is_a_root(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    source = tmp_path / "hub.git.source"
    for number in range(4):
        commit_files(source, {"n.txt": str(number)}, str(number))
    git(source, "push", "-q", str(hub), "main")
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{hub}", "shallow")
    with Repository(locate(tmp_path / "shallow")) as opened:
        tip = opened.refs.read("HEAD")
        assert tip is not None
        border = Oid(git(tmp_path / "shallow", "rev-parse", "HEAD~1"))
        assert is_ancestor(opened.objects, border, tip)
        with pytest.raises(ObjectMissing):
            is_ancestor(opened.objects, Oid("1" * 40), tip)


def test_a_long_line_is_walked_once_and_only_as_far_as_needed(tmp_path: Path) -> None:
    repository = _store(tmp_path)
    chain = _chain_quickly(repository, 3000)
    started = time.perf_counter()
    assert is_ancestor(repository.objects, chain[-4], chain[-1])
    near = time.perf_counter() - started
    assert not is_ancestor(repository.objects, chain[-1], chain[-2])
    assert is_ancestor(repository.objects, chain[0], chain[-1])
    whole = time.perf_counter() - started - near
    assert near < 0.05
    assert whole < 3


def _chain_quickly(repository: Repository, length: int) -> list[Oid]:
    chain: list[Oid] = []
    items: list[tuple[Kind, bytes]] = []
    for number in range(length):
        parents = (chain[-1],) if chain else ()
        data = commits.serialise(Commit(EMPTY_TREE, parents, "p <p@x>", number, "p <p@x>", number, ""))
        chain.append(object_id("commit", data))
        items.append(("commit", data))
    repository.objects.write(items, durable=False)
    return chain
