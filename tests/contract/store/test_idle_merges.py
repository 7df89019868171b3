"""Of two tips with the same files: which gives way without a commit, and what is never left behind."""

from pathlib import Path

import pytest

from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.repository import Repository, init
from exo_sidecar.sync import idle
from exo_sidecar.sync.merge import MESSAGE
from tests.support.plumbing import a_commit, a_tree


class History:
    """A repository in which commits are made by hand."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(init(folder, "main"))
        self.repository.objects.write([("tree", b"")])
        self.files = a_tree(self.repository, None, {"a.txt": "a"})

    def work(self, *parents: Oid, message: str) -> Oid:
        """Make a commit that is no merge of exo's, with other files."""
        return a_commit(self.repository, EMPTY_TREE, parents, message=message)

    def merge(self, *parents: Oid, message: str = MESSAGE) -> Oid:
        """Make a commit as exo's merges are, all with the same files."""
        commit = Commit(self.files, parents, commits.AUTHOR, 5, commits.AUTHOR, 5, message)
        return self.repository.objects.write([("commit", commits.serialise(commit))])[0]

    def gives_way(self, ours: Oid, theirs: Oid) -> bool:
        """Ask for a clone at `ours`."""
        return idle.gives_way(self.repository.objects, ours, theirs, MESSAGE)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repo")


def test_the_one_that_was_merged_more_often_goes_on(history: History) -> None:
    one, two, three = (history.work(message=name) for name in "abc")
    low = history.merge(one, two, three)
    high = history.merge(history.merge(three, history.merge(two, one)))
    assert history.gives_way(low, high)
    assert not history.gives_way(high, low)


def test_of_two_that_were_merged_as_often_the_higher_id_goes_on(history: History) -> None:
    one, two = (history.work(message=name) for name in "ab")
    low, high = sorted((history.merge(one, two), history.merge(two, one)))
    assert history.gives_way(low, high)
    assert not history.gives_way(high, low)


def test_merges_from_before_the_files_were_these_do_not_count(history: History) -> None:
    one, two = (history.work(message=name) for name in "ab")
    long = history.work(history.merge(history.merge(history.merge(one, two))), message="work")
    short = history.work(long, message="more")
    tall = history.merge(history.merge(short, long))
    low = history.merge(long, short)
    assert history.gives_way(low, tall)
    assert not history.gives_way(tall, low)


def test_a_commit_that_is_no_merge_is_never_left_behind(history: History) -> None:
    """Somebody squashed the branch, or it was born twice: both histories go on."""
    one, two = (history.work(message=name) for name in "ab")
    squashed = history.merge(history.merge(history.merge(two)))
    assert not history.gives_way(history.merge(one, two), squashed)
    assert not history.gives_way(history.merge(two, message="exo: create T1\n"), squashed)


def test_of_very_long_histories_of_merges_both_go_on(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "COMMITS_MAX", 10)
    one, two = (history.work(message=name) for name in "ab")
    low, high = history.merge(one, two), history.merge(two, one)
    for _ in range(9):
        high = history.merge(high)
    assert history.gives_way(low, high)
    assert not history.gives_way(low, history.merge(high))


def test_where_a_commit_is_missing_both_go_on(history: History) -> None:
    one, two = (history.work(message=name) for name in "ab")
    low = history.merge(one, Oid("1" * 40))
    assert not history.gives_way(low, history.merge(history.merge(history.merge(one, two))))
