"""Sixteen processes at once in one clone: every answer that was given holds, and each has its own commit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.support.forked import Forks, Work, forks
from tests.support.process import Ran, exo_command, parallel
from tests.support.repositories import git
from tests.support.wholeness import check_audit, check_whole, leases_held, operations, tip
from tests.support.working import Shop, a_shop

WRITERS: Final = 16
ROUNDS_LONG: Final = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Forks]:
    """Processes that have imported everything."""
    with forks(tmp_path / "forks") as running:
        yield running


def at_once(server: Forks, clone: Path, commands: Sequence[tuple[str, ...]]) -> list[Ran]:
    """Run commands at one moment; all must go well."""
    ran = server.together([Work(clone, (*command, "--json")) for command in commands], ahead_seconds=0.1)
    assert [each.exit for each in ran] == [0] * len(ran), [each.out + each.err for each in ran if each.exit]
    return ran


def check_one_commit_each(clone: Path, before: str, operation: str, count: int) -> None:
    """Assert that each operation made one commit, and nothing else made any."""
    subjects = operations(clone, before)
    assert Counter(subject.split()[1] for subject in subjects) == {operation: count}, subjects
    assert git(clone, "rev-list", "--count", "--min-parents=2", f"{before}..exo-governance") == "0"


def create(server: Forks, shop: Shop, number: int) -> None:
    """Let all create a ticket below one intent."""
    clone = shop.clones[0]
    before = tip(clone)
    titles = [f"Round {number} writer {writer}" for writer in range(WRITERS)]
    ran = at_once(server, clone, [("ticket-create", title, "--parent", "INTENT-1") for title in titles])
    made = {each.data["id"]: title for each, title in zip(ran, titles, strict=True)}
    assert len(made) == WRITERS
    listed = server.run(clone, "ticket-list", "--limit", "1000", "--json").data["items"]
    assert {item["id"]: item["title"] for item in listed if item["id"] in made} == made
    check_one_commit_each(clone, before, "ticket-create", WRITERS)
    check_whole(clone)
    check_audit(server, clone)


def edit(server: Forks, shop: Shop, number: int) -> None:
    """Let some edit fields and labels of one ticket, each another one, and some tickets of their own."""
    clone = shop.clones[0]
    before = tip(clone)
    fields = {"title": "t", "boundary": "b", "success-condition": "s", "consumer": "c", "pain-point": "p"}
    commands = [("ticket-edit", "T1", f"--{name}", f"{value}{number}") for name, value in fields.items()]
    labels = [f"l{number}-{index}" for index in range(6)]
    commands += [("ticket-edit", "T1", "--add-label", label) for label in labels]
    others = [f"T{index}" for index in range(2, 2 + WRITERS - len(commands))]
    commands += [("ticket-edit", other, "--title", f"own {number}") for other in others]
    at_once(server, clone, commands)
    ticket = server.run(clone, "ticket-show", "T1", "--json").data["ticket"]
    found = {
        "title": ticket["title"],
        "boundary": ticket["boundary"],
        "success-condition": ticket["success_condition"],
        "consumer": ticket["admission"]["consumer"],
        "pain-point": ticket["admission"]["pain_point"],
    }
    assert found == {name: f"{value}{number}" for name, value in fields.items()}
    assert set(labels) <= set(ticket["labels"])
    assert {server.run(clone, "ticket-show", other, "--json").data["ticket"]["title"] for other in others} == {
        f"own {number}"
    }
    check_one_commit_each(clone, before, "ticket-edit", WRITERS)
    check_whole(clone)
    check_audit(server, clone)


def test_sixteen_create_tickets_at_once(tmp_path: Path, server: Forks) -> None:
    create(server, a_shop(tmp_path, tickets=1), 0)


def test_sixteen_edit_one_ticket_and_others_at_once(tmp_path: Path, server: Forks) -> None:
    edit(server, a_shop(tmp_path, tickets=7), 0)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_sixteen_write_again_and_again(tmp_path: Path, server: Forks) -> None:
    shop = a_shop(tmp_path, tickets=7)
    for number in range(ROUNDS_LONG):
        create(server, shop, number)
        edit(server, shop, number)
    print(f"{ROUNDS_LONG * 2} rounds of {WRITERS} writers: {ROUNDS_LONG * 2 * WRITERS} operations, as many commits")
    assert shop.ok(0, "sync")["ahead"] == 0


def test_sixteen_start_a_session_each_in_its_own_worktree(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=WRITERS)
    shop.let_an_actor_hold(WRITERS)
    clone = shop.clones[0]
    shop.ok(0, "compose")  # else whoever starts first seals the policy anew, with a commit of its own
    trees = [tmp_path / "trees" / str(number) for number in range(WRITERS)]
    for number, tree in enumerate(trees):
        git(clone, "worktree", "add", "-q", "-b", f"work{number}", str(tree))
    before = tip(clone)
    ran = parallel(
        [
            exo_command(tree, "session-start", "--ticket-id", f"T{number + 1}", "--json")
            for number, tree in enumerate(trees)
        ],
        timeout_seconds=100,
    )
    assert [each.exit for each in ran] == [0] * WRITERS, [each.out + each.err for each in ran if each.exit]
    sessions = {each.data["ticket"]["id"]: each.data["session"]["id"] for each in ran}
    assert len(set(sessions.values())) == WRITERS
    with forks(tmp_path / "forks") as server:
        held = leases_held(server, shop.clones[1])
        assert {ticket: item["holder"]["session"] for ticket, item in held.items()} == sessions
        check_one_commit_each(clone, before, "session-start", WRITERS)
        check_whole(clone)
        check_audit(server, clone)
        assert server.run(shop.clones[1], "sync", "--json").exit == 0
        for ticket, session in sessions.items():
            shown = server.run(shop.clones[1], "ticket-show", ticket, "--json").data
            assert (shown["ticket"]["status"], shown["lease"]["session"]) == ("active", session)
