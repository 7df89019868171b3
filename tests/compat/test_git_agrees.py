"""C git agrees: what we write it reads, checks, packs and computes in the same way."""

import random
from pathlib import Path

import pytest

from exo_sidecar.git import tree
from exo_sidecar.git.commits import Commit, parse, serialise
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository, init
from tests.support.plumbing import REF, a_commit, a_tree, change, mounted
from tests.support.repositories import a_repository, git

NAMES = ("a", "a-", "a.b", "a0", "b", "ab", "z.md")
EDITS = 25


def _random_path(choice: random.Random) -> str:
    return "/".join(choice.choice(NAMES) for _ in range(choice.randrange(1, 4)))


def _is_free(path: str, present: dict[str, str]) -> bool:
    """Whether no other path is a folder of `path`, or the reverse."""
    return not any(other.startswith(path + "/") or path.startswith(other + "/") for other in present)


def _edit(choice: random.Random, present: dict[str, str]) -> dict[str, str | None]:
    """Return a random change of the files `present`, which is changed along."""
    changes: dict[str, str | None] = {}
    for _ in range(choice.randrange(1, 6)):
        path = choice.choice([*present, _random_path(choice)])
        if path in changes or (path not in present and not _is_free(path, present)):
            continue
        text = None if path in present and choice.random() < 0.4 else str(choice.randrange(1000))
        changes[path] = text
        if text is None:
            del present[path]
        else:
            present[path] = text
    return changes


def _git_tree(repository: Path, present: dict[str, str]) -> str:
    """Return the tree that git makes of the files, through an index of its own."""
    git(repository, "read-tree", "--empty")
    lines = []
    for path, text in present.items():
        lines.append(f"100644 {git(repository, 'hash-object', '-w', '--stdin', stdin=text)}\t{path}")
    git(repository, "update-index", "--index-info", stdin="\n".join(lines))
    return git(repository, "write-tree")


@pytest.mark.parametrize("seed", range(3))
def test_spliced_trees_are_the_ones_that_git_makes(tmp_path: Path, seed: int) -> None:
    repository = Repository(init(tmp_path / "repo", "main"))
    choice = random.Random(seed)
    present: dict[str, str] = {}
    root: Oid | None = None
    for _ in range(EDITS):
        root = a_tree(repository, root, _edit(choice, present))
    assert root == _git_tree(tmp_path / "repo", present)
    assert {path for path, _ in tree.walk(repository.objects, root)} == set(present)


@pytest.mark.parametrize("seed", range(3))
def test_differences_are_the_ones_that_git_finds(tmp_path: Path, seed: int) -> None:
    repository = Repository(init(tmp_path / "repo", "main"))
    choice = random.Random(seed)
    present: dict[str, str] = {}
    roots = [a_tree(repository, None, _edit(choice, present))]
    for _ in range(EDITS):
        roots.append(a_tree(repository, roots[-1], _edit(choice, present)))
    for _ in range(10):
        old, new = choice.sample(roots, 2)
        expected = git(tmp_path / "repo", "diff-tree", "-r", "--no-renames", "--raw", "--abbrev=40", old, new).split(
            "\n"
        )
        found = []
        for item in tree.diff(repository.objects, old, new):
            before = item.old.oid if item.old else "0" * 40
            after = item.new.oid if item.new else "0" * 40
            found.append((before, after, item.path))
        assert sorted(found) == sorted(_raw(line) for line in expected if line)


def _raw(line: str) -> tuple[str, str, str]:
    fields, _, path = line.partition("\t")
    _, _, before, after, _ = fields.split()
    return before, after, path


def test_history_reads_in_git_as_it_was_written(tmp_path: Path) -> None:
    repository = Repository(init(tmp_path / "repo", "main"))
    root = a_tree(repository, None, {"a": "1"})
    commit = Commit(
        root, (), "Ünë Üser <u@example.invalid>", 1_700_000_000, "exo <exo@localhost>", 1_700_000_060, "s\n\nb\n"
    )
    first = repository.objects.write([("commit", serialise(commit))])[0]
    merge = a_commit(repository, root, (first, a_commit(repository, root)), message="merge\n")
    repository.refs.swap("refs/heads/main", old=None, new=merge)
    assert git(tmp_path / "repo", "log", "-1", "--format=%an <%ae>|%at|%cn|%ct|%B", first).strip() == (
        "Ünë Üser <u@example.invalid>|1700000000|exo|1700000060|s\n\nb"
    )
    assert git(tmp_path / "repo", "rev-list", "--count", "main") == "3"
    git(tmp_path / "repo", "fsck", "--strict", "--no-dangling")
    written = git(tmp_path / "repo", "cat-file", "commit", merge)
    assert parse(written.encode()).parents[0] == first


def test_signed_commits_and_tags_of_git_are_read(tmp_path: Path) -> None:
    start = a_repository(tmp_path)
    raw = git(start, "cat-file", "commit", "HEAD") + "\n"
    signed = raw.replace("\n\n", "\ngpgsig -----BEGIN SSH SIGNATURE-----\n abc\n -----END SSH SIGNATURE-----\n\n", 1)
    oid = git(start, "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
    with Repository(init(tmp_path / "unused", "main")) as repository:
        assert repository.refs.read("HEAD") is None
    found = parse(signed.encode())
    assert found.tree == git(start, "rev-parse", f"{oid}^{{tree}}")
    assert found.author == "Ann Tester <ann@example.invalid>"


def test_after_many_commits_and_gc_git_and_we_still_agree(tmp_path: Path) -> None:
    start = a_repository(tmp_path)
    repository, mount = mounted(start)
    for number in range(10):
        change(repository, mount, {"index.md": f"# {number}\n", f"tickets/0b/TICKET-{number}.yml": "x\n"})
        if number == 4:
            git(start, "gc", "-q", "--prune=now")
    tip = change(repository, mount, {"tickets/0b/TICKET-3.yml": None})
    git(start, "gc", "-q", "--prune=now")
    git(start, "pack-refs", "--all")
    assert not list((start / ".git" / "objects").glob("[0-9a-f][0-9a-f]/*"))
    assert repository.refs.read(REF) == tip == git(mount, "rev-parse", "HEAD")
    assert git(mount, "rev-list", "--count", "HEAD") == "12"
    listed = [line.split("\t")[1] for line in git(mount, "ls-tree", "-r", tip).split("\n")]
    root = parse(repository.objects.read(tip).data).tree
    assert [path for path, _ in tree.walk(repository.objects, root)] == listed
    change(repository, mount, {"index.md": "# after\n"})
    assert git(mount, "status", "--porcelain") == git(start, "status", "--porcelain") == ""
    assert git(start, "fsck", "--strict") == ""
    repository.close()


def test_a_repository_that_we_made_is_an_ordinary_one(tmp_path: Path) -> None:
    place = init(tmp_path / "made", "trunk")
    assert place.worktree == tmp_path / "made"
    assert git(tmp_path / "made", "symbolic-ref", "HEAD") == "refs/heads/trunk"
    assert git(tmp_path / "made", "status", "--porcelain") == ""
    git(tmp_path / "made", "commit", "-q", "--allow-empty", "-m", "first")
    with Repository(place) as repository:
        assert repository.refs.read("HEAD") == git(tmp_path / "made", "rev-parse", "HEAD")
