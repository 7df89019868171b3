"""What a session changed, on real repositories: each score below was worked out by hand from the formula.

The fence is `src/**` without `src/secret/**`, four files, the boundary `docs/**`. So one file in scope is
0.35 x 1/4 = 0.0875, shown as 88 thousandths, each file outside of all that changed adds its share of 500, and a file in
`docs` 150.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.drifting import EDIT, FILES, Case, a_case, a_ground
from tests.support.repositories import write_files

OTHER: Final = "change\n\nExo-Session: SES-OTHER"
OWN: Final = "change\n\nExo-Session: SES-A"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture
def case(ground: Path, tmp_path: Path) -> Case:
    return a_case(ground, tmp_path)


def nothing(case: Case) -> None:
    case.git("status")


def a_commit_in_scope(case: Case) -> None:
    case.commit(EDIT)


def a_commit_out_of_scope(case: Case) -> None:
    case.commit({"README.md": "1\n"})


def a_commit_across_the_boundary(case: Case) -> None:
    case.commit({"docs/guide.md": "changed\n"})


def an_edit_that_is_not_staged(case: Case) -> None:
    write_files(case.repo, EDIT)


def an_edit_that_is_staged(case: Case) -> None:
    write_files(case.repo, EDIT)
    case.git("add", "src/app.py")


def an_edit_staged_and_taken_back_in_the_worktree(case: Case) -> None:
    an_edit_that_is_staged(case)
    write_files(case.repo, {"src/app.py": FILES["src/app.py"]})


def a_new_file(case: Case) -> None:
    write_files(case.repo, {"src/new.py": "one\ntwo"})


def an_ignored_file(case: Case) -> None:
    write_files(case.repo, {"build/out.o": "x"})


def a_file_of_the_mount(case: Case) -> None:
    write_files(case.repo, {".exo/config.yaml": "x"})


def a_deletion_that_is_committed(case: Case) -> None:
    case.git("rm", "-q", "src/util.py")
    case.git("commit", "-q", "-m", "gone")


def a_deletion_that_is_not(case: Case) -> None:
    (case.repo / "src/util.py").unlink()


def a_file_made_and_deleted_again(case: Case) -> None:
    case.commit({"src/new.py": "x"})
    case.git("rm", "-q", "src/new.py")


def a_rename_within_the_scope(case: Case) -> None:
    case.git("mv", "src/app.py", "src/main.py")
    case.git("commit", "-q", "-m", "renamed")


def a_rename_out_of_the_scope(case: Case) -> None:
    (case.repo / "lib").mkdir()
    case.git("mv", "src/app.py", "lib/app.py")


def a_binary_file(case: Case) -> None:
    (case.repo / "data.bin").write_bytes(bytes(range(255, -1, -1)))


def a_name_beyond_ascii(case: Case) -> None:
    case.commit({"src/nä\t\n\"m'e.py": "x\n"})


def a_change_and_its_revert(case: Case) -> None:
    case.commit(EDIT)
    case.git("revert", "--no-edit", "HEAD")


def a_change_taken_back_in_the_worktree(case: Case) -> None:
    case.commit(EDIT)
    write_files(case.repo, {"src/app.py": FILES["src/app.py"]})


def main_merged(case: Case) -> None:
    case.commit(EDIT)
    case.on_main({"README.md": "of others\n", "docs/more.md": "x"})
    case.git("merge", "-q", "--no-edit", "main")


def main_merged_with_the_same_file(case: Case) -> None:
    case.commit({"src/app.py": "ONE\ntwo\nthree\n"})
    case.on_main({"src/app.py": "one\ntwo\nTHREE\n", "README.md": "of others\n"})
    case.git("merge", "-q", "--no-edit", "main")


def a_merge_that_changes_more_than_its_parents(case: Case) -> None:
    case.on_main({"src/util.py": "of others\n"})
    case.git("merge", "-q", "--no-commit", "--no-ff", "main")
    case.commit({"README.md": "slipped in\n"}, "merge")


def main_merged_while_the_session_rests(case: Case) -> None:
    case.on_main({"README.md": "of others\n"})
    case.git("merge", "-q", "--ff-only", "main")


def rebased_onto_main(case: Case) -> None:
    case.commit(EDIT)
    case.on_main({"README.md": "of others\n"})
    case.git("rebase", "-q", "main")


def what_was_on_the_branch_before_rebased_with_it(case: Case) -> None:
    case.commit({"README.md": "before\n"})
    case.begins()
    rebased_onto_main_apart(case)


def rebased_onto_main_apart(case: Case) -> None:
    case.commit(EDIT)
    case.on_main({"docs/more.md": "of others\n"})
    case.git("rebase", "-q", "main")


def the_base_amended(case: Case) -> None:
    case.commit({"README.md": "before\n"})
    case.begins()
    write_files(case.repo, EDIT)
    case.git("commit", "-q", "-a", "--amend", "--no-edit")


def a_commit_of_another_session(case: Case) -> None:
    case.commit({"README.md": "x"}, OTHER)


def commits_of_both(case: Case) -> None:
    case.commit({"README.md": "x"}, OTHER)
    case.commit(EDIT, OWN)


def a_squash_that_names_both(case: Case) -> None:
    case.commit(EDIT, f"{OTHER}\nExo-Session: SES-A")


def own_work_that_main_has_by_now(case: Case) -> None:
    case.commit(EDIT, OWN)
    case.git("branch", "-f", "main")


def dirty_before_and_left_so(case: Case) -> None:
    write_files(case.repo, {"README.md": "dirty\n", "notes.txt": "mine\n"})
    (case.repo / "src/util.py").unlink()
    case.begins()


def dirty_before_and_changed_further(case: Case) -> None:
    dirty_before_and_left_so(case)
    write_files(case.repo, {"README.md": "dirtier\n"})


def dirty_before_and_committed_now(case: Case) -> None:
    write_files(case.repo, EDIT)
    case.begins()
    case.git("commit", "-q", "-a", "-m", "what was there")


def the_session_before_in_the_same_worktree(case: Case) -> None:
    case.commit({"README.md": "of the session before\n"}, OTHER)
    write_files(case.repo, {"docs/guide.md": "left behind\n"})
    case.begins()
    case.commit(EDIT)


def on_a_detached_head(case: Case) -> None:
    case.git("switch", "-q", "--detach")
    case.commit(EDIT)


def on_main_itself(case: Case) -> None:
    case.git("switch", "-q", "main")
    case.commit(EDIT)


def a_mode_and_a_link(case: Case) -> None:
    (case.repo / "src/app.py").chmod(0o755)
    (case.repo / "src/link").symlink_to("../README.md")


def more_files_than_allowed(case: Case) -> None:
    case.commit({f"src/{number}.py": "x\n" for number in range(6)})


def a_denied_file_within_the_scope(case: Case) -> None:
    case.commit({"src/secret/key.py": "x"})


def all_at_once(case: Case) -> None:
    case.all_at_once()


def picked_from_main(case: Case) -> None:
    case.commit({"src/util.py": "x\n"})
    case.on_main(EDIT)
    case.git("cherry-pick", "main")


def untracked_but_as_it_was(case: Case) -> None:
    case.git("rm", "-q", "--cached", "src/app.py")


SITUATIONS: Final[tuple[tuple[Callable[[Case], None], tuple[str, ...], int], ...]] = (
    (nothing, (), 0),
    (a_commit_in_scope, ("src/app.py",), 88),
    (a_commit_out_of_scope, ("README.md",), 588),
    (a_commit_across_the_boundary, ("docs/guide.md",), 738),
    (an_edit_that_is_not_staged, ("src/app.py",), 88),
    (an_edit_that_is_staged, ("src/app.py",), 88),
    (an_edit_staged_and_taken_back_in_the_worktree, ("src/app.py",), 88),
    (a_new_file, ("src/new.py",), 88),
    (an_ignored_file, (), 0),
    (a_file_of_the_mount, (), 0),
    (a_deletion_that_is_committed, ("src/util.py",), 88),
    (a_deletion_that_is_not, ("src/util.py",), 88),
    (a_file_made_and_deleted_again, (), 0),
    (a_rename_within_the_scope, ("src/app.py", "src/main.py"), 175),
    (a_rename_out_of_the_scope, ("lib/app.py", "src/app.py"), 425),
    (a_binary_file, ("data.bin",), 588),
    (a_name_beyond_ascii, ("src/nä\t\n\"m'e.py",), 88),
    (a_change_and_its_revert, (), 0),
    (a_change_taken_back_in_the_worktree, (), 0),
    (main_merged, ("src/app.py",), 88),
    (main_merged_with_the_same_file, ("src/app.py",), 88),
    (a_merge_that_changes_more_than_its_parents, ("README.md",), 588),
    (main_merged_while_the_session_rests, (), 0),
    (rebased_onto_main, ("src/app.py",), 88),
    (what_was_on_the_branch_before_rebased_with_it, ("src/app.py",), 88),
    (the_base_amended, ("src/app.py",), 88),
    (a_commit_of_another_session, (), 0),
    (commits_of_both, ("src/app.py",), 88),
    (a_squash_that_names_both, ("src/app.py",), 88),
    (own_work_that_main_has_by_now, ("src/app.py",), 88),
    (dirty_before_and_left_so, (), 0),
    (dirty_before_and_changed_further, ("README.md",), 588),
    (dirty_before_and_committed_now, ("src/app.py",), 88),
    (the_session_before_in_the_same_worktree, ("src/app.py",), 88),
    (on_a_detached_head, ("src/app.py",), 88),
    (on_main_itself, ("src/app.py",), 88),
    (a_mode_and_a_link, ("src/app.py", "src/link"), 175),
    (more_files_than_allowed, tuple(f"src/{number}.py" for number in range(6)), 350),
    (a_denied_file_within_the_scope, ("src/secret/key.py",), 588),
    # Four files, two of them outside: 250 + 350 + 150.
    (all_at_once, ("README.md", "docs/guide.md", "src/app.py", "src/new.py"), 750),
    (picked_from_main, ("src/app.py", "src/util.py"), 175),
    (untracked_but_as_it_was, ("src/app.py",), 88),
)


@pytest.mark.parametrize(("made", "files", "score"), SITUATIONS, ids=[each[0].__name__ for each in SITUATIONS])
def test_a_situation_has_the_files_and_the_score_worked_out_by_hand(
    case: Case, made: Callable[[Case], None], files: tuple[str, ...], score: int
) -> None:
    made(case)
    before = case.git("status", "--porcelain"), case.git("rev-parse", "HEAD")
    assert case.changes().files == files
    assert case.drift().score == score
    assert (case.git("status", "--porcelain"), case.git("rev-parse", "HEAD")) == before
