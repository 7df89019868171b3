"""A transaction is there whole or not at all, whenever its process dies, and the next operation puts all right."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from pathlib import Path

import pytest

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.store import codec, publish
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.journal import Pending
from tests.support import dying
from tests.support.repositories import git
from tests.support.stores import (
    Clone,
    a_company,
    a_governed_store,
    assert_sound,
    closing,
    created,
    ledger_lines,
    noted,
    opened,
    titled,
)

STEPS_MAX = 400
GROUP = 3
"""Events of one transaction in the loops below: all of them or none must be there."""
Say = Callable[[str], None]


def test_a_child_that_dies_before_any_write_step_leaves_a_whole_transaction_or_none(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-001"), created("TICKET-002"))
        deaths = sum(1 for _ in takewhile(lambda number: died_writing(one, number, torn=False), range(1, STEPS_MAX)))
        assert 20 < deaths < STEPS_MAX - 1
        assert_sound(one)


def test_a_child_that_dies_in_the_middle_of_a_write_leaves_no_half_file(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-001"), created("TICKET-002"))
        deaths = sum(1 for _ in takewhile(lambda number: died_writing(one, number, torn=True), range(1, STEPS_MAX, 2)))
        assert deaths > 10
        assert_sound(one)


def test_a_child_that_dies_between_the_branch_and_the_index_of_records_has_written(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        before = names(one)
        fate = dying.forked(partial(write_and_die, one.closed()))
        assert fate.killed
        assert len(names(one) - before) == 1  # the commit was made, the SQLite transaction was not
        again = opened(one.folder)
        assert again.store.view().find_ticket("TICKET-001").ticket.title == "Left behind"
        again.write(titled("TICKET-001", "Healed"))
        assert_sound(again)
        again.store.close()


@pytest.mark.parametrize("torn", [False, True], ids=["between", "within"])
def test_a_hand_edit_survives_the_death_of_who_takes_it_in(tmp_path: Path, *, torn: bool) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-001"), document("CONSTITUTION.md", "# Rules\n"))
        deaths = 0
        for number in range(1, STEPS_MAX, 2 if torn else 1):
            edit_by_hand(one, number)
            if not dying.forked(partial(one_absorbs, one.closed()), die_at=number, torn=torn).killed:
                break
            deaths += 1
            one.absorb()
            one.absorb()
            assert one.status() == ""
            assert one.store.view().find_ticket("TICKET-001").ticket.title == f"By hand {number}"
            assert (one.mount / "CONSTITUTION.md").read_text() == f"# Rules\n\nRule {number}\n"
        assert deaths > 10
        assert_sound(one)


def test_a_merge_that_is_killed_anywhere_is_finished_or_made_again(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as (one, two):
        one.write(created("TICKET-001"), document("CONSTITUTION.md", "# Rules\n"))
        one.sync()
        two.sync()
        deaths = 0
        for number in range(1, STEPS_MAX, 6):
            one.write(titled("TICKET-001", f"One {number}"), document("CONSTITUTION.md", f"# Rules\n\n{number}\n"))
            one.sync()
            two.write(noted("TICKET-001", f"Two {number}"))
            expected = one.lines() | two.lines()
            if not dying.forked(partial(one_pulls, two.closed()), die_at=number).killed:
                break
            deaths += 1
            two.sync()
            assert two.lines() == expected
            assert two.status() == ""
            one.sync()
            assert one.tip == two.tip
        assert deaths > 5
        assert_sound(two)


def test_a_hundred_kills_at_random_moments_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    figures = killed_again_and_again(tmp_path, kills=100, seed=1)
    print(figures)
    assert figures["acknowledged"] > 20


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_six_hundred_kills_at_random_moments_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    figures = killed_again_and_again(tmp_path, kills=600, seed=2)
    print(figures)
    assert figures["acknowledged"] > 200


def died_writing(one: Clone, number: int, *, torn: bool) -> bool:
    """Let a child die at its Nth step; assert that all is well after the next operation."""
    before = names(one)
    fate = dying.forked(partial(three_events, one.closed(), number), die_at=number, torn=torn)
    one.write(noted("TICKET-002", f"after {number}"))
    assert one.status() == "", f"not clean after death at {number}"
    git(one.folder, "fsck", "--strict")
    came = names(one) - before
    assert len(came) in ({1 + GROUP} if fate.said else {1, 1 + GROUP}), f"part of a transaction after death at {number}"
    assert leftovers(one) == []
    return fate.killed


def killed_again_and_again(folder: Path, *, kills: int, seed: int) -> dict[str, int]:
    rng = random.Random(seed)
    figures = {"kills": 0, "acknowledged": 0, "whole but not acknowledged": 0, "healed journals": 0}
    with closing([a_governed_store(folder)]) as (one,):
        one.write(created("TICKET-001"), created("TICKET-002"))
        for number in range(kills):
            before = names(one)
            fate = dying.started(partial(endless, one.closed())).killed(after_seconds=rng.uniform(0, 0.1))
            figures["kills"] += fate.killed
            figures["healed journals"] += (one.store.governed.folder / "pending").exists()
            one.write(noted("TICKET-002", f"after {number}"))
            came = len(names(one) - before) - 1
            acknowledged = len(fate.said) - 1
            assert came % GROUP == 0, "part of a transaction"
            assert acknowledged <= came // GROUP <= acknowledged + 1, "an acknowledged transaction is gone"
            figures["acknowledged"] += acknowledged
            figures["whole but not acknowledged"] += came // GROUP - acknowledged
            assert one.status() == ""
            walk_chain(one)
            git(one.folder, "fsck", "--strict")
            assert leftovers(one) == []
        assert_sound(one)
    assert figures["kills"] == kills
    return figures


def walk_chain(one: Clone) -> None:
    """Follow the chain of the only writer: numbers without a gap, each event naming the one before it."""
    before = NO_DIGEST
    for number, (_, line) in enumerate(ledger_lines(one), 1):
        event = codec.decode(line)
        assert (event.seq, event.prev) == (number, before)
        before = sha256_hex(line)


def names(one: Clone) -> set[str]:
    return {sha256_hex(line) for _, line in one.lines()}


def leftovers(one: Clone) -> list[str]:
    """Return temporary files and locks that nobody will ever remove: in the mount, and locks of git."""
    common = one.store.governed.repository.place.common
    stray: Iterator[Path] = (path for path in one.mount.rglob("*") if path.name.endswith((".tmp", ".lock")))
    locks = (path for path in common.rglob("*.lock") if path.name != "lock")
    return sorted(str(path) for path in (*stray, *locks))


def document(name: str, text: str) -> Draft:
    return Draft(subject=name, data=DocumentEdited(base=NO_DIGEST, text=text))


def edit_by_hand(one: Clone, number: int) -> None:
    (file,) = one.mount.glob("tickets/*/TICKET-001.yaml")
    lines = file.read_text().splitlines()
    file.write_text("".join(f"{f'title: By hand {number}' if line.startswith('title:') else line}\n" for line in lines))
    (one.mount / "CONSTITUTION.md").write_text(f"# Rules\n\nRule {number}\n")


def three_events(folder: Path, number: int, say: Say) -> None:
    one = opened(folder)
    one.write(
        titled("TICKET-001", f"Title {number}"),
        noted("TICKET-002", "a note"),
        document("CONSTITUTION.md", f"# Rules\n\n{number}\n"),
    )
    say("done")


def endless(folder: Path, say: Say) -> None:
    one = opened(folder)
    say("begun")
    for number in range(10_000):
        three_events_of(one, number)
        say(str(number))


def three_events_of(one: Clone, number: int) -> None:
    one.write(
        titled("TICKET-001", f"Title {number}"), noted("TICKET-002", "a note"), created(f"TICKET-{number % 40:04}")
    )


def one_absorbs(folder: Path, _: Say) -> None:
    opened(folder).absorb()


def one_pulls(folder: Path, _: Say) -> None:
    opened(folder).pull()


def write_and_die(folder: Path, say: Say) -> None:
    """Die after everything but the commit of the local index."""
    one = opened(folder)
    whole = publish.finish

    def finish_and_die(governed: Governed, pending: Pending) -> None:
        whole(governed, pending)
        dying.die()

    publish.finish = finish_and_die
    one.write(created("TICKET-001", "Left behind"))
    say("never")
