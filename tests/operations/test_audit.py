"""audit: what it proves, what it finds wherever somebody tampered, and that exo brings back what this clone had."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from exo_sidecar.git.objects import object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import journal
from exo_sidecar.store.journal import Pending
from tests.support.clones import BRANCH
from tests.support.inprocess import exo_in_process
from tests.support.process import Ran
from tests.support.repositories import a_clone, git
from tests.support.working import Shop, a_lone_shop, a_shop

Tampering = Callable[[list[bytes], list[bytes]], tuple[list[bytes], int]]
"""From the lines of a chain, and another chain's, to what the file holds afterwards, and the line changed first."""

TAMPERINGS: Final[dict[str, Tampering]] = {
    "edited": lambda own, _: ([*own[:2], own[2].replace(b'"human:', b'"human:x-'), *own[3:]], 3),
    "dropped": lambda own, _: ([*own[:2], *own[3:]], 3),
    "reordered": lambda own, _: ([own[0], own[2], own[1], *own[3:]], 2),
    "garbage appended": lambda own, _: ([*own, b'{"v":1,"nonsense"\n'], len(own) + 1),
    "truncated in a line": lambda own, _: ([*own[:-1], own[-1][:40] + b"\n"], len(own)),
    "swapped between clones": lambda _, other: (other, 1),
}
KEPT: Final = "garbage appended"
"""Lines that are no events are never dropped: a newer program may know them. The chain ends before them."""
UNDONE: Final = tuple(name for name in TAMPERINGS if name != KEPT)


def test_a_healthy_record_passes(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "ticket-edit", "T1", "--note", "seen by the other")
    shop.ok(1, "sync")
    found = shop.ok(1, "audit")
    assert found["verdict"] == "pass"
    assert [each["ok"] for each in found["chains"]] == [True, True]
    assert found["anchors"]["checked"] > 0
    assert (found["issues"], found["rendered_mismatch"], found["quarantined"]) == ([], [], [])


def test_only_the_chains_of_one_clone_are_shown_on_request(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    writer = chain_of(shop.clones[0])
    assert [each["clone"] for each in shop.ok(0, "audit", "--clone", writer[:6])["chains"]] == [writer]
    error = shop.fails(0, "audit", "--clone", "nosuch")
    assert (error["exit"], error["code"]) == (4, "CLONE_UNKNOWN")


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_ledger_file_is_named_by_line_and_put_back_by_a_repair(tmp_path: Path, name: str) -> None:
    shop = two_writers(tmp_path)
    before = events(shop.clones[0])
    path, line = tamper(shop.clones[0], TAMPERINGS[name])
    assert_named(shop, 0, path, line, "LEDGER_FILE_EDITED")
    shop.ok(0, "sidecar-repair")
    assert_whole(shop, 0, before)
    tamper(shop.clones[0], TAMPERINGS[name])
    shop.ok(0, "ticket-edit", "T1", "--note", "an ordinary write")
    shop.ok(0, "sync")
    assert_whole(shop, 0, before)


@pytest.mark.parametrize("name", UNDONE)
def test_a_tampered_ledger_committed_by_plain_git_here_is_undone_by_the_next_write(tmp_path: Path, name: str) -> None:
    shop = two_writers(tmp_path)
    before = events(shop.clones[0])
    path, line = tamper(shop.clones[0], TAMPERINGS[name])
    commit_by_hand(shop.clones[0])
    assert_named(shop, 0, path, line, "LEDGER_REWRITTEN")
    assert "CHAIN_BROKEN" in codes(shop.exo(0, "audit"))
    shop.ok(0, "ticket-edit", "T1", "--note", "an ordinary write")
    assert_whole(shop, 0, before)
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    assert_whole(shop, 1, before)


@pytest.mark.parametrize("name", UNDONE)
def test_a_tampered_ledger_pulled_by_plain_git_is_found_and_undone(tmp_path: Path, name: str) -> None:
    shop = two_writers(tmp_path)
    before = events(shop.clones[1])
    path, line = tamper(shop.clones[0], TAMPERINGS[name])
    commit_by_hand(shop.clones[0])
    git(shop.clones[0], "-C", ".exo", "push", "-q", "origin", BRANCH)
    git(shop.clones[1], "-C", ".exo", "pull", "-q", "origin", BRANCH)
    assert_named(shop, 1, path, line, "LEDGER_REWRITTEN")
    shop.ok(1, "sidecar-repair")
    assert_whole(shop, 1, before)


def test_after_garbage_at_the_end_of_its_own_chain_a_clone_goes_on_under_a_new_id(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    before = events(shop.clones[0])
    path, line = tamper(shop.clones[0], TAMPERINGS[KEPT])
    commit_by_hand(shop.clones[0])
    assert_named(shop, 0, path, line, "CHAIN_BROKEN")
    error = shop.fails(0, "ticket-edit", "T1", "--note", "an ordinary write")
    assert (error["exit"], error["code"]) == (7, "LEDGER_DAMAGED")
    assert "sidecar-repair" in error["hint"]
    shop.ok(0, "sidecar-repair")
    shop.ok(0, "ticket-edit", "T1", "--note", "an ordinary write")
    assert before < events(shop.clones[0])
    assert_named(shop, 0, path, line, "CHAIN_BROKEN")
    assert git(shop.clones[0], "-C", ".exo", "status", "--porcelain") == ""


def test_a_tampered_ledger_is_found_in_a_fresh_clone(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    assert shop.hub is not None
    for number, name in enumerate(TAMPERINGS):
        folder = tmp_path / f"hub{number}"
        folder.mkdir()
        hub = folder / "hub.git"
        shutil.copytree(shop.hub, hub)
        editor = a_clone(hub, "editor")
        git(editor, "switch", "-q", BRANCH)
        path, line = tamper(editor, TAMPERINGS[name], mount=editor, writer=chain_of(shop.clones[0]))
        git(editor, "commit", "-q", "-am", "by hand")
        git(editor, "push", "-q", "origin", BRANCH)
        fresh = Shop((a_clone(hub, "fresh"),), hub, ())
        fresh.ok(0, "sidecar-init")
        breaks = line + 1 if name == "edited" else line  # the next line's digest tells that this one was edited
        assert_named(fresh, 0, path, breaks, "CHAIN_BROKEN")


def test_a_chain_whose_end_was_cut_off_is_found_by_those_who_saw_it(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    assert shop.hub is not None
    editor = a_clone(shop.hub, "editor")
    git(editor, "switch", "-q", BRANCH)
    writer = chain_of(shop.clones[0])
    file = segment(editor, writer)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    git(editor, "commit", "-q", "-am", "by hand")
    git(editor, "push", "-q", "origin", BRANCH)
    fresh = Shop((a_clone(shop.hub, "fresh"),), shop.hub, ())
    fresh.ok(0, "sidecar-init")
    ran = fresh.exo(0, "audit")
    assert ran.exit == 7
    (issue,) = [each for each in ran.data["issues"] if each["code"] == "ANCHOR_BROKEN"]
    assert issue["subject"].startswith(f"{writer}:")
    assert ran.data["anchors"]["broken"]


def test_a_rendered_file_changed_by_a_pulled_commit_is_a_mismatch(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    change_ticket_on_hub(shop)
    git(shop.clones[1], "-C", ".exo", "pull", "-q", "origin", BRANCH)
    ran = shop.exo(1, "audit")
    assert ran.exit == 7
    assert ran.data["rendered_mismatch"] == ["tickets/t1/TICKET-T1.yaml"]
    assert "RENDERED_MISMATCH" in codes(ran)
    shop.ok(1, "sidecar-repair", "--render")
    assert shop.ok(1, "audit")["verdict"] == "pass"
    assert shop.ok(1, "ticket-show", "T1")["ticket"]["title"] == "Title TICKET-T1"


def test_a_stray_file_is_only_a_warning(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    (shop.clones[0] / ".exo" / "notes.txt").write_text("hello\n")
    commit_by_hand(shop.clones[0])
    ran = shop.exo(0, "audit")
    assert (ran.exit, ran.data["verdict"], codes(ran)) == (0, "warn", {"STRAY_FILE"})


def test_a_hand_edit_that_is_not_taken_in_yet_is_only_a_warning(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    ticket = shop.clones[0] / ".exo" / "tickets" / "t1" / "TICKET-T1.yaml"
    ticket.write_text(ticket.read_text().replace("Title TICKET-T1", "Another title"))
    ran = shop.exo(0, "audit")
    assert (ran.exit, codes(ran)) == (0, {"EDIT_PENDING"})
    shop.ok(0, "sidecar-repair")
    assert shop.ok(0, "audit")["verdict"] == "pass"
    assert shop.ok(0, "ticket-show", "T1")["ticket"]["title"] == "Another title"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("title:", "title: [", 4),
        ("priority: 3", "priority: urgent", 5),
        ("id: ", "id: OTHER-", 1),
    ],
)
def test_a_broken_ticket_file_is_named_and_everything_else_works(tmp_path: Path, old: str, new: str, line: int) -> None:
    shop = a_lone_shop(tmp_path)
    ticket = shop.clones[0] / ".exo" / "tickets" / "t1" / "TICKET-T1.yaml"
    text = ticket.read_text().replace(old, new, 1)
    assert text != ticket.read_text()
    ticket.write_text(text)
    ran = shop.exo(0, "audit")
    (issue,) = ran.data["issues"]
    assert (ran.exit, issue["code"], issue["file"]) == (0, "FILE_UNREADABLE", "tickets/t1/TICKET-T1.yaml")
    assert issue["line"] == line
    writing = shop.exo(0, "ticket-edit", "T1", "--note", "x")
    assert writing.exit == 0, writing.out
    assert "TICKET-T1.yaml" in named(writing, "FILE_UNREADABLE")
    assert "TICKET-T1.yaml" in named(shop.exo(0, "sidecar-repair", "--journal"), "FILE_UNREADABLE")
    assert ticket.read_text() == text
    for command in (
        ("status",),
        ("ticket-list",),
        ("ticket-show", "T1"),
        ("next", "--dry-run"),
        ("ticket-create", "More", "--parent", "INTENT-1"),
        ("session-start", "--ticket-id", "T2"),
        ("session-finish", "--summary", "s"),
    ):
        shop.ok(0, *command)
    assert ticket.read_text() == text


def test_sync_names_a_broken_ticket_file(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    ticket = shop.clones[0] / ".exo" / "tickets" / "t1" / "TICKET-T1.yaml"
    ticket.write_text("- not\n- a ticket\n")
    shop.ok(0, "ticket-edit", "T2", "--note", "x")
    ran = shop.exo(0, "sync")
    assert (ran.exit, ran.data["pushed_events"]) == (0, 1)
    assert "TICKET-T1.yaml line 1" in named(ran, "FILE_UNREADABLE")


def test_the_page_names_clone_file_and_line_and_what_mends_it(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    path, line = tamper(shop.clones[0], TAMPERINGS["edited"])
    commit_by_hand(shop.clones[0])
    ran = exo_in_process(shop.clones[0], "audit", "--fix-hints")
    assert ran.exit == 7
    assert f"{path}:{line}" in ran.out
    assert chain_of(shop.clones[0]) in ran.out
    assert "exo sync" in ran.out


def two_writers(folder: Path) -> Shop:
    """Make two clones that both wrote and both have seen what the other wrote."""
    shop = a_shop(folder, clones=2)
    for number in (1, 0, 1):
        shop.ok(number, "sync")
        shop.ok(number, "ticket-edit", "T2", "--note", f"by {number}")
        shop.ok(number, "sync")
    shop.ok(0, "sync")
    return shop


def chain_of(clone: Path) -> str:
    """Return the id under which a clone writes."""
    return str(json.loads((clone / ".git" / "exo" / "clone").read_text())["id"])


def segment(mount: Path, writer: str) -> Path:
    """Return a writer's first segment file."""
    return mount / "ledger" / writer[:2] / writer / "000001.jsonl"


def tamper(
    clone: Path, tampering: Tampering, *, mount: Path | None = None, writer: str | None = None
) -> tuple[str, int]:
    """Change the clone's own segment file; return its path on the branch and the first wrong line."""
    root = mount or clone / ".exo"
    own = writer or chain_of(clone)
    file = segment(root, own)
    (other,) = [each for each in sorted((root / "ledger").rglob("*.jsonl")) if each != file]
    lines, line = tampering(file.read_bytes().splitlines(keepends=True), other.read_bytes().splitlines(keepends=True))
    file.write_bytes(b"".join(lines))
    return file.relative_to(root).as_posix(), line


def commit_by_hand(clone: Path) -> None:
    """Commit all of the mount with plain git."""
    git(clone, "-C", ".exo", "add", "-A")
    git(clone, "-C", ".exo", "commit", "-q", "-m", "by hand")


def change_ticket_on_hub(shop: Shop) -> None:
    """Push a ticket file that follows from no event."""
    assert shop.hub is not None
    editor = a_clone(shop.hub, "editor")
    git(editor, "switch", "-q", BRANCH)
    file = editor / "tickets" / "t1" / "TICKET-T1.yaml"
    file.write_text(file.read_text().replace("Title TICKET-T1", "Forged"))
    git(editor, "commit", "-q", "-am", "by hand")
    git(editor, "push", "-q", "origin", BRANCH)


def events(clone: Path) -> set[bytes]:
    """Return every ledger line that the branch holds."""
    paths = git(clone, "ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    return {line for path in paths for line in git(clone, "show", f"{BRANCH}:{path}").encode().splitlines()}


def codes(ran: Ran) -> set[str]:
    """Return the codes of the issues of an audit."""
    return {each["code"] for each in ran.data["issues"]}


def named(ran: Ran, code: str) -> str:
    """Return the messages of the warnings of one code."""
    return "\n".join(each["message"] for each in ran.answer["warnings"] if each["code"] == code)


def assert_named(shop: Shop, number: int, path: str, line: int, code: str) -> None:
    """The audit fails and names the clone, the file and the line."""
    ran = shop.exo(number, "audit")
    assert (ran.exit, ran.answer["ok"], ran.data["verdict"]) == (7, True, "fail")
    found: list[Any] = [each for each in ran.data["issues"] if each["code"] == code]
    assert (path, line) in {(each["file"], each["line"]) for each in found}, ran.data["issues"]
    assert any(path.split("/")[2] in each["message"] for each in found)


def assert_whole(shop: Shop, number: int, before: set[bytes]) -> None:
    """No event was lost, the audit passes, and the mount is as the branch has it."""
    assert before <= events(shop.clones[number])
    ran = shop.exo(number, "audit")
    assert (ran.exit, ran.data["verdict"]) == (0, "pass"), ran.data["issues"]
    assert git(shop.clones[number], "-C", ".exo", "status", "--porcelain") == ""


def test_what_a_transaction_is_writing_is_nobodys_edit(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    mount = shop.clones[0] / ".exo"
    file = next((mount / "tickets").rglob("TICKET-T1.yaml"))
    path = file.relative_to(mount).as_posix()
    file.write_text(file.read_text().replace("Title TICKET-T1", "Anew"))
    found = object_id("blob", file.read_bytes())
    assert "EDIT_PENDING" in codes(shop.exo(0, "audit"))
    folder = shop.clones[0] / ".git" / "exo"
    tip = Oid(shop.tip())
    journal.write(
        folder, Pending(commit=tip, files={path: (None, found)}, ref_temporary="r.tmp", index_temporary="i.tmp")
    )
    assert "EDIT_PENDING" not in codes(shop.exo(0, "audit"))
    journal.remove(folder)
    assert "EDIT_PENDING" in codes(shop.exo(0, "audit"))
