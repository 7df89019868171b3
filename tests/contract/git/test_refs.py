"""Refs: read as git reads them, moved by compare-and-swap that loses nothing, whoever else is at work or is killed."""

import sys
from pathlib import Path

import pytest

from exo_sidecar.base import files
from exo_sidecar.git import commits, refnames
from exo_sidecar.git.lockfile import clear_dead_lock, lock_of
from exo_sidecar.git.oid import EMPTY_TREE, ZERO, Oid
from exo_sidecar.git.refs import RefConflict, RefDamaged, Refs
from exo_sidecar.git.repository import Repository, init
from tests.support.plumbing import a_commit
from tests.support.process import Command, killed, parallel
from tests.support.repositories import a_repository, git

NAME = "refs/exo/leases/TICKET-001"
PROCESSES, INCREMENTS, KILLS = 4, 50, 12

INCREMENT = f"""
import sys
from pathlib import Path
from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import EMPTY_TREE
from exo_sidecar.git.repository import Repository

repository = Repository(locate(Path.cwd()))
for number in range(int(sys.argv[1])):
    for _ in range(5000):
        tip = repository.refs.read("{NAME}")
        text = f"{{sys.argv[2]}} {{number}}"
        commit = Commit(EMPTY_TREE, (tip,), "p <p@x>", number, "p <p@x>", number, text)
        new = repository.objects.write([("commit", commits.serialise(commit))], durable=False)[0]
        if repository.refs.swap("{NAME}", old=tip, new=new, temporary=f"exo/{{sys.argv[2]}}.tmp"):
            break
    else:
        sys.exit("starved")
"""


def _repository(tmp_path: Path) -> tuple[Repository, Oid, Oid]:
    repository = Repository(init(tmp_path / "repo", "main"))
    repository.objects.write([("tree", b"")])
    return repository, a_commit(repository, EMPTY_TREE), a_commit(repository, EMPTY_TREE, message="other\n")


def _leftovers(common: Path) -> list[str]:
    return sorted(path.name for path in common.rglob("*") if path.suffix in {".lock", ".tmp", ".packed"})


def test_a_ref_is_made_moved_and_deleted_by_whoever_knows_its_value(tmp_path: Path) -> None:
    repository, one, two = _repository(tmp_path)
    refs = repository.refs
    assert refs.read(NAME) is None
    assert refs.swap(NAME, old=None, new=one)
    assert not refs.swap(NAME, old=None, new=two)
    assert not refs.swap(NAME, old=two, new=one)
    assert refs.swap(NAME, old=one, new=two)
    assert refs.read(NAME) == two == git(tmp_path / "repo", "rev-parse", NAME)
    assert not refs.swap(NAME, old=one, new=None)
    assert refs.swap(NAME, old=two, new=None)
    assert refs.read(NAME) is None
    assert git(tmp_path / "repo", "for-each-ref") == ""
    assert _leftovers(repository.place.common) == []


def test_packed_refs_are_read_moved_and_deleted(tmp_path: Path) -> None:
    repository, one, two = _repository(tmp_path)
    names = [NAME, NAME + "2", "refs/heads/main"]
    for name in names:
        assert repository.refs.swap(name, old=None, new=one)
    git(tmp_path / "repo", "tag", "-a", "-m", "peeled", "v1", one)
    git(tmp_path / "repo", "pack-refs", "--all")
    assert not repository.refs.path(NAME).exists()
    assert repository.refs.read(NAME) == one
    assert repository.refs.swap(NAME, old=one, new=two)
    assert repository.refs.list("refs/exo/") == {NAME: two, NAME + "2": one}
    assert repository.refs.swap(NAME, old=two, new=None)
    assert repository.refs.swap("refs/tags/v1", old=repository.refs.read("refs/tags/v1"), new=None)
    assert repository.refs.list("refs/") == {NAME + "2": one, "refs/heads/main": one}
    assert git(tmp_path / "repo", "for-each-ref", "--format=%(refname)").split() == [NAME + "2", "refs/heads/main"]
    git(tmp_path / "repo", "fsck", "--strict")
    assert _leftovers(repository.place.common) == []


def test_a_prefix_need_not_end_at_a_folder(tmp_path: Path) -> None:
    repository, one, _ = _repository(tmp_path)
    for name in ("refs/heads/main", "refs/heads/maintenance", "refs/heads/other"):
        repository.refs.swap(name, old=None, new=one)
    assert list(repository.refs.list("refs/heads/main")) == ["refs/heads/main", "refs/heads/maintenance"]
    assert repository.refs.list("refs/none/") == {}


def test_symbolic_refs_are_followed_and_moved_through(tmp_path: Path) -> None:
    repository, one, two = _repository(tmp_path)
    assert repository.refs.read("HEAD") is None
    assert repository.refs.resolve("HEAD") == "refs/heads/main"
    assert repository.refs.swap("HEAD", old=None, new=one)
    assert repository.refs.swap("refs/heads/main", old=one, new=two)
    assert repository.refs.read("HEAD") == two
    assert (repository.place.common / "HEAD").read_text() == "ref: refs/heads/main\n"


@pytest.mark.parametrize("content", ["ref: refs/heads/loop\n", "ref: ../../etc/passwd\n", "nonsense\n", ""])
def test_a_ref_that_holds_no_id_is_damage(tmp_path: Path, content: str) -> None:
    repository, _, _ = _repository(tmp_path)
    (repository.place.common / "refs" / "heads" / "loop").write_text(content)
    with pytest.raises(RefDamaged):
        repository.refs.read("refs/heads/loop")


def test_a_lock_that_git_holds_is_respected(tmp_path: Path) -> None:
    repository, one, _ = _repository(tmp_path)
    lock = repository.refs.lock_path(NAME)
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert not repository.refs.swap(NAME, old=None, new=one)
    assert lock.exists()
    lock.unlink()
    assert repository.refs.swap(NAME, old=None, new=one)


@pytest.mark.parametrize("packed", [False, True])
def test_names_that_are_folders_of_other_names_conflict(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001
    repository, one, _ = _repository(tmp_path)
    repository.refs.swap("refs/heads/a/b", old=None, new=one)
    if packed:
        git(tmp_path / "repo", "pack-refs", "--all")
    for name in ("refs/heads/a", "refs/heads/a/b/c"):
        with pytest.raises(RefConflict, match=name):
            repository.refs.swap(name, old=None, new=one)
    assert repository.refs.swap("refs/heads/a/b", old=one, new=None)
    assert repository.refs.swap("refs/heads/a", old=None, new=one)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "main",
        "refs",
        "refs//a",
        "refs/../a",
        "refs/a.lock",
        "refs/.a",
        "refs/a b",
        "refs/a~",
        "refs/a@{1}",
        "refs/a.",
        "refs/a\\b",
        "refs/a\n",
        "refs/a/",
        "head",
        "../HEAD",
        "refs/" + "a" * 2000,
    ],
)
def test_a_name_that_git_does_not_allow_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no ref name"):
        Refs(tmp_path).read(name)
    assert not refnames.is_valid(name)


def test_names_that_git_allows_are_valid() -> None:
    assert all(refnames.is_valid(name) for name in ("HEAD", "FETCH_HEAD", "refs/heads/ünï", "refs/heads/a.b-c_d@e"))


def test_increments_of_four_processes_are_all_kept_while_refs_are_packed(tmp_path: Path) -> None:
    repository, one, _ = _repository(tmp_path)
    assert repository.refs.swap(NAME, old=None, new=one)
    work = [
        Command(tmp_path / "repo", (sys.executable, "-c", INCREMENT, str(INCREMENTS), f"w{number}"))
        for number in range(PROCESSES)
    ]
    packing = Command(tmp_path / "repo", ("sh", "-c", "for n in $(seq 40); do git pack-refs --all; done; true"))
    ran = parallel([*work, packing])
    assert [(each.exit, each.err) for each in ran[:PROCESSES]] == [(0, "")] * PROCESSES
    subjects = git(tmp_path / "repo", "log", "--format=%s", NAME).split("\n")
    assert len(subjects) == PROCESSES * INCREMENTS + 1
    assert {f"w{w} {n}" for w in range(PROCESSES) for n in range(INCREMENTS)} <= set(subjects)
    assert _leftovers(repository.place.common) == []


def test_a_ref_that_is_packed_before_its_folder_is_synced_was_moved_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, one, two = _repository(tmp_path)
    assert repository.refs.swap(NAME, old=None, new=one)
    sync = files.sync_folder

    def late(folder: Path) -> None:
        git(tmp_path / "repo", "pack-refs", "--all")
        assert not folder.exists()
        sync(folder)

    with monkeypatch.context() as packed:
        packed.setattr(files, "sync_folder", late)
        assert repository.refs.swap(NAME, old=one, new=two)
    assert repository.refs.read(NAME) == two


def test_git_and_we_exclude_one_another(tmp_path: Path) -> None:
    repository, one, _ = _repository(tmp_path)
    assert repository.refs.swap(NAME, old=None, new=one)
    script = (
        f"for n in $(seq 40); do for try in $(seq 200); do tip=$(git rev-parse {NAME}); "
        f'new=$(git commit-tree -p $tip -m "git $n" {EMPTY_TREE}); '
        f"git update-ref {NAME} $new $tip 2>/dev/null && break; done; done"
    )
    ours = Command(tmp_path / "repo", (sys.executable, "-c", INCREMENT, "40", "ours"))
    ran = parallel([ours, Command(tmp_path / "repo", ("sh", "-c", script))])
    assert [each.exit for each in ran] == [0, 0]
    assert git(tmp_path / "repo", "rev-list", "--count", NAME) == "81"


def test_kill_9_leaves_a_sound_ref_and_locks_that_can_be_proven_ours(tmp_path: Path) -> None:
    repository, one, two = _repository(tmp_path)
    common = repository.place.common
    assert repository.refs.swap(NAME, old=None, new=one)
    endless = Command(tmp_path / "repo", (sys.executable, "-c", INCREMENT, "100000", "w"))
    for kill in range(KILLS):
        ran = killed(endless, after_seconds=0.15 + 0.017 * kill)
        assert ran.exit == -9, ran.err
        clear_dead_lock(common / NAME, common / "exo" / "w.tmp")
        assert _leftovers(common) == []
        tip = repository.refs.read(NAME)
        assert tip is not None
        assert commits.read(repository.objects, tip).tree == EMPTY_TREE
        assert repository.refs.swap(NAME, old=tip, new=two)
        assert repository.refs.swap(NAME, old=two, new=tip)
    assert int(git(tmp_path / "repo", "rev-list", "--count", NAME)) > 1
    git(tmp_path / "repo", "fsck", "--strict")


def test_a_dead_processs_lock_stands_in_the_way_until_it_is_cleared(tmp_path: Path) -> None:
    repository, one, _ = _repository(tmp_path)
    common = repository.place.common
    proof = common / "exo" / "dead.tmp"
    for folder in (proof.parent, (common / NAME).parent):
        folder.mkdir(parents=True)
    proof.write_text(f"{one}\n")
    lock_of(common / NAME).hardlink_to(proof)
    assert not repository.refs.swap(NAME, old=None, new=one)
    assert clear_dead_lock(common / NAME, proof)
    assert repository.refs.swap(NAME, old=None, new=one)


def test_the_zero_id_is_no_way_to_say_absent(tmp_path: Path) -> None:
    repository, one, _ = _repository(tmp_path)
    assert not repository.refs.swap(NAME, old=ZERO, new=one)


def test_a_linked_worktrees_refs_are_the_clones(tmp_path: Path) -> None:
    start = a_repository(tmp_path)
    git(start, "worktree", "add", "-q", "../linked")
    assert Refs(start / ".git").read("refs/heads/linked") == git(tmp_path / "linked", "rev-parse", "HEAD")
