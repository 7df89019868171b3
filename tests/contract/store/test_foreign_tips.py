"""Tips of the branch that exo did not write: plain git works too, and no event is lost by it."""

from pathlib import Path

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.event import DocumentEdited, Draft
from tests.support.repositories import git
from tests.support.stores import (
    BRANCH,
    a_company,
    a_governed_store,
    assert_sound,
    closing,
    created,
    file_of,
    noted,
    titled,
)


def test_a_commit_by_hand_is_taken_in_as_an_edit(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-1"))
        file = file_of(one, "TICKET-1")
        file.write_text(file.read_text().replace('title: "A task"', "title: By hand"))
        git(one.mount, "commit", "-q", "-a", "-m", "by hand")
        by_hand = one.tip
        one.write(noted("TICKET-1", "after"))
        assert one.store.view().find_ticket("TICKET-1").ticket.title == "By hand"
        assert git(one.folder, "merge-base", "--is-ancestor", by_hand, BRANCH) == ""
        assert_sound(one)


def test_an_unreadable_file_that_was_committed_by_hand_is_kept_aside(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-1"))
        file_of(one, "TICKET-1").write_text("title: [\n")
        git(one.mount, "commit", "-q", "-a", "-m", "by hand")
        done = one.write(titled("TICKET-1", "Goes on"))
        assert "FILE_UNREADABLE" in {finding.code for finding in done.findings}
        assert 'title: "Goes on"' in file_of(one, "TICKET-1").read_text()
        (kept,) = (one.mount / "cache" / "rejected").iterdir()
        assert kept.read_text() == "title: [\n"
        assert_sound(one)


def test_a_stray_file_that_was_committed_by_hand_is_kept_aside(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        (one.mount / "notes.txt").write_text("mine\n")
        git(one.mount, "add", "notes.txt")
        git(one.mount, "commit", "-q", "-m", "by hand")
        one.write(created("TICKET-1"))
        assert not (one.mount / "notes.txt").exists()
        (kept,) = (one.mount / "cache" / "rejected").iterdir()
        assert kept.read_text() == "mine\n"
        assert_sound(one)


def test_a_commit_by_hand_cannot_take_a_line_from_the_ledger(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-1"))
        one.write(noted("TICKET-1", "stays"))
        before = one.lines()
        (segment,) = one.mount.glob("ledger/*/*/*.jsonl")
        segment.write_bytes(segment.read_bytes().splitlines(keepends=True)[0])
        git(one.mount, "rm", "-q", str(file_of(one, "TICKET-1").relative_to(one.mount)))
        git(one.mount, "commit", "-q", "-a", "-m", "by hand")
        assert one.lines() < before
        one.absorb()
        assert one.lines() == before
        assert file_of(one, "TICKET-1").exists()
        assert_sound(one)


def test_a_reset_of_the_branch_is_undone_by_the_next_operation(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-1"))
        one.write(noted("TICKET-1", "stays"))
        before = one.lines()
        git(one.mount, "reset", "-q", "--hard", "HEAD~2")
        assert one.store.view().ticket_count() == 0
        one.write(created("TICKET-2"))
        assert before < one.lines()
        assert one.store.view().find_ticket("TICKET-1").ticket.notes == ("stays",)
        assert_sound(one)


def test_a_pull_by_git_between_clones_that_went_on_is_rendered_anew(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as (one, two):
        rules = Draft(subject="CONSTITUTION.md", data=DocumentEdited(base=NO_DIGEST, text="# A\n\na\n\n# B\n\nb\n"))
        one.write(created("TICKET-1"), rules)
        one.sync()
        two.sync()
        one.write(titled("TICKET-1", "One"), noted("TICKET-1", "one"), created("TICKET-ONE"))
        two.write(titled("TICKET-1", "Two"), noted("TICKET-1", "two"), created("TICKET-TWO"))
        expected = one.lines() | two.lines()
        git(one.mount, "push", "-q", "origin", BRANCH)
        git(two.mount, "pull", "-q", "--no-rebase", "--no-edit", "origin", BRANCH)
        assert two.status() == ""  # union by .gitattributes: no conflict, nothing registered
        done = two.absorb()
        assert done.findings == ()
        assert two.lines() == expected
        assert two.store.view().find_ticket("TICKET-1").ticket.notes == ("one", "two")
        assert_sound(two)
        two.sync()
        one.sync()
        assert one.tip == two.tip
        assert_sound(one)


def test_a_reader_shows_the_ledger_of_a_foreign_tip_at_once(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as (one, two):
        one.sync()
        two.sync()
        one.write(created("TICKET-ONE"))
        two.write(created("TICKET-TWO"))
        git(one.mount, "push", "-q", "origin", BRANCH)
        git(two.mount, "pull", "-q", "--no-rebase", "--no-edit", "origin", BRANCH)
        assert two.store.view().ticket_count() == 2


def test_a_link_where_a_segment_belongs_is_no_segment(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-1"))
        before = one.lines()
        folder = one.mount / "ledger" / "zz" / ("z" * 16)
        folder.mkdir(parents=True)
        (folder / "000001.jsonl").symlink_to("/etc/hostname")
        git(one.mount, "add", ".")
        git(one.mount, "commit", "-q", "-m", "a link")
        assert one.store.view().ticket_count() == 1
        one.write(noted("TICKET-1", "after"))
        assert before < one.lines()
        assert git(one.folder, "ls-tree", "-r", BRANCH).count("120000") == 0
