"""doctor: every section passes on a healthy clone and names what was damaged in it, with what mends it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.event import Draft, Fields, TicketEdited, TicketNoted
from exo_sidecar.model.ids import TicketId
from exo_sidecar.operations.doctor import SECTIONS
from tests.operations.test_audit import TAMPERINGS, chain_of, commit_by_hand, segment, tamper, two_writers
from tests.support.inprocess import exo_in_process
from tests.support.ledgers import Writer, changed
from tests.support.repositories import a_repository, git
from tests.support.working import Shop, a_lone_shop, a_shop

_OF_THE_INDEX: Final = ("index.sqlite", "observed")


def section(shop: Shop, name: str, *more: str, number: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Return one section of the report, having checked that the verdicts and the exit status agree."""
    ran = shop.exo(number, "doctor", "--section", name, *more)
    (found,) = ran.data["sections"]
    assert found["name"] == name
    assert ran.data["verdict"] == {"unknown": "pass"}.get(found["verdict"], found["verdict"])
    assert ran.exit == (1 if found["verdict"] == "fail" else 0)
    assert all(each["hint"] for each in found["findings"]), found
    return found


def verdict(shop: Shop, name: str, *more: str, number: int = 0) -> tuple[str, list[str]]:
    """Return a section's verdict and the codes of its findings."""
    found = section(shop, name, *more, number=number)
    return found["verdict"], [each["code"] for each in found["findings"]]


def common(shop: Shop, number: int = 0) -> Path:
    """Return what exo knows on this machine of a clone."""
    return shop.clones[number] / ".git" / "exo"


def everything(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder but the index, whose upkeep is a reader's business, too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(name in path.name for name in _OF_THE_INDEX)
    }


def test_right_after_init_nothing_fails(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    exo_in_process(repository, "init")
    ran = exo_in_process(repository, "doctor", "--json")
    assert (ran.exit, ran.data["counts"]["fail"]) == (0, 0)
    assert ran.data["verdict"] in {"pass", "warn"}
    assert [each["name"] for each in ran.data["sections"]] == list(SECTIONS)


def test_a_clone_with_a_remote_and_a_session_at_work_passes(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    shop.ok(0, "hook-install")
    found = shop.ok(0, "doctor")
    verdicts = {each["name"]: each["verdict"] for each in found["sections"]}
    assert set(verdicts.values()) == {"pass"}, found
    assert found["counts"] == {"pass": len(SECTIONS), "warn": 0, "fail": 0, "unknown": 0}


def test_nothing_is_written(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    (shop.clones[0] / ".exo" / "config.yaml").write_text("a: [\n")
    before = everything(shop.clones[0]), shop.tip()
    for more in ((), ("--offline",)):
        shop.exo(0, "doctor", *more)
    assert (everything(shop.clones[0]), shop.tip()) == before


def test_a_repository_that_is_not_governed_fails_and_the_rest_says_why_it_was_not_checked(tmp_path: Path) -> None:
    shop = Shop((a_repository(tmp_path),), None, ())
    ran = shop.exo(0, "doctor")
    found = {each["name"]: each for each in ran.data["sections"]}
    assert (ran.exit, found["mount"]["verdict"]) == (1, "fail")
    assert found["mount"]["findings"][0]["hint"] == "exo init governs this repository"
    assert found["ledger"]["verdict"] == "unknown"
    assert "not governed" in found["ledger"]["note"]
    assert found["disk"]["verdict"] == "pass"


def test_a_section_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert a_lone_shop(tmp_path).fails(0, "doctor", "--section", "heart")["exit"] == 2


def test_the_page_shows_hints_on_request(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shutil.rmtree(shop.clones[0] / ".exo")
    without = exo_in_process(shop.clones[0], "doctor", "--section", "mount")
    assert "MOUNT_MISSING" in without.out
    assert "sidecar-repair" not in without.out
    assert "--fix-hints" in without.err
    hints = exo_in_process(shop.clones[0], "doctor", "--section", "mount", "--fix-hints")
    assert "exo sidecar-repair --mount" in hints.out


def merging(clone: Path) -> None:
    (clone / ".git" / "worktrees" / "exo" / "MERGE_HEAD").write_text("0" * 40 + "\n")


def garbled(*parts: str) -> Callable[[Path], None]:
    """Return what writes something unreadable to a file of the clone."""

    def write(clone: Path) -> None:
        clone.joinpath(*parts).write_bytes(b"\0no\n")

    return write


MOUNT_DAMAGES: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "MOUNT_MISSING": (lambda clone: shutil.rmtree(clone / ".exo"), "fail"),
    "MOUNT_DETACHED": (lambda clone: git(clone, "-C", ".exo", "checkout", "-q", "--detach"), "fail"),
    "MOUNT_NOT_EXCLUDED": (lambda clone: (clone / ".git" / "info" / "exclude").write_text("\n"), "warn"),
    "MOUNT_NOT_LOCKED": (lambda clone: (clone / ".git" / "worktrees" / "exo" / "locked").unlink(), "warn"),
    "SIDECAR_BUSY": (merging, "warn"),
    "JOURNAL_DAMAGED": (garbled(".git", "exo", "pending"), "fail"),
    "GIT_INDEX_UNUSABLE": (garbled(".git", "worktrees", "exo", "index"), "warn"),
}


@pytest.mark.parametrize("code", MOUNT_DAMAGES)
def test_a_damaged_mount_is_named(tmp_path: Path, code: str) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "mount") == ("pass", [])
    damage, expected = MOUNT_DAMAGES[code]
    damage(shop.clones[0])
    assert verdict(shop, "mount") == (expected, [code])


def test_a_clone_that_was_moved_is_named_and_a_repair_mends_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    moved = Shop((shop.clones[0].rename(tmp_path / "elsewhere"),), None, ())
    assert verdict(moved, "mount") == ("warn", ["MOUNT_MOVED"])
    moved.ok(0, "sidecar-repair")
    assert verdict(moved, "mount") == ("pass", [])


def test_a_journal_that_a_killed_call_left_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    pending = {"commit": shop.tip(), "files": {}, "ref_temporary": "a", "index_temporary": "b"}
    (common(shop) / "pending").write_text(json.dumps(pending))
    assert verdict(shop, "mount") == ("warn", ["JOURNAL_PENDING"])


def test_a_branch_that_plain_git_moved_is_worth_a_word_and_no_more(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    git(shop.clones[0], "-C", ".exo", "commit", "-q", "--allow-empty", "-m", "by hand")
    assert verdict(shop, "mount") == ("pass", ["TIP_BY_PLAIN_GIT"])


@pytest.mark.parametrize(
    ("name", "text", "code", "expected"),
    [
        ("FORMAT", "exo-sidecar 99\nrender 1\n", "FORMAT_TOO_NEW", "fail"),
        ("FORMAT", "hello\n", "FORMAT_UNREADABLE", "fail"),
        ("FORMAT", "exo-sidecar 1\nrender 99\n", "RENDER_NEWER", "warn"),
        (".gitattributes", "* filter=evil\n", "PRESCRIBED_CHANGED", "warn"),
    ],
)
def test_another_format_and_foreign_dot_files_are_named(
    tmp_path: Path, name: str, text: str, code: str, expected: str
) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "format") == ("pass", [])
    (shop.clones[0] / ".exo" / name).write_text(text)
    commit_by_hand(shop.clones[0])
    assert verdict(shop, "format") == (expected, [code])


def test_a_damaged_index_is_named_before_it_is_built_anew(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "index") == ("pass", [])
    (common(shop) / "index.sqlite").write_bytes(b"this is no database, and long enough to be seen as none" * 20)
    assert verdict(shop, "index") == ("warn", ["INDEX_DAMAGED"])
    shop.ok(0, "ticket-list")
    assert verdict(shop, "index") == ("pass", [])
    (common(shop) / "index.sqlite").unlink()
    assert verdict(shop, "index") == ("pass", ["INDEX_ABSENT"])


def test_an_edited_ledger_file_is_named_with_its_line(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    assert verdict(shop, "ledger") == ("pass", [])
    path, line = tamper(shop.clones[0], TAMPERINGS["edited"])
    found = section(shop, "ledger")
    assert found["verdict"] == "fail"
    assert [(each["file"], each["line"]) for each in found["findings"]] == [(path, line)]


def test_a_broken_chain_is_named_with_file_and_line_and_a_repair_goes_on(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    path, line = tamper(shop.clones[0], TAMPERINGS["garbage appended"])
    commit_by_hand(shop.clones[0])
    (found,) = section(shop, "ledger")["findings"]
    assert (found["code"], found["file"], found["line"]) == ("LEDGER_DAMAGED", path, line)
    assert "sidecar-repair" in found["hint"]
    shop.ok(0, "sidecar-repair")
    assert verdict(shop, "ledger") == ("fail", ["CHAIN_BROKEN"])
    assert verdict(shop, "quarantine") == ("pass", [])


def test_a_chain_whose_end_somebody_saw_and_that_was_cut_is_named(tmp_path: Path) -> None:
    shop = two_writers(tmp_path)
    tamper(shop.clones[0], lambda own, _: (own[:-1], len(own)))
    commit_by_hand(shop.clones[0])
    assert "ANCHOR_BROKEN" in verdict(shop, "ledger")[1]


def test_a_document_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert verdict(shop, "documents") == ("pass", [])
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text("version: 1\nleases:\n  per_actor: [\n")
    (found,) = section(shop, "documents")["findings"]
    assert (found["code"], found["file"], found["line"]) == ("FILE_UNREADABLE", "config.yaml", 4)
    config.write_text("version: 1\n")
    assert verdict(shop, "documents") == ("pass", ["EDIT_PENDING"])


def test_documents_that_nobody_has_written_are_named(tmp_path: Path) -> None:
    shop = Shop((a_repository(tmp_path),), None, ())
    shop.ok(0, "sidecar-init")
    assert verdict(shop, "documents") == ("warn", ["DOCUMENT_MISSING"] * 4)
    shop.ok(0, "init")
    assert verdict(shop, "documents") == ("pass", [])


def test_a_ticket_file_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert verdict(shop, "files") == ("pass", [])
    ticket = shop.clones[0] / ".exo" / "tickets" / "t1" / "TICKET-T1.yaml"
    ticket.write_text(ticket.read_text().replace("priority: 3", "priority: urgent"))
    (found,) = section(shop, "files")["findings"]
    assert (found["code"], found["file"], found["line"]) == ("FILE_UNREADABLE", "tickets/t1/TICKET-T1.yaml", 5)


def test_files_that_are_gone_from_the_mount_are_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shutil.rmtree(shop.clones[0] / ".exo" / "tickets")
    (found,) = section(shop, "files")["findings"]
    assert (found["code"], found["message"].split(" ")[0]) == ("FILES_MISSING", "4")
    shop.ok(0, "sidecar-repair", "--render")
    assert verdict(shop, "files") == ("pass", [])


def test_a_code_branch_that_tracks_the_mount_fails(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    clone = shop.clones[0]
    assert verdict(shop, "tracking") == ("pass", [])
    blob = git(clone, "hash-object", "-w", "--stdin", stdin="x\n")
    git(clone, "update-index", "--add", "--cacheinfo", f"100644,{blob},.exo/config.yaml")
    assert verdict(shop, "tracking") == ("fail", ["SIDECAR_SPLIT"])
    commit = git(clone, "commit-tree", git(clone, "write-tree"), "-m", "tracked", "-p", "HEAD")
    git(clone, "reset", "-q")
    assert verdict(shop, "tracking") == ("pass", [])
    git(clone, "branch", "feature", commit)
    (found,) = section(shop, "tracking")["findings"]
    assert (found["code"], found["subject"]) == ("SIDECAR_SPLIT", "feature")
    assert "git rm -r -q --cached .exo" in found["hint"]


def test_a_ring_of_parents_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert verdict(shop, "hierarchy") == ("pass", [])
    pairs = (("TICKET-T1", "TICKET-T2"), ("TICKET-T2", "TICKET-T1"))
    own = chain_of(shop.clones[0])
    lines = segment(shop.clones[0] / ".exo", own).read_bytes().splitlines()
    writer = Writer("z")
    for child, parent in pairs:
        draft = Draft(subject=child, data=TicketEdited(fields=Fields(parent=TicketId(parent))))
        writer.write(draft, seen={own: (len(lines), sha256_hex(lines[-1]))})
    brought(shop, writer.clone, *writer.lines)
    assert verdict(shop, "hierarchy") == ("warn", ["PARENT_RING"])


def brought(shop: Shop, writer: str, *lines: bytes) -> None:
    """Put a chain of another writer on the branch with plain git."""
    file = shop.clones[0] / ".exo" / "ledger" / writer[:2] / writer / "000001.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    commit_by_hand(shop.clones[0])


def test_values_and_documents_that_two_clones_changed_at_once_are_named(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    for number in (0, 1):
        shop.ok(number, "ticket-edit", "T1", "--title", f"By {number}")
        text = shop.clones[number] / ".exo" / "CONSTITUTION.md"
        text.write_text(text.read_text().replace("Every change has a ticket", f"Every change of {number} has a ticket"))
    assert verdict(shop, "conflicts") == ("pass", [])
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    assert verdict(shop, "conflicts") == ("warn", ["CONFLICT_VALUE", "DOCUMENT_CONFLICT"])


def test_an_event_that_does_not_count_is_named(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert verdict(shop, "quarantine") == ("pass", [])
    writer = Writer("z").write(Draft(subject="TICKET-T1", data=TicketNoted(text="x")))
    brought(shop, writer.clone, changed(writer.lines[0], type="ticket.dreamt"))
    (found,) = section(shop, "quarantine")["findings"]
    assert (found["code"], found["subject"]) == ("EVENT_QUARANTINED", f"{writer.clone}:1")
