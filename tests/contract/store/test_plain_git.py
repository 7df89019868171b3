"""Plain git in the mount: what a person does there is taken in, or rendered over with a word, and no event is lost."""

import subprocess
from pathlib import Path

import pytest

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.store import mounting
from exo_sidecar.store.governed import record_branch
from exo_sidecar.store.healing import SidecarBusy
from tests.support.repositories import commit_files, git
from tests.support.stores import (
    BRANCH,
    Clone,
    a_company,
    a_governed_store,
    assert_sound,
    closing,
    created,
    file_of,
    noted,
    titled,
)

T = "TICKET-1"


def retitled(one: Clone, title: str, ticket: str = T) -> None:
    """Write another title into a ticket's file."""
    file = file_of(one, ticket)
    lines = [f"title: {title}" if line.startswith("title: ") else line for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines) + "\n")


def title_of(one: Clone, ticket: str = T) -> str:
    return one.store.view().find_ticket(ticket).ticket.title


def a_governed_one(folder: Path) -> Clone:
    """Return a clone with a ticket that has a note."""
    one = a_governed_store(folder)
    record_branch(one.store.governed.folder, BRANCH)
    one.write(created(T))
    one.write(noted(T, "stays"))
    return one


def fails(one: Clone, *words: str) -> None:
    """Run git in the mount and see it stop half-way."""
    done = subprocess.run(["git", "-C", one.mount, *words], capture_output=True, check=False)
    assert done.returncode != 0, done.stdout


def test_an_amended_commit_of_exos_is_taken_in_as_the_edit_that_it_is(tmp_path: Path) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        before = one.lines()
        retitled(one, "Amended")
        git(one.mount, "commit", "-q", "-a", "--amend", "-m", "amended")
        done = one.absorb()
        assert "EDIT_ABSORBED" in {finding.code for finding in done.findings}
        assert title_of(one) == "Amended"
        assert before < one.lines()
        assert_sound(one)


def test_a_commit_that_was_amended_by_hand_is_taken_in_once(tmp_path: Path) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        retitled(one, "First")
        git(one.mount, "commit", "-q", "-a", "-m", "by hand")
        retitled(one, "Second")
        git(one.mount, "commit", "-q", "-a", "--amend", "--no-edit")
        one.absorb()
        assert title_of(one) == "Second"
        assert one.absorb().commit is None
        assert_sound(one)


def test_a_hard_reset_loses_no_event_and_brings_the_files_back(tmp_path: Path) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        one.write(titled(T, "Third"))
        before = one.lines()
        git(one.mount, "reset", "-q", "--hard", "HEAD~3")
        done = one.absorb()
        assert done.findings == ()
        assert one.lines() == before
        assert title_of(one) == "Third"
        assert 'title: "Third"' in file_of(one, T).read_text()
        assert_sound(one)


def test_a_commit_behind_a_reset_is_taken_in_against_its_parent(tmp_path: Path) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        one.write(created("TICKET-2"))
        before = one.lines()
        git(one.mount, "reset", "-q", "--hard", "HEAD~1")
        retitled(one, "By hand")
        git(one.mount, "commit", "-q", "-a", "-m", "by hand")
        one.absorb()
        assert title_of(one) == "By hand"
        assert before < one.lines()
        assert file_of(one, "TICKET-2").exists()
        assert_sound(one)


def test_a_commit_on_top_of_a_pull_is_taken_in_and_what_was_pulled_is_not_edited(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as (one, two):
        one.write(created(T), created("TICKET-2"))
        one.sync()
        two.sync()
        one.write(titled("TICKET-2", "Pulled"))
        two.write(noted(T, "mine"))
        git(one.mount, "push", "-q", "origin", BRANCH)
        git(two.mount, "pull", "-q", "--no-rebase", "--no-edit", "origin", BRANCH)
        retitled(two, "By hand")
        git(two.mount, "commit", "-q", "-a", "-m", "by hand")
        done = two.absorb()
        assert [finding.subject for finding in done.findings] == [file_of(two, T).relative_to(two.mount).as_posix()]
        assert (title_of(two), title_of(two, "TICKET-2")) == ("By hand", "Pulled")
        two.sync()
        one.sync()
        assert one.tip == two.tip
        assert_sound(two)


def test_pull_and_push_by_git_alone_bring_two_clones_together(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as (one, two):
        one.write(created(T))
        git(one.mount, "push", "-q", "origin", BRANCH)
        git(two.mount, "pull", "-q", "--no-rebase", "origin", BRANCH)
        two.absorb()
        one.write(created("TICKET-ONE"), titled(T, "One"))
        two.write(created("TICKET-TWO"), titled(T, "Two"))
        wanted = one.lines() | two.lines()
        git(one.mount, "push", "-q", "origin", BRANCH)
        git(two.mount, "pull", "-q", "--no-rebase", "--no-edit", "origin", BRANCH)
        assert two.status() == ""
        git(two.mount, "push", "-q", "origin", BRANCH)
        git(one.mount, "pull", "-q", "--no-rebase", "origin", BRANCH)
        for each in (one, two):
            each.absorb()
            assert each.lines() == wanted
        assert one.tree == two.tree
        one.sync()
        two.sync()
        one.sync()
        assert one.tip == two.tip
        for each in (one, two):
            assert_sound(each)


@pytest.mark.parametrize("words", [(), ("-a",)])
def test_a_commit_with_a_stale_index_takes_nothing_back(tmp_path: Path, words: tuple[str, ...]) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        git_dir = one.store.governed.repository.mount_git_dir
        stale = (git_dir / "index").read_bytes()
        one.write(titled(T, "Newer"), created("TICKET-2"))
        before = one.lines()
        (git_dir / "index").write_bytes(stale)
        git(one.mount, "commit", "-q", *words, "-m", "with an index of before")
        assert words or one.lines() < before
        one.absorb()
        assert one.lines() == before
        assert (title_of(one), title_of(one, "TICKET-2")) == ("Newer", "A task")
        assert_sound(one)


def test_a_stash_keeps_an_edit_away_and_its_return_is_taken_in(tmp_path: Path) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        retitled(one, "Stashed")
        git(one.mount, "stash", "-q")
        one.write(noted(T, "meanwhile"))
        assert title_of(one) == "A task"
        git(one.mount, "stash", "pop", "-q")
        one.absorb()
        assert title_of(one) == "Stashed"
        assert one.store.view().find_ticket(T).ticket.notes == ("stays", "meanwhile")
        assert_sound(one)


@pytest.mark.parametrize("words", [("checkout", "-q", "-b", "other"), ("checkout", "-q", "--detach")])
def test_another_branch_in_the_mount_does_not_become_the_governed_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        before = one.tip
        git(one.mount, *words)
        again = one.reopened()
        with closing([again]):
            assert again.store.view().find_ticket(T).ticket.notes == ("stays",)
            with pytest.raises(mounting.SidecarBranchMismatch, match="checked out") as found:
                again.write(noted(T, "refused"))
            assert found.value.hint == f"git -C {one.mount} switch {BRANCH}"
            assert again.tip == before
            git(one.mount, "switch", "-q", BRANCH)
            again.write(noted(T, "goes on"))
            assert_sound(again)


def a_conflict(one: Clone, *words: str) -> None:
    """Leave the mount in the middle of something that a person has to end."""
    (one.folder / ".git" / "info").mkdir(exist_ok=True)
    (one.folder / ".git" / "info" / "attributes").write_text("notes.txt merge=binary\n")
    base = one.tip
    theirs = commit_files(one.mount, {"notes.txt": "theirs\n"})
    git(one.mount, "reset", "-q", "--hard", base)
    commit_files(one.mount, {"notes.txt": "ours\n"})
    fails(one, *words, theirs)


@pytest.mark.parametrize("words", [("merge", "--no-edit"), ("rebase",), ("cherry-pick",), ("revert", "--no-edit")])
def test_in_the_middle_of_something_writers_refuse_and_readers_read_the_branch(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        if words[0] == "revert":
            commit_files(one.mount, {"notes.txt": "one\n"})
            reverted = one.tip
            commit_files(one.mount, {"notes.txt": "two\n"})
            fails(one, *words, reverted)
        else:
            a_conflict(one, *words)
        again = one.reopened()
        with closing([again]):
            before = again.tip
            with pytest.raises(SidecarBusy, match=words[0]):
                again.write(noted(T, "refused"))
            with pytest.raises(SidecarBusy):
                again.absorb()
            assert again.tip == before
            assert again.store.view().find_ticket(T).ticket.notes == ("stays",)
            git(one.mount, words[0], "--abort")
            again.write(noted(T, "goes on"))
            assert again.store.view().find_ticket(T).ticket.notes == ("stays", "goes on")


MARKED = "# A\n\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> other\n"


@pytest.mark.parametrize("committed", [False, True])
def test_conflict_markers_are_never_taken_in(tmp_path: Path, *, committed: bool) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        one.write(Draft(subject="CONSTITUTION.md", data=DocumentEdited(base=NO_DIGEST, text="# A\n\na\n")))
        (one.mount / "CONSTITUTION.md").write_text(MARKED)
        file_of(one, T).write_text(file_of(one, T).read_text() + "# <<<\n<<<<<<< HEAD\n>>>>>>> x\n")
        if committed:
            git(one.mount, "commit", "-q", "-a", "-m", "unresolved")
        done = one.absorb()
        found = {finding.file: finding for finding in done.findings}
        assert "conflict markers" in found["CONSTITUTION.md"].message
        document = one.store.view().document("CONSTITUTION.md")
        assert document is not None
        assert document.text == "# A\n\na\n"
        assert title_of(one) == "A task"
        if committed:
            kept = "".join(path.read_text() for path in (one.mount / "cache" / "rejected").iterdir())
            assert MARKED in kept
            assert_sound(one)
        else:
            assert (one.mount / "CONSTITUTION.md").read_text() == MARKED


def test_a_heading_that_is_underlined_is_no_conflict(tmp_path: Path) -> None:
    with closing([a_governed_one(tmp_path)]) as (one,):
        (one.mount / "CONSTITUTION.md").write_text("A\n=======\n\ntext << 7 >>\n")
        assert "EDIT_ABSORBED" in {finding.code for finding in one.absorb().findings}
