"""What a session changed: counted, kept apart from what others did, and an error where it cannot be told."""

import os
from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.host import commit_log, session_changes
from exo_sidecar.host.checkout import CheckoutUnreadable
from tests.support.drifting import EDIT, FILES, Case, a_case, a_ground
from tests.support.repositories import a_clone, a_repository, commit_files, git, write_files


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture
def case(ground: Path, tmp_path: Path) -> Case:
    return a_case(ground, tmp_path)


def test_without_room_for_a_file_the_first_one_uses_it_all(case: Case) -> None:
    assert case.drift(max_files=0).score == 0
    case.commit(EDIT)
    assert case.drift(max_files=0).score == 350


def test_lines_are_counted_whether_committed_new_or_binary(case: Case) -> None:
    case.commit({**EDIT, "src/new.py": "one\ntwo\n"})
    write_files(case.repo, {"src/app.py": "one\n2\n3\n", "src/more.py": "one\ntwo"})
    (case.repo / "data.bin").write_bytes(bytes(range(255, -1, -1)))
    # src/app.py: two lines taken away and two added since the base; new.py two, more.py two, data.bin none.
    assert case.changes().lines == 8


def test_what_is_committed_and_what_is_not_are_told_apart(case: Case) -> None:
    case.all_at_once()
    found = case.changes()
    assert found.committed == ("docs/guide.md", "src/app.py")
    assert found.uncommitted == ("README.md", "src/app.py", "src/new.py")
    assert [commit.paths for commit in found.commits] == [("docs/guide.md", "src/app.py")]
    told = case.drift()
    assert (told.committed, told.uncommitted, told.files) == (2, 3, 4)
    assert told.out_of_scope == ("README.md", "docs/guide.md")
    assert (told.boundary_hits, told.scope_compliance) == (("docs/guide.md",), 500)


def test_a_name_that_is_no_text_counts_too(case: Case) -> None:
    try:
        Path(os.fsdecode(os.fsencode(case.repo) + b"/src/\xff.py")).write_text("x\n")
    except OSError:  # a file system that takes text only
        pytest.skip("the file system refuses such a name")
    assert case.drift().score == 88


def test_a_name_that_is_no_text_is_the_sessions_only_when_it_was_changed_since(tmp_path: Path) -> None:
    case = Case(a_repository(tmp_path, files=FILES))
    name = os.fsdecode(os.fsencode(case.repo) + b"/src/\xff.py")
    try:
        Path(name).write_text("of others\n")
    except OSError:  # a file system that takes text only
        pytest.skip("the file system refuses such a name")
    case.begins()
    assert case.changes().files == ()
    Path(name).write_text("of others\nours\n")
    assert case.changes().uncommitted == ("src/\\xff.py",)


def test_the_lines_of_a_name_that_is_no_text_are_counted(tmp_path: Path) -> None:
    case = Case(a_repository(tmp_path, files=FILES))
    name = os.fsdecode(os.fsencode(case.repo) + b"/src/\xff.py")
    try:
        Path(name).write_text("one\ntwo\n")
    except OSError:  # a file system that takes text only
        pytest.skip("the file system refuses such a name")
    assert case.changes().lines == 2
    case.git("add", ".")
    case.git("commit", "-q", "-m", "committed")
    assert (case.changes().files, case.changes().lines) == (("src/\\xff.py",), 2)


def test_a_session_that_began_before_the_first_commit_has_changed_all_there_is(tmp_path: Path) -> None:
    case = Case(a_repository(tmp_path, files={}))
    write_files(case.repo, {"src/a.py": "x\n"})
    assert case.changes().uncommitted == ("src/a.py",)
    case.commit({"src/a.py": "x\n", "src/b.py": "y\n"})
    assert case.changes().committed == ("src/a.py", "src/b.py")
    assert case.changes().lines == 2


def test_on_the_base_branch_what_was_pulled_is_of_others_and_what_was_pushed_is_not(tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    git(tmp_path, "clone", "-q", "--bare", str(a_repository(tmp_path, files=FILES)), str(hub))
    ours, theirs = a_clone(hub, "ours"), a_clone(hub, "theirs")
    case = Case(ours)
    commit_files(theirs, {"README.md": "of others\n"})
    git(theirs, "push", "-q")
    case.git("pull", "-q", "--ff-only")
    assert case.changes().files == ()
    case.commit(EDIT)
    case.git("push", "-q")
    assert case.changes().files == ("src/app.py",)


def test_a_linked_worktree_has_its_own_session(case: Case, tmp_path: Path) -> None:
    side = tmp_path / "side"
    case.git("worktree", "add", "-q", "-b", "side", str(side))
    other = Case(side)
    commit_files(side, {"src/util.py": "x\n"})
    case.commit(EDIT)
    assert (case.changes().files, other.changes().files) == (("src/app.py",), ("src/util.py",))


def test_a_base_that_is_gone_is_an_error_that_names_it(case: Case) -> None:
    case.base = "1" * 40
    case.commit(EDIT)
    with pytest.raises(CheckoutUnreadable, match="111111111111 that the session began at is not in this repository"):
        case.changes()


def test_a_shallow_clone_says_that_it_is_the_cause(case: Case, tmp_path: Path) -> None:
    case.commit(EDIT)
    git(tmp_path, "clone", "-q", "--depth=1", case.repo.as_uri(), "shallow")
    short = Case(tmp_path / "shallow")
    short.base = case.base
    with pytest.raises(CheckoutUnreadable, match="this clone is shallow"):
        short.changes()


def test_another_history_and_a_branch_without_commits_are_errors(case: Case) -> None:
    case.git("switch", "-q", "--orphan", "else")
    with pytest.raises(CheckoutUnreadable, match="nothing is committed on the branch"):
        case.changes()
    case.commit({"a": "x"})
    with pytest.raises(CheckoutUnreadable, match="shares no history"):
        case.changes()


def test_more_commits_than_can_be_looked_at_are_an_error(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_changes, "COMMITS_MAX", 2)
    case.commit({"src/a.py": "1"})
    case.commit({"src/a.py": "2"})
    assert len(case.changes().commits) == 2
    case.commit({"src/a.py": "3"})
    with pytest.raises(CheckoutUnreadable, match="more than 2 commits"):
        case.changes()


def test_more_files_than_can_be_counted_are_an_error(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_changes, "FILES_MAX", 1)
    write_files(case.repo, {"src/a.py": "1"})
    assert case.changes().files == ("src/a.py",)
    write_files(case.repo, {"src/b.py": "1"})
    with pytest.raises(CheckoutUnreadable, match="more than 1 files"):
        case.changes()


def test_the_base_branch_is_the_one_wanted_else_what_the_remote_calls_its_own(case: Case) -> None:
    place = locate(case.repo)
    assert session_changes.base_branch(place, "main", ("origin",)) == "main"
    assert session_changes.base_branch(place, "trunk", ("origin",)) is None
    clone = locate(a_clone(case.repo, "cloned"))
    assert session_changes.base_branch(clone, "trunk", ("origin",)) == "exo/TICKET-1"
    assert session_changes.base_branch(clone, "no name", ("origin",)) == "exo/TICKET-1"


def test_names_that_begin_like_what_git_says_between_commits_are_names(case: Case) -> None:
    first, second = "\n//" + "a" * 40, "\nsrc"
    for folder in (first, second):
        (case.repo / folder).mkdir(parents=True)
    case.commit({f"{first}/x": "1", f"{second}/y": "1"})
    case.on_main({"README.md": "of others\n"})
    case.git("merge", "-q", "--no-commit", "--no-ff", "main")
    case.commit({f"{second}/z": "1"}, "merge")
    assert case.changes().files == tuple(sorted((f"{first}/x".replace("//", "/"), f"{second}/y", f"{second}/z")))


def test_commits_are_read_from_what_git_says_also_from_one_that_knows_no_trailers() -> None:
    said = f"//{'1' * 40} {'2' * 40}//SES-A SES-B\0\na\0b\0//{'2' * 40} //%(trailers:key=Exo-Session)\0"
    first, second = commit_log.parsed(said)
    assert (first.id, first.parents, first.sessions, first.paths) == (
        "1" * 40,
        ("2" * 40,),
        ("SES-A", "SES-B"),
        ("a", "b"),
    )
    assert (second.sessions, second.paths) == ((), ())
    assert commit_log.parsed("") == ()
