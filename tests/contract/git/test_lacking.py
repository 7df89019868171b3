"""What a push must send, compared with C git's own answer on histories made at random."""

import random
from pathlib import Path

import pytest

from exo_sidecar.git import tree
from exo_sidecar.git.commits import Commit, serialise
from exo_sidecar.git.lacking import lacking
from exo_sidecar.git.locate import locate
from exo_sidecar.git.objects import ObjectMissing
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from tests.support.repositories import a_repository, git

PERSON = "jane <jane@example.org>"


def _history(repository: Repository, source: random.Random, length: int) -> list[Oid]:
    """Write commits of one to two parents each; clocks run wrong now and then."""
    objects, made, roots = repository.objects, list[Oid](), dict[Oid, Oid]()
    for number in range(length):
        parents = tuple(dict.fromkeys(source.choices(made[-6:], k=source.choice([1, 1, 2])))) if made else ()
        [blob] = objects.write([("blob", f"{source.randrange(12)}\n".encode())], durable=False)
        path = f"{source.randrange(3)}/{source.randrange(4)}"
        spliced = tree.splice(objects, roots[parents[0]] if parents else None, {path: blob})
        objects.write([("tree", data) for data in spliced.trees], durable=False)
        moment = 1000 + number + source.choice([0, 0, 0, -50, 50])
        commit = Commit(spliced.root, parents, PERSON, moment, PERSON, moment, str(number))
        [oid] = objects.write([("commit", serialise(commit))], durable=False)
        roots[oid] = spliced.root
        made.append(oid)
    return made


def _closure(top: Path, tips: list[Oid]) -> set[str]:
    return {line.split()[0] for line in git(top, "rev-list", "--objects", *tips).splitlines()} if tips else set()


@pytest.mark.parametrize("seed", range(12))
def test_what_is_sent_and_what_is_there_make_the_tip_whole(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    top = a_repository(tmp_path)
    with Repository(locate(top)) as repository:
        history = _history(repository, source, 40)
        tip = history[-1]
        there = source.sample(history[:-1], source.choice([0, 1, 2]))
        known = source.sample(history[:-1], 2) + there
        sent = lacking(repository.objects, [tip], known, there)
        assert len(sent) == len(set(sent))
        assert _closure(top, [tip]) <= set(sent) | _closure(top, known)
        assert set(sent) <= _closure(top, [tip])


def test_one_commit_on_a_long_history_reads_and_sends_only_what_is_new(tmp_path: Path) -> None:
    top = a_repository(tmp_path)
    with Repository(locate(top)) as repository:
        objects = repository.objects
        [blob] = objects.write([("blob", b"x\n")], durable=False)
        first = tree.splice(objects, None, {f"{folder}/{name}": blob for folder in range(8) for name in range(8)})
        objects.write([("tree", data) for data in first.trees], durable=False)
        parent: tuple[Oid, ...] = ()
        for number in range(30):
            commit = Commit(first.root, parent, PERSON, number, PERSON, number, "same")
            parent = (objects.write([("commit", serialise(commit))], durable=False)[0],)
        [new] = objects.write([("blob", b"y\n")], durable=False)
        second = tree.splice(objects, first.root, {"3/3": new})
        objects.write([("tree", data) for data in second.trees], durable=False)
        last = serialise(Commit(second.root, parent, PERSON, 99, PERSON, 99, "new"))
        [tip] = objects.write([("commit", last)], durable=False)
        # The history behind what the server has is not even here.
        root = git(top, "rev-list", "--max-parents=0", tip)
        (top / ".git" / "objects" / root[:2] / root[2:]).unlink()
        assert len(lacking(objects, [tip], [parent[0]], [parent[0]])) == 4
        assert lacking(objects, [parent[0]], [parent[0]], []) == []


def test_a_tip_that_is_not_here_cannot_be_sent(tmp_path: Path) -> None:
    with Repository(locate(a_repository(tmp_path))) as repository, pytest.raises(ObjectMissing):
        lacking(repository.objects, [Oid("1" * 40)], [], [])


def test_a_tree_of_any_depth_is_sent_because_history_holds_it(tmp_path: Path) -> None:
    with Repository(locate(a_repository(tmp_path))) as repository:
        objects = repository.objects
        [oid] = objects.write([("blob", b"deep")], durable=False)
        mode = tree.FILE_MODE
        for _ in range(2000):
            [oid] = objects.write([("tree", tree.serialise([tree.Entry("d", mode, oid)]))], durable=False)
            mode = tree.TREE_MODE
        commit = Commit(oid, (), PERSON, 1, PERSON, 1, "deep")
        [tip] = objects.write([("commit", serialise(commit))], durable=False)
        assert len(lacking(objects, [tip], [], [])) == 2002


def test_a_tree_that_is_larger_than_any_of_ours_is_sent_because_history_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "TREE_BYTES_MAX", 1000)
    with Repository(locate(a_repository(tmp_path))) as repository:
        objects = repository.objects
        [blob] = objects.write([("blob", b"")], durable=False)
        names = [tree.Entry(f"{number:04}", tree.FILE_MODE, blob) for number in range(100)]
        [oid] = objects.write([("tree", tree.serialise(names))], durable=False)
        commit = Commit(oid, (), PERSON, 1, PERSON, 1, "wide")
        [tip] = objects.write([("commit", serialise(commit))], durable=False)
        assert len(lacking(objects, [tip], [], [])) == 3
