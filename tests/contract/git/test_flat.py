"""flat: the tree that a list of files makes is the one that git writes."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.git import flat
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from tests.support.repositories import a_repository, git

NAMES = st.sampled_from(["a", "a-b", "a.b", "a0", "b", "A", "é"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def by_git(repository: Path, paths: list[str], blob: str) -> str:
    """Return the tree that git's own index makes of the paths."""
    git(repository, "read-tree", "--empty")
    lines = "".join(f"100644 {blob}\t{path}\0" for path in paths)
    git(repository, "update-index", "-z", "--index-info", stdin=lines)
    return git(repository, "write-tree")


def test_a_flat_list_makes_the_tree_that_git_writes(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    blob = git(repository, "hash-object", "-w", "--stdin", stdin="x")
    paths = ["a/x", "a-b", "a.b/c/d", "a0", "b", "ledger/0a/b/000001.jsonl", "é/ü"]
    assert flat.root_of({path: Oid(blob) for path in paths}) == by_git(repository, paths, blob)
    assert flat.root_of({}) == EMPTY_TREE


@given(st.lists(PATHS, max_size=8, unique=True))
def test_the_order_of_the_list_does_not_matter(paths: list[str]) -> None:
    free = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    oid = Oid("1" * 40)
    assert flat.root_of(dict.fromkeys(free, oid)) == flat.root_of(dict.fromkeys(sorted(free), oid))


def test_a_path_of_any_depth_is_no_trouble() -> None:
    deep = "/".join("a" * 5000)
    assert flat.root_of({deep: Oid("1" * 40)}) != EMPTY_TREE
