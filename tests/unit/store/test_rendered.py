"""What exo renders, YAML reads back: whatever people wrote into a ticket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.ticket import Scope, Ticket, TicketRecord, Version
from exo_sidecar.store import yamltext
from exo_sidecar.store.hand_edits import parse_ticket
from exo_sidecar.store.rendered import ticket_file

HOSTILE = (
    "plain",
    "",
    "yes",
    "null",
    "~",
    "1e3",
    "0x1F",
    "012",
    "2026-01-02",
    "12:30:45",
    "- item",
    "key: value",
    "# no comment",
    "*alias",
    "&anchor",
    "!!python/object",
    "{a: 1}",
    "[1, 2]",
    "'single' \"double\" \\back",
    "two\nlines\r\nand\ttab",
    " leading and trailing ",
    "\x00\x07\x1b[31m\x7f\x85\xa0",
    "\u2028\u2029\ufeff\u202e\u2066\u200b",
    "\ud7ff\ue000\ufffd\ufffe\uffff",
    "😀 \U000e0001 \U0010ffff \U00013000 \U0001fae8",
    "---",
    "...",
    "%YAML 1.1",
    "? complex",
    "<<: *merge",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def rendered(ticket: Ticket, conflicts: dict[str, tuple[Version, ...]] | None = None) -> bytes:
    at = "2026-01-02T03:04:05Z"
    return ticket_file(
        TicketRecord(ticket=ticket, created_at=at, creator="human:jane", updated_at=at, conflicts=conflicts or {})
    )


def a_ticket(text: str) -> Ticket:
    return Ticket(
        id=TicketId("TICKET-1"),
        title=text,
        boundary=text,
        labels=(text,),
        checks=(text, text),
        notes=(text,),
        scope=Scope(allow=(text,), deny=(text,)),
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_read_back_as_they_were_written(text: str) -> None:
    assert parse_ticket(rendered(a_ticket(text)), "TICKET-1") == a_ticket(text)


@given(TEXT)
def test_any_text_is_read_back_as_it_was_written(text: str) -> None:
    assert parse_ticket(rendered(a_ticket(text)), "TICKET-1") == a_ticket(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_of_a_file_is_a_line_of_text(text: str) -> None:
    """No character ends a line early, wherever the file is shown: each starts as one of ours does."""
    for line in rendered(a_ticket(text)).decode().splitlines():
        assert line.lstrip().split(" ")[0].rstrip(":").replace("_", "").isalpha() or line.lstrip().startswith("- ")


def test_the_bytes_do_not_depend_on_what_this_python_calls_printable() -> None:
    data = rendered(a_ticket("\u0378\U0001fae8\U00013460"))  # unassigned, or assigned in later versions of Unicode only
    assert "\u0378\U0001fae8\U00013460".encode() in data


def test_values_that_do_not_stand_are_shown_as_comments() -> None:
    versions = tuple(
        Version(value=value, actor="human:jane", at="2026-01-02T03:04:05Z", event=f"{'a' * 16}:{number}")
        for number, value in enumerate(("stands", "does\nnot # stand"))
    )
    data = rendered(a_ticket("stands"), {"title": versions})
    assert f'# conflict: title is also "does\\nnot # stand" (human:jane, {"a" * 16}:1)'.encode() in data
    assert parse_ticket(data, "TICKET-1") == a_ticket("stands")


def test_every_value_is_json() -> None:
    for line in rendered(a_ticket("x")).decode().splitlines():
        value = line.partition(": ")[2]
        assert value == "" or json.loads(value) is not Ellipsis
    assert yamltext.load(rendered(a_ticket("x")).decode())
