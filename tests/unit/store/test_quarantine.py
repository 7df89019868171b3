"""What does not count is named with its reason, stops nobody, and does not depend on the order of arrival."""

import itertools
import random
from collections.abc import Callable

import pytest

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.ids import TicketId
from exo_sidecar.store import chains
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, changed, folded, viewed
from tests.support.stores import created, dump, noted, titled

T = TicketId("TICKET-1")


def a_chain() -> Writer:
    return Writer("a").write(created(T)).write(noted(T, "second")).write(noted(T, "third"))


def without_second(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2]]


def second_changed(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b"second", b"forged"), lines[2]]


def wrong_previous(lines: list[bytes]) -> list[bytes]:
    return [lines[0], changed(lines[1], prev="0" * 64), lines[2]]


def no_json(lines: list[bytes]) -> list[bytes]:
    return [lines[0], b"<<<<<<< HEAD", lines[2]]


def not_canonical(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b'"v":1', b'"v": 1'), lines[2]]


def of_another_clone(lines: list[bytes]) -> list[bytes]:
    return [lines[0], changed(lines[1], clone="b" * 16), lines[2]]


@pytest.mark.parametrize(
    ("broken", "left"),
    [
        (without_second, []),
        (second_changed, ["forged"]),
        (wrong_previous, []),
        (no_json, []),
        (not_canonical, []),
        (of_another_clone, []),
    ],
)
def test_a_chain_counts_up_to_its_first_break(broken: Callable[[list[bytes]], list[bytes]], left: list[str]) -> None:
    whole = a_chain()
    other = Writer("b").write(titled(T, "untouched"), whole)
    lines = broken(whole.lines)
    view = IndexView(folded({whole.clone: lines, other.clone: other.lines}))
    assert view.find_ticket(T).ticket.notes == tuple(left)
    assert view.find_ticket(T).ticket.title == "untouched"
    (quarantined,) = view.quarantined()
    assert quarantined.event == f"{whole.clone}:{2 + len(left)}"
    assert quarantined.count == len(lines) - 1 - len(left)
    assert "line" in quarantined.reason


def test_a_sound_chain_has_nothing_in_quarantine() -> None:
    assert viewed(a_chain()).quarantined() == ()


@pytest.mark.parametrize(("digest", "why"), [("0" * 64, "different"), (None, "absent")])
def test_an_event_that_saw_what_is_not_there_counts_and_is_noted(digest: str | None, why: str) -> None:
    a = a_chain()
    seen = {a.clone: (2, digest)} if digest else {"z" * 16: (9, "1" * 64)}
    b = Writer("b").write(titled(T, "counts"), seen=seen)
    index = folded({a.clone: a.lines, b.clone: b.lines})
    record = IndexView(index).find_ticket(T)
    assert {version.value for version in record.conflicts["title"]} == {"A task", "counts"}  # it knew nothing of a's
    assert IndexView(index).quarantined() == ()
    assert index.db.execute("SELECT why FROM unresolved").fetchall() == [(why,)]


def test_an_event_waits_for_what_it_saw_whatever_comes_first() -> None:
    late = Writer("a").write(created(T))
    early = Writer("0").write(titled(T, "knew it"), late)
    index = folded({early.clone: early.lines, late.clone: late.lines})
    assert index.db.execute("SELECT * FROM unresolved").fetchall() == []
    assert IndexView(index).find_ticket(T).ticket.title == "knew it"


def test_lines_that_wait_for_each_other_behind_breaks_stop_nobody() -> None:
    """Two files whose first events each name a line of the other file that follows nothing there."""
    x, y = Writer("a"), Writer("b")
    stray_x = changed(Writer("a").write(noted(T, "x")).lines[0], seq=2, prev="7" * 64)
    stray_y = changed(Writer("b").write(noted(T, "y")).lines[0], seq=2, prev="7" * 64)
    x.write(created(T), seen={y.clone: (2, sha256_hex(stray_y))})
    y.write(noted(T, "y"), seen={x.clone: (2, sha256_hex(stray_x))})
    view = IndexView(folded({x.clone: [*x.lines, stray_x], y.clone: [*y.lines, stray_y]}))
    assert view.find_ticket(T).ticket.notes == ("y",)
    assert [one.count for one in view.quarantined()] == [1, 1]


def test_a_fork_without_its_parent_is_left_out_and_who_saw_it_still_counts() -> None:
    parent = a_chain()
    orphan = {f"{parent.clone}-12345678": parent.lines[1:]}
    witness = Writer("b").write(created("TICKET-2"), seen={parent.clone: parent.head})
    view = IndexView(folded({**orphan, witness.clone: witness.lines}))
    assert view.ticket(TicketId("TICKET-2")) is not None
    assert [one.event for one in view.quarantined()] == [f"{parent.clone}-12345678:1"]


def test_a_fork_knows_what_its_parent_knew_until_then() -> None:
    b = Writer("b").write(created(T))
    a = Writer("a").write(noted(T, "seen b"), b)
    twin = a.copy()
    a.write(titled(T, "left"))
    twin.write(titled(T, "right"))
    found = chains.branches(a.clone, [(a.clone, a.lines), (a.clone, twin.lines)])
    view = IndexView(folded({**found, b.clone: b.lines}))
    assert view.quarantined() == ()
    assert {version.value for version in view.find_ticket(T).conflicts["title"]} == {"left", "right"}


def test_the_fold_does_not_depend_on_the_order_of_arrival() -> None:
    rng = random.Random(7)
    writers = [Writer(letter) for letter in "abcd"]
    writers[0].write(created(T))
    for number in range(40):
        writer, other = rng.sample(writers, 2)
        writer.write(titled(T, str(number)) if rng.random() < 0.5 else noted(T, str(number)), other)
    whole = {writer.clone: writer.lines for writer in writers}
    expected = dump(folded(whole))
    for order in itertools.permutations(whole):
        assert dump(folded({clone: whole[clone] for clone in order})) == expected
