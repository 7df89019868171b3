"""Paths of a branch that others wrote are taken for what they exactly are, or for nothing."""

import pytest

from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.store import layout

WRITER = "ab" + "0" * 14


@pytest.mark.parametrize("writer", [WRITER, f"{WRITER}-0123abcd", f"{WRITER}-0123abcd-89abcdef"])
def test_a_segment_is_found_again_by_its_path(writer: str) -> None:
    assert layout.parse_segment(layout.segment_path(writer, 12)) == (writer, 12)
    assert layout.clone_of(writer) == WRITER


@pytest.mark.parametrize(
    "path",
    [
        f"ledger/ab/{WRITER}/000000.jsonl",
        f"ledger/ab/{WRITER}/1.jsonl",
        f"ledger/ab/{WRITER}/0000001.jsonl",
        f"ledger/ac/{WRITER}/000001.jsonl",
        f"ledger/ab/{WRITER.upper()}/000001.jsonl",
        f"ledger/ab/{WRITER}-xyz/000001.jsonl",
        f"ledger/ab/{WRITER}/000001.jsonl\n",
        f"ledger/ab/{WRITER}/../000001.jsonl",
        f"ledger/ab/{WRITER}/000001.jsonl/x",
        f"/ledger/ab/{WRITER}/000001.jsonl",
        f"ledger/ab/{WRITER}/\N{ARABIC-INDIC DIGIT ZERO}00001.jsonl",
        f"Ledger/ab/{WRITER}/000001.jsonl",
    ],
)
def test_anything_else_is_no_segment(path: str) -> None:
    assert layout.parse_segment(path) is None


@pytest.mark.parametrize("ticket", ["TICKET-001", "EPIC-ABCD", "TICKET-A-B", "INTENT-X"])
def test_a_ticket_is_found_again_by_its_path(ticket: str) -> None:
    assert layout.parse_ticket(layout.ticket_path(TicketId(ticket))) == ticket


@pytest.mark.parametrize(
    "path",
    [
        "tickets/00/ticket-001.yaml",
        "tickets/01/TICKET-001.yaml",
        "tickets/00/TICKET-001.yml",
        "tickets/TICKET-001.yaml",
        "tickets/00/../00/TICKET-001.yaml",
        "tickets/00/TICKET-001.yaml\n",
        "tickets/00/TICKET-00" + "0" * 60 + ".yaml",
        "tickets/00/TICKET-\N{ARABIC-INDIC DIGIT ZERO}0.yaml",
    ],
)
def test_anything_else_is_no_ticket(path: str) -> None:
    assert layout.parse_ticket(path) is None


def test_a_memento_lies_with_its_session() -> None:
    assert layout.memento_path(SessionId("SES-AB12")) == "sessions/ab/SES-AB12.md"


@pytest.mark.parametrize(
    "data", [b"", b"exo-sidecar 1\n", b"exo-sidecar one\nrender 1\n", b"\xff\xfe", b"<<<<<<< HEAD\n"]
)
def test_what_is_no_format_file_has_no_numbers(data: bytes) -> None:
    assert layout.parse_format(data) is None


def test_the_format_file_says_its_numbers() -> None:
    assert layout.parse_format(layout.format_text(None)) == (layout.FORMAT_NUMBER, layout.RENDER_NUMBER)


def test_of_several_numbers_in_a_format_file_the_highest_counts() -> None:
    merged = b"exo-sidecar 1\nrender 3\nrender 12\nexo-sidecar 2\nauthority abc\nrender 2\n"
    assert layout.parse_format(merged) == (2, 12)


@pytest.mark.parametrize("line", [b"render 1234567", b"render -1", b"render 1 2", b" render 1", b"render"])
def test_a_line_that_names_no_number_of_ours_does_not_count(line: bytes) -> None:
    assert layout.parse_format(b"exo-sidecar 1\n" + line + b"\n") is None
