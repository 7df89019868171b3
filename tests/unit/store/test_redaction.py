"""What a redacted line is, when it counts, and that nobody gains by making one up."""

import itertools

import pytest

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.event import Draft, EventRedacted
from exo_sidecar.model.ids import TicketId
from exo_sidecar.store import chains, codec, redaction
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, changed, folded
from tests.support.stores import created, noted

T = TicketId("TICKET-1")


def a_chain() -> Writer:
    return Writer("a").write(created(T)).write(noted(T, "second")).write(noted(T, "third"))


def announce(writer: Writer, line: bytes, reason: str = "why") -> EventRedacted:
    """Append to the writer's chain that a line is redacted."""
    event = codec.decode(line)
    kept = sha256_hex(codec.redacted(line, reason))
    data = EventRedacted(event=f"{event.clone}:{event.seq}", digest=codec.digest_of(line), kept=kept, reason=reason)
    writer.write(Draft(subject=data.event, data=data))
    return data


def with_line(lines: list[bytes], number: int, line: bytes) -> list[bytes]:
    return [*lines[: number - 1], line, *lines[number:]]


def test_a_redacted_line_keeps_everything_but_what_the_event_held() -> None:
    line = a_chain().lines[1]
    left = codec.redacted(line, "why")
    event, before = codec.decode(left), codec.decode(line)
    assert codec.is_redacted(event)
    assert codec.digest_of(left) == codec.digest_of(line) == sha256_hex(line)
    assert (event.clone, event.seq, event.prev, event.type, event.subject) == (
        *(before.clone, before.seq, before.prev, before.type, before.subject),
    )
    assert b"second" not in left
    with pytest.raises(codec.RedactedError, match="redacted: why"):
        codec.decode_data(event)
    assert codec.redacted(codec.redacted(line, "other"), "why") == left
    unknown = line.replace(b'"policy":', b'"later":{"data":1},"policy":')
    assert b'"later":{"data":1}' in codec.redacted(unknown, "why")


def test_a_line_without_data_that_is_not_redacted_in_due_form_is_malformed() -> None:
    left = codec.redacted(a_chain().lines[1], "why")
    for bad in (
        left.replace(b'"redacted":"why",', b""),
        left.replace(b'"digest":"' + codec.digest_of(left).encode() + b'",', b""),
        left.replace(b'"policy":null', b'"params":{},"policy":null'),
    ):
        assert bad != left
        with pytest.raises(codec.MalformedError):
            codec.decode(bad)
        assert codec.digest_of(bad) == sha256_hex(bad)


@pytest.mark.parametrize("later", [False, True], ids=["together", "announced later"])
def test_it_counts_where_an_event_announces_it_also_one_of_the_same_chain(later: bool) -> None:  # noqa: FBT001
    writer = a_chain()
    left = codec.redacted(writer.lines[1], "why")
    announce(writer, writer.lines[1])
    lines = with_line(writer.lines, 2, left)
    other = Writer("b")
    announce(other, writer.lines[1])
    index = folded({writer.clone: lines[:3], other.clone: other.lines}) if later else folded({writer.clone: lines})
    assert IndexView(index).quarantined() == ()
    record = IndexView(index).ticket(T)
    assert record is not None
    assert record.ticket.notes == ("third",)


def test_without_an_announcement_or_changed_on_the_way_it_ends_its_chain() -> None:
    writer, other = a_chain(), Writer("b")
    line = writer.lines[1]
    left = codec.redacted(line, "why")
    announce(other, line)
    assert IndexView(folded({writer.clone: with_line(writer.lines, 2, left)})).quarantined()[0].count == 2
    for bad in (changed(left, actor="human:mallory"), changed(left, redacted="else"), changed(left, digest="a" * 64)):
        found = IndexView(folded({writer.clone: with_line(writer.lines, 2, bad), other.clone: other.lines}))
        assert found.quarantined()[0].event == f"{writer.clone}:2"


def test_the_original_stands_until_every_announcement_is_weighed() -> None:
    line = a_chain().lines[1]
    announced = [announce(Writer("b"), line, reason) for reason in ("one", "two", "three")]
    first = min(announced, key=lambda each: each.kept)
    for order in itertools.permutations(announced):
        known = {first.digest: list(order)}
        assert codec.decode(redaction.standing(line, known)).redacted == first.reason
        for each in announced:
            assert codec.decode(redaction.standing(codec.redacted(line, each.reason), known)).redacted == first.reason
    assert redaction.standing(line, {}) == line


def test_an_announcement_of_another_event_or_line_changes_nothing() -> None:
    line = a_chain().lines[1]
    good = announce(Writer("b"), line)
    for bad in (
        EventRedacted(event="c" * 16 + ":2", digest=good.digest, kept=good.kept, reason=good.reason),
        EventRedacted(event=good.event, digest=good.digest, kept="f" * 64, reason=good.reason),
        EventRedacted(event=good.event, digest=good.digest, kept=good.kept, reason="another"),
    ):
        assert redaction.standing(line, {good.digest: [bad]}) == line


@pytest.mark.parametrize("turn", [False, True])
def test_of_both_forms_the_original_is_taken_from_either_side_and_its_successors_stay(turn: bool) -> None:  # noqa: FBT001
    writer = a_chain()
    whole = writer.lines
    left = with_line(whole, 2, codec.redacted(whole[1], "why"))
    longer = [*left, *writer.write(noted(T, "fourth")).lines[3:]]
    sides = [(writer.clone, whole[:3]), (writer.clone, longer)]
    found = chains.branches(writer.clone, reversed(sides) if turn else sides)
    assert found == {writer.clone: [*whole[:3], longer[3]]}


def test_both_forms_in_one_file_are_one_event() -> None:
    writer = a_chain()
    first, second, third = writer.lines
    both = [first, second, third, codec.redacted(second, "why"), codec.redacted(third, "why")]
    writer.write(noted(T, "fourth"))
    found = chains.branches(writer.clone, [(writer.clone, [*both, writer.lines[3]])])
    assert found == {writer.clone: writer.lines}


def test_made_up_lines_that_name_each_other_end() -> None:
    writer = a_chain()
    one, two = "1" * 64, "2" * 64
    ring = [
        changed(codec.redacted(writer.lines[1], "x"), prev=two, digest=one),
        changed(codec.redacted(writer.lines[2], "x"), prev=one, digest=two),
    ]
    again = changed(codec.redacted(writer.lines[2], "x"), seq=4, prev=two, digest=writer_head(writer, 1))
    fork = f"{writer.clone}-11111111"
    found = chains.branches(writer.clone, [(writer.clone, writer.lines), (fork, [*ring, again]), (fork, ring[::-1])])
    assert found[writer.clone] == writer.lines


def test_made_up_lines_that_wait_for_each_other_are_not_waited_for_for_ever() -> None:
    a, b, c = Writer("a"), Writer("b"), Writer("c")
    a.write(created(T))
    b.write(noted(T, "x"))
    one, two = "1" * 64, "2" * 64
    first = changed(codec.redacted(a.lines[0], "x"), digest=one, seen={b.clone: (1, two)})
    second = changed(codec.redacted(b.lines[0], "x"), digest=two, seen={a.clone: (1, one)})
    for line in (first, second):
        event = codec.decode(line)
        data = EventRedacted(event=f"{event.clone}:1", digest=str(event.digest), kept=sha256_hex(line), reason="x")
        c.write(Draft(subject=data.event, data=data))
    index = folded({a.clone: [first], b.clone: [second], c.clone: c.lines})
    assert {row[0] for row in index.db.execute("SELECT writer FROM events")} == {a.clone, b.clone, c.clone}


def writer_head(writer: Writer, number: int) -> str:
    return sha256_hex(writer.lines[number - 1])
