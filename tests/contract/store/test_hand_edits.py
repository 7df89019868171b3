"""Files of the mount that people edit: taken in, refused and kept, or named and left alone; never lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.event import DocumentEdited, Draft, Fields, TicketCreated
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ids import TicketId
from exo_sidecar.store.transaction import Committed
from tests.support.repositories import git
from tests.support.stores import Clone, a_governed_store, assert_sound, closing, created, file_of, noted, titled

T = TicketId("TICKET-001")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def codes(committed: Committed) -> list[str]:
    return [finding.code for finding in committed.findings]


def document(name: str, text: str) -> Draft:
    return Draft(subject=name, data=DocumentEdited(base=NO_DIGEST, text=text))


def a_task(ticket: str) -> Draft:
    return Draft(subject=ticket, data=TicketCreated(fields=Fields(title="A task", kind="task", type="practice")))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Clone]:
    with closing([a_governed_store(tmp_path)]) as (clone,):
        clone.write(a_task(T), created("TICKET-002"))
        yield clone


def test_an_edited_ticket_is_taken_in_by_the_operation_that_writes_it(one: Clone) -> None:
    replace(file_of(one, T), 'title: "A task"', "title: By hand")
    replace(file_of(one, T), "labels: []", "labels: [b, a]")
    done = one.write(noted(T, "and a note"))
    assert codes(done) == ["EDIT_ABSORBED"]
    ticket = one.store.view().find_ticket(T).ticket
    assert (ticket.title, ticket.labels, ticket.notes) == ("By hand", ("a", "b"), ("and a note",))
    assert 'title: "By hand"\n' in file_of(one, T).read_text()  # in exo's own form again
    assert_sound(one)


def test_an_operation_does_not_look_at_tickets_that_it_does_not_write(one: Clone) -> None:
    replace(file_of(one, T), 'title: "A task"', "title: By hand")
    done = one.write(noted("TICKET-002", "elsewhere"))
    assert codes(done) == []
    assert one.status() == f"M {file_of(one, T).relative_to(one.mount)}".rjust(len(one.status()))
    assert codes(one.absorb()) == ["EDIT_ABSORBED"]
    assert_sound(one)


def test_a_ticket_that_somebody_made_as_a_file_is_created(one: Clone) -> None:
    folder = one.mount / "tickets" / "ab"
    folder.mkdir(parents=True)
    (folder / "TICKET-AB.yaml").write_text("id: TICKET-AB\ntitle: Made by hand\ntype: practice\n")
    assert codes(one.absorb()) == ["EDIT_ABSORBED"]
    assert one.store.view().find_ticket("TICKET-AB").ticket.title == "Made by hand"
    assert_sound(one)


def test_a_refused_edit_is_kept_aside_and_the_file_rendered_back(one: Clone) -> None:
    replace(file_of(one, T), 'status: "todo"', "status: done")
    done = one.absorb()
    assert codes(done) == ["EDIT_REJECTED"]
    assert one.store.view().find_ticket(T).ticket.status == "todo"
    (kept,) = (one.mount / "cache" / "rejected").iterdir()
    assert "status: done" in kept.read_text()
    assert_sound(one)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("id: TICKET-001\ntitle: [\n", 3),
        ("id: TICKET-001\ntitle: x\npriority: high\n", 3),
        ("id: TICKET-001\ntitle: x\nnonsense: 1\n", None),
        ("id: TICKET-002\ntitle: x\n", 1),
        ("<<<<<<< HEAD\nid: TICKET-001\n=======\n>>>>>>> theirs\n", 1),
        ("id: TICKET-001\ntitle: " + "[" * 50_000, 2),
        ("", 1),
    ],
    ids=range(7),
)
def test_an_unreadable_file_is_named_with_its_line_and_left_alone_and_all_else_goes_on(
    one: Clone, text: str, line: int | None
) -> None:
    file_of(one, T).write_text(text)
    done = one.write(titled(T, "Written meanwhile"), noted("TICKET-002", "elsewhere"))
    assert codes(done) == ["FILE_UNREADABLE"]
    assert [finding.line for finding in done.findings] == [line]
    assert file_of(one, T).read_text() == text
    assert one.store.view().find_ticket(T).ticket.title == "Written meanwhile"
    git(one.mount, "checkout", "--", ".")
    assert 'title: "Written meanwhile"' in file_of(one, T).read_text()
    one.write(noted(T, "after"))
    assert_sound(one)


def test_bytes_that_are_no_text_are_left_alone(one: Clone) -> None:
    file_of(one, T).write_bytes(b"id: TICKET-001\ntitle: \xff\n")
    done = one.absorb()
    assert [(finding.code, finding.line) for finding in done.findings] == [("FILE_UNREADABLE", 2)]
    assert file_of(one, T).read_bytes().endswith(b"\xff\n")


@pytest.mark.parametrize("pattern", ["ledger/*/*/000001.jsonl", "FORMAT", ".gitattributes"])
def test_an_edit_of_a_computed_file_is_kept_aside(one: Clone, pattern: str) -> None:
    (file,) = one.mount.glob(pattern)
    before = file.read_bytes()
    file.write_bytes(before + b"by hand\n")
    assert codes(one.absorb()) == ["COMPUTED_EDITED"]
    assert file.read_bytes() == before
    (kept,) = (one.mount / "cache" / "rejected").iterdir()
    assert kept.read_bytes() == before + b"by hand\n"
    assert_sound(one)


def test_an_edit_of_the_ledger_does_not_reach_the_branch_with_the_next_event(one: Clone) -> None:
    (file,) = one.mount.glob("ledger/*/*/000001.jsonl")
    file.write_bytes(file.read_bytes().replace(b"A task", b"Forged"))
    one.write(noted(T, "next"))
    assert b"Forged" not in file.read_bytes()
    assert one.store.view().quarantined() == ()
    assert_sound(one)


def test_an_edited_document_becomes_an_event(one: Clone) -> None:
    (one.mount / "CONSTITUTION.md").write_text("# Rules\n\nBe kind.\n")
    done = one.write(noted("TICKET-002", "anything"))
    assert codes(done) == ["EDIT_ABSORBED"]
    found = one.store.view().document("CONSTITUTION.md")
    assert found is not None
    assert found.text == "# Rules\n\nBe kind.\n"
    assert_sound(one)


def test_a_configuration_that_does_not_parse_is_left_alone_and_the_last_valid_one_stays_in_force(one: Clone) -> None:
    one.write(document("config.yaml", "tickets:\n  require_parent: false\n"))
    (one.mount / "config.yaml").write_text("tickets:\n  require_parent: [\n")
    done = one.write(noted(T, "goes on"))
    assert codes(done) == ["FILE_UNREADABLE"]
    assert (one.mount / "config.yaml").read_text() == "tickets:\n  require_parent: [\n"
    assert one.store.view().config().tickets.require_parent is False


def test_a_configuration_from_elsewhere_with_a_fault_is_named_and_what_was_sound_last_holds_there(one: Clone) -> None:
    one.write(document("config.yaml", "tickets:\n  max_tree_depth: 7\n"))
    one.write(document("config.yaml", "tickets: {max_tree_depth: -1, require_parent: false}\n"))
    found = one.store.view().config().tickets
    assert (found.max_tree_depth, found.require_parent) == (7, False)
    (finding,) = one.store.view().findings()
    assert finding.code == "DOCUMENT_UNREADABLE"
    assert isinstance(finding, Finding)


def test_a_link_in_place_of_a_file_is_neither_followed_nor_written_through(one: Clone, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    file = file_of(one, T)
    file.unlink()
    file.symlink_to(outside)
    one.write(titled(T, "Written meanwhile"))
    assert outside.read_text() == "untouched"
    assert file.is_symlink()
    assert one.store.view().find_ticket(T).ticket.title == "Written meanwhile"


@pytest.mark.parametrize("pruned", [False, True])
def test_a_mount_that_somebody_deleted_is_there_again_after_the_next_operation(one: Clone, *, pruned: bool) -> None:
    shutil.rmtree(one.mount)
    if pruned:
        git(one.folder, "worktree", "prune", "--expire", "now")  # passes it over: it is locked
    one.write(noted(T, "after"))
    assert 'notes:\n  - "after"\n' in file_of(one, T).read_text()
    assert_sound(one)
