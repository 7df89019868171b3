"""A line is an event in one form only."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.base import canonical
from exo_sidecar.model.event import Draft, Fields, Sets, TicketCreated, TicketEdited, TicketNoted
from exo_sidecar.store import codec
from exo_sidecar.store.codec import MalformedError, UnknownTypeError
from tests.support.ledgers import Writer, changed
from tests.support.stores import created, noted

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
TITLE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
DATA = st.one_of(
    st.builds(TicketNoted, text=TEXT),
    st.builds(
        TicketCreated,
        fields=st.builds(Fields, title=TITLE, priority=st.integers(1, 5), boundary=TEXT),
        sets=st.builds(Sets, labels=st.lists(TITLE, max_size=4).map(tuple)),
        notes=st.lists(TITLE, max_size=3).map(tuple),
    ),
    st.builds(TicketEdited, fields=st.builds(Fields, checks=st.lists(TITLE, max_size=3).map(tuple))),
)


@given(DATA)
def test_an_event_is_written_and_read_in_the_same_form(data: TicketNoted | TicketCreated | TicketEdited) -> None:
    event = Writer("a").event(Draft(subject="TICKET-1", data=data))
    line = codec.encode(event)
    again = codec.decode(line)
    assert codec.encode(again) == line
    assert canonical.dumps(canonical.loads(line)) == line
    assert msgspec.json.Encoder(order="sorted").encode(msgspec.json.decode(line)) == line
    assert codec.trusted(line) == again
    assert type(codec.decode_data(again)) is type(data)


def test_decomposed_characters_are_composed_when_written() -> None:
    line = codec.encode(Writer("a").event(noted("TICKET-1", "u\u0308ber")))
    assert "über".encode() in line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v": 1'),
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1.0'),
        (b'{"actor"', b'{"actor":"human:x","actor"'),
        (b'"seq":1', b'"seq":0'),
        (b'"subject"', b'"Subject"'),
        (b"human:jane", b"nobody"),
        (b'"at":"2026', b'"at":"yesterday'),
        (b"A task", b"A\\u0020task"),
        (b"}", b""),
    ],
)
def test_a_line_in_any_other_form_is_refused(old: bytes, new: bytes) -> None:
    line = codec.encode(Writer("a").event(created("TICKET-1")))
    assert old in line
    with pytest.raises(MalformedError):
        codec.decode(line.replace(old, new, 1))


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"\xff", b"[" * 5000, b"x" * 300_000])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedError):
        codec.decode(line)


def test_an_unknown_type_and_data_of_another_form_are_told_apart() -> None:
    line = codec.encode(Writer("a").event(noted("TICKET-1", "x")))
    with pytest.raises(UnknownTypeError):
        codec.decode_data(codec.decode(changed(line, type="ticket.sung")))
    with pytest.raises(MalformedError):
        codec.decode_data(codec.decode(changed(line, type="ticket.moved")))


def test_an_event_that_is_longer_than_a_line_may_be_is_not_written() -> None:
    draft = Draft(subject="TICKET-1", data=TicketEdited(fields=Fields(checks=("x" * 1000,) * 300)))
    with pytest.raises(MalformedError, match="longer than"):
        codec.encode(Writer("a").event(draft))
