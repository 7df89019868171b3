"""Two programs on one branch: the newer computes the files, the older records what is done and leaves them alone."""

from pathlib import Path
from typing import Any

import pytest

from exo_sidecar.store import layout
from tests.support import hostile
from tests.support.clones import BRANCH
from tests.support.repositories import a_clone, git
from tests.support.versions import STAMP, STARRED, next_exo, next_ok, next_process
from tests.support.working import Shop, a_shop

AGENT = {"EXO_ACTOR": "agent:claude"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return two clones; in the first somebody used the next program, and both know."""
    made = a_shop(tmp_path, clones=2)
    next_ok(made.clones[0], "ticket-edit", "T1", "--note", "by the next")
    next_ok(made.clones[0], "sync")
    made.ok(1, "sync")
    return made


def ticket_file(shop: Shop, number: int, name: str) -> Path:
    """Return the file of a ticket in the mount of a clone."""
    (found,) = shop.clones[number].glob(f".exo/tickets/*/TICKET-{name}.yaml")
    return found


def computed(shop: Shop, number: int = 0, commit: str = BRANCH) -> list[str]:
    """Return every file of the branch but the ledger, with its content's id."""
    listed = git(shop.clones[number], "ls-tree", "-r", commit).splitlines()
    return [line for line in listed if "\tledger/" not in line]


def changed(shop: Shop, number: int) -> set[str]:
    """Return the top folders of what the last commit of the branch changed."""
    names = git(shop.clones[number], "diff", "--name-only", f"{BRANCH}~", BRANCH).splitlines()
    return {name.split("/")[0] for name in names}


def told(ran: Any, code: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return what a command warned of under a code."""
    return [each["message"] for each in ran.answer["warnings"] if each["code"] == code]


def test_the_first_command_of_a_newer_program_that_writes_computes_everything_anew_in_its_commit(
    tmp_path: Path,
) -> None:
    shop = a_shop(tmp_path, clones=1)
    before = shop.commits()
    next_ok(shop.clones[0], "status")
    next_ok(shop.clones[0], "ticket-edit", "T1", "--note", "only asked", "--dry-run")
    assert shop.commits() == before
    audited = next_ok(shop.clones[0], "audit")
    assert audited["verdict"] == "warn"
    assert [each["code"] for each in audited["issues"]] == ["RENDERED_UNCHECKED"]
    ran = next_process(shop.clones[0], "ticket-edit", "T1", "--note", "by the next")
    number = layout.RENDER_NUMBER
    assert told(ran, "RENDERED_ANEW") == [
        f"the files of the branch were computed anew: render {number} is {number + 1} now"
    ]
    assert shop.commits() == before + 1
    assert all(path.read_bytes().endswith(STAMP) for path in shop.clones[0].glob(".exo/tickets/*/*.yaml"))
    assert f"render {number + 1}\n" in (shop.clones[0] / ".exo" / "FORMAT").read_text()
    assert git(shop.clones[0] / ".exo", "status", "--porcelain") == ""
    assert next_ok(shop.clones[0], "audit")["verdict"] == "pass"
    again = next_exo(shop.clones[0], "ticket-edit", "T2", "--note", "once more")
    assert told(again, "RENDERED_ANEW") == []


def test_an_older_program_appends_its_events_and_leaves_every_computed_file(shop: Shop) -> None:
    before = computed(shop, 1)
    shop.ok(1, "ticket-edit", "T2", "--title", "Titled by the older")
    shop.ok(1, "ticket-create", "New", "--parent", "INTENT-1", "--id", "TICKET-NEW")
    assert changed(shop, 1) == {"ledger"}
    assert computed(shop, 1) == before
    assert git(shop.clones[1] / ".exo", "status", "--porcelain") == ""
    assert shop.ok(1, "ticket-show", "T2")["ticket"]["title"] == "Titled by the older"
    assert "TICKET-NEW" in {each["id"] for each in shop.ok(1, "ticket-list")["items"]}
    shop.ok(1, "sync")
    next_ok(shop.clones[0], "sync")
    assert "Titled by the older" in ticket_file(shop, 0, "T2").read_text()
    assert ticket_file(shop, 0, "NEW").read_bytes().endswith(STAMP)
    assert next_ok(shop.clones[0], "audit")["verdict"] == "pass"


def test_work_goes_on_under_an_older_program(shop: Shop) -> None:
    shop.ok(1, "next", env=AGENT)
    shop.ok(1, "session-start", env=AGENT)
    shop.ok(1, "session-finish", "--summary", "Done under the older.", env=AGENT)
    assert shop.status(1, "T1") == "review"
    shop.ok(1, "sync")
    next_ok(shop.clones[0], "sync")
    assert next_ok(shop.clones[0], "ticket-show", "T1")["ticket"]["status"] == "review"
    mementos = [path.read_text() for path in shop.clones[0].glob(".exo/sessions/*/*.md")]
    assert len(mementos) == 1
    assert "Done under the older." in mementos[0]


def test_an_older_program_says_once_what_it_is_and_names_no_damage(shop: Shop) -> None:
    status = shop.ok(1, "status")
    (finding,) = status["findings"]
    number = layout.RENDER_NUMBER
    assert finding["code"] == "RENDER_NEWER"
    assert f"this exo is older than the branch (render {number} < {number + 1})" in finding["message"]
    assert "1 event is of a type it does not know" in finding["message"]
    assert (status["damaged"], status["unsettled"]["quarantined"]) == ([], 0)
    sections = {each["name"]: each for each in shop.ok(1, "doctor")["sections"]}
    codes = [each["code"] for section in sections.values() for each in section["findings"]]
    assert codes.count("RENDER_NEWER") == 1
    assert not [code for code in codes if code in {"EVENT_QUARANTINED", "PRESCRIBED_CHANGED"}]
    assert next_ok(shop.clones[0], "status")["findings"] == []


def test_an_unknown_type_on_a_branch_of_this_program_stays_quarantined(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    next_ok(shop.clones[0], "ticket-edit", "T1", "--note", "by the next")
    format_file = shop.clones[0] / ".exo" / "FORMAT"
    git(shop.clones[0] / ".exo", "checkout", "-q", f"{BRANCH}~", "--", "FORMAT", "tickets")
    git(shop.clones[0] / ".exo", "commit", "-q", "--amend", "--no-edit")
    assert f"render {layout.RENDER_NUMBER}\n" in format_file.read_text()
    (damaged,) = shop.ok(0, "status")["damaged"]
    assert STARRED in damaged
    assert shop.ok(0, "status")["unsettled"]["quarantined"] == 1


def test_both_sync_to_and_fro_until_idle_clones_make_no_commit(shop: Shop) -> None:
    for turn in range(2):
        shop.ok(1, "ticket-edit", "T2", "--note", f"older {turn}")
        assert next_process(shop.clones[0], "ticket-edit", "T1", "--note", f"newer {turn}").exit == 0
        shop.ok(1, "sync")
        assert next_process(shop.clones[0], "sync").exit == 0
    shop.ok(1, "sync")
    tip = shop.tip(1)
    for _ in range(2):
        next_ok(shop.clones[0], "sync")
        shop.ok(1, "sync")
    assert (shop.tip(0), shop.tip(1)) == (tip, tip)
    assert all(path.read_bytes().endswith(STAMP) for path in shop.clones[1].glob(".exo/tickets/*/*.yaml"))
    notes = [next_ok(shop.clones[0], "ticket-show", name)["ticket"]["notes"] for name in ("T1", "T2")]
    assert notes == [["by the next", *(f"newer {turn}" for turn in range(2))], [f"older {turn}" for turn in range(2)]]


def test_two_older_clones_agree_on_one_commit_and_on_the_files(shop: Shop) -> None:
    before = computed(shop, 1)
    shop.ok(0, "sync")
    shop.ok(0, "ticket-edit", "T1", "--note", "one")
    shop.ok(1, "ticket-edit", "T2", "--note", "other")
    for number in (0, 1, 0, 1, 0):
        shop.ok(number, "sync")
    assert shop.tip(0) == shop.tip(1)
    tip = shop.tip(0)
    for number in (0, 1):
        shop.ok(number, "sync")
    assert (shop.tip(0), shop.tip(1)) == (tip, tip)
    assert computed(shop, 0) == before


def test_an_older_program_leaves_an_edit_and_a_newer_one_takes_in_just_that(shop: Shop) -> None:
    file = ticket_file(shop, 1, "T2")
    shop.ok(1, "ticket-edit", "T2", "--priority", "1", "--add-label", "kept")
    edited = file.read_text().replace("Title TICKET-T2", "By hand").replace("labels: []", 'labels:\n  - "mine"')
    file.write_text(edited)
    ran = shop.exo(1, "sync")
    assert ran.exit == 0, ran.out
    (message,) = told(ran, "EDIT_LEFT")
    assert str(file.relative_to(shop.clones[1] / ".exo")) in message
    assert "update exo" in message
    assert file.read_text() == edited
    assert shop.ok(1, "ticket-show", "T2")["ticket"]["title"] == "Title TICKET-T2"
    pending = [each for each in shop.ok(1, "audit", "--fix-hints")["issues"] if each["code"] == "EDIT_PENDING"]
    assert [each["hint"] for each in pending] == ["update exo: a newer one takes it in"]
    next_ok(shop.clones[1], "sync")
    ticket = next_ok(shop.clones[1], "ticket-show", "T2")["ticket"]
    assert ticket["title"] == "By hand"
    assert (ticket["priority"], sorted(ticket["labels"])) == (1, ["kept", "mine"]), "what was not edited was undone"
    assert "By hand" in file.read_text()
    assert git(shop.clones[1] / ".exo", "status", "--porcelain") == ""


def test_an_edit_of_a_file_that_lagged_is_taken_in_by_whatever_the_newer_program_writes_first(shop: Shop) -> None:
    file = ticket_file(shop, 0, "T2")
    shop.ok(0, "ticket-edit", "T2", "--priority", "1")
    file.write_text(file.read_text().replace("Title TICKET-T2", "By hand"))
    ran = next_exo(shop.clones[0], "ticket-edit", "T1", "--note", "about another")
    assert len(told(ran, "EDIT_ABSORBED")) == 1
    ticket = next_ok(shop.clones[0], "ticket-show", "T2")["ticket"]
    assert (ticket["title"], ticket["priority"]) == ("By hand", 1)
    assert git(shop.clones[0] / ".exo", "status", "--porcelain") == ""


def test_a_commit_by_hand_of_a_file_that_lagged_changes_what_it_changed_and_nothing_else(shop: Shop) -> None:
    file = ticket_file(shop, 0, "T2")
    shop.ok(0, "ticket-edit", "T2", "--priority", "1")
    shop.ok(0, "ticket-edit", "T1", "--priority", "2")
    file.write_text(file.read_text().replace("Title TICKET-T2", "By hand"))
    git(shop.clones[0] / ".exo", "commit", "-q", "-a", "-m", "by hand")
    ran = next_exo(shop.clones[0], "ticket-edit", "T1", "--note", "about another")
    assert len(told(ran, "EDIT_ABSORBED")) == 1
    ticket = next_ok(shop.clones[0], "ticket-show", "T2")["ticket"]
    assert (ticket["title"], ticket["priority"]) == ("By hand", 1)
    assert next_ok(shop.clones[0], "ticket-show", "T1")["ticket"]["priority"] == 2
    assert git(shop.clones[0] / ".exo", "status", "--porcelain") == ""
    assert next_ok(shop.clones[0], "audit")["verdict"] == "pass"


def test_a_repair_by_an_older_program_puts_the_files_of_the_branch_back(shop: Shop) -> None:
    before = computed(shop, 1)
    file = ticket_file(shop, 1, "T2")
    was = file.read_bytes()
    file.write_bytes(was + b"more\n")
    done = shop.ok(1, "sidecar-repair", "--render")
    assert file.read_bytes() == was
    (kept,) = done["kept_aside"]
    assert (shop.clones[1] / ".exo" / kept).read_bytes() == was + b"more\n"
    assert computed(shop, 1) == before


def test_a_fresh_clone_of_an_older_program_takes_the_files_as_they_are(shop: Shop) -> None:
    fresh = Shop((*shop.clones, a_clone(shop.server, "fresh")), shop.hub, shop.tickets)
    fresh.ok(2, "init")
    assert computed(fresh, 2) == computed(fresh, 0)
    fresh.ok(2, "ticket-edit", "T1", "--note", "from a fresh clone")
    fresh.ok(2, "sync")
    assert computed(fresh, 2) == computed(fresh, 0)


def test_a_document_that_was_edited_while_its_file_lagged_keeps_what_others_wrote(shop: Shop) -> None:
    file = shop.clones[1] / ".exo" / "CONSTITUTION.md"
    file.write_text(file.read_text() + "\n## Mine\n\nA rule of mine.\n")
    shop.ok(1, "sync")
    assert "A rule of mine." in file.read_text()
    other = shop.clones[0] / ".exo" / "CONSTITUTION.md"
    assert "A rule of mine." not in other.read_text()
    next_ok(shop.clones[1], "sync")
    next_ok(shop.clones[0], "sync")
    assert "A rule of mine." in other.read_text()


def test_a_commit_by_hand_under_an_older_program_is_kept_aside(shop: Shop) -> None:
    before = computed(shop, 1)
    file = ticket_file(shop, 1, "T2")
    file.write_text(file.read_text().replace("Title TICKET-T2", "By hand"))
    git(shop.clones[1] / ".exo", "commit", "-q", "-a", "-m", "by hand")
    ran = shop.exo(1, "ticket-edit", "T1", "--note", "meanwhile")
    assert ran.exit == 0, ran.out
    (message,) = told(ran, "EDIT_LEFT")
    assert "kept aside" in message
    (kept,) = (shop.clones[1] / ".exo" / "cache" / "rejected").iterdir()
    assert "By hand" in kept.read_text()
    assert computed(shop, 1) == before
    assert git(shop.clones[1] / ".exo", "status", "--porcelain") == ""


def test_both_programs_may_be_used_in_one_clone(shop: Shop) -> None:
    shop.ok(0, "ticket-edit", "T1", "--title", "Older here")
    assert "Older here" not in ticket_file(shop, 0, "T1").read_text()
    audited = next_ok(shop.clones[0], "audit")
    assert audited["verdict"] == "warn", "files that an older exo left are behind, and no forgery"
    assert {each["code"] for each in audited["issues"]} == {"RENDERED_MISMATCH"}
    ran = next_exo(shop.clones[0], "ticket-edit", "T2", "--note", "newer again")
    assert told(ran, "RENDERED_ANEW") == [
        "the files of the branch were computed anew: an older exo had left them to this one"
    ]
    assert "Older here" in ticket_file(shop, 0, "T1").read_text()
    assert next_ok(shop.clones[0], "audit")["verdict"] == "pass"


def test_an_audit_by_an_older_program_says_what_it_cannot_prove_and_still_finds_what_it_can(shop: Shop) -> None:
    audited = shop.ok(1, "audit")
    assert audited["verdict"] == "warn"
    (issue,) = audited["issues"]
    assert issue["code"] == "RENDERED_UNCHECKED"
    assert "nor judge 1 of its events" in issue["message"]
    segment = next(shop.clones[1].glob(".exo/ledger/*/*/000001.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b"Title TICKET-T2", b"Title TICKET-T9", 1))
    broken = shop.exo(1, "audit")
    assert broken.exit == 7
    assert "LEDGER_FILE_EDITED" in {each["code"] for each in broken.data["issues"]}


def test_plain_git_unites_two_numbers_and_the_higher_one_counts(shop: Shop) -> None:
    shop.ok(1, "ticket-edit", "T2", "--note", "mine")
    next_ok(shop.clones[0], "ticket-edit", "T2", "--note", "theirs")
    next_ok(shop.clones[0], "sync")
    git(shop.clones[1] / ".exo", "pull", "-q", "--no-edit")
    shop.ok(1, "ticket-edit", "T1", "--note", "after")
    assert computed(shop, 1) == computed(shop, 0)
    shop.ok(1, "sync")
    next_ok(shop.clones[0], "sync")
    assert sorted(next_ok(shop.clones[0], "ticket-show", "T2")["ticket"]["notes"]) == ["mine", "theirs"]
    assert next_ok(shop.clones[0], "audit")["verdict"] == "pass"


def test_a_branch_that_claims_a_newer_program_brings_nothing_harmful_to_the_disk(shop: Shop) -> None:
    hub = shop.server
    root = hostile.root_of(hub, git(hub, "rev-parse", BRANCH))
    for path, data in (
        (".gitattributes", b"* filter=evil\n"),
        ("tickets/.gitattributes", b"* filter=evil\n"),
        ("cache/prompt.md", b"obey\n"),
        ("Tickets/t1/TICKET-T1.yaml", b"id: evil\n"),
        ("CON stitution", b"x\n"),
        ("FORMAT", b"exo-sidecar 1\nrender 999\n"),
        ("new/of/a-newer.yaml", b"fine: true\n"),
    ):
        root = hostile.root_of(hub, hostile.plant(hub, hostile.with_file(hub, root, path, data)))
    ran = shop.exo(1, "sync")
    assert ran.exit == 0, ran.out
    listed = set(git(shop.clones[1], "ls-tree", "-r", "--name-only", BRANCH).splitlines())
    assert not listed & {"tickets/.gitattributes", "cache/prompt.md", "CON stitution"}
    assert len({name.casefold() for name in listed}) == len(listed)
    assert (shop.clones[1] / ".exo" / ".gitattributes").read_bytes() == layout.PRESCRIBED[".gitattributes"]
    assert git(shop.clones[1] / ".exo", "status", "--porcelain") == ""
    assert shop.ok(1, "ticket-edit", "T1", "--note", "work goes on")
