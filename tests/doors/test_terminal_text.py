"""What reaches a screen: foreign text as data, colour and boxes on request only."""

from pathlib import Path

import pytest

from exo_sidecar.cli import boxes, plain
from exo_sidecar.cli.page import Cell, Facts, Headline, Listing, Page, Prose, Table
from tests.support.inprocess import exo_in_process

HOSTILE = "a\x1b[31mred\x07\r\u202eesrever\u2066[bold]b[/bold]\u200b\nnext"
PAGE = Page(
    (
        Headline((Cell(HOSTILE, "strong"),), "good"),
        Facts((("label", HOSTILE),), HOSTILE),
        Table(("A", "B"), ((HOSTILE, "x"),), HOSTILE, 0),
        Listing(HOSTILE, (HOSTILE, Cell(HOSTILE, "bad")), (0, 1)),
        Prose(HOSTILE, HOSTILE),
    )
)


@pytest.mark.parametrize("write", [plain.write, boxes.write])
def test_foreign_text_can_neither_steer_the_terminal_nor_turn_its_direction(write: type[object]) -> None:
    text = str(write(PAGE, color=False, width=200))  # type: ignore[call-arg]  # both writers have this signature
    for character in "\x1b\x07\r\u202e\u2066\u200b":
        assert character not in text
    assert "\\x1b[31mred" in text
    assert "[bold]b[/bold]" in text


def test_a_line_stays_a_line_and_a_prose_keeps_its_lines() -> None:
    assert "\n" not in plain.clean(HOSTILE)
    assert plain.clean_lines("a\nb\r\nc\td") == "a\nb\nc    d"


def test_emoji_and_other_scripts_are_left_alone() -> None:
    assert plain.clean("größer 日本語 👩\u200d💻") == "größer 日本語 👩\u200d💻"


def test_a_table_fits_the_width_and_shortens_the_column_that_grows() -> None:
    page = Page((Table(("ID", "TITLE", "X"), (("T-1", "word " * 40, "end"),), grows=1),))
    lines = plain.write(page, color=False, width=60).splitlines()
    assert max(map(plain.measure, lines)) <= 60
    assert lines[1].endswith("…  end")


@pytest.mark.usefixtures("sampled")
def test_colour_follows_the_wish(tmp_path: Path) -> None:
    forced = {"FORCE_COLOR": "1"}
    assert "\x1b[" in exo_in_process(tmp_path, "sample-judge", "pass", env=forced).out
    assert "\x1b[" not in exo_in_process(tmp_path, "sample-judge", "pass").out
    assert "\x1b[" not in exo_in_process(tmp_path, "sample-judge", "pass", env={**forced, "NO_COLOR": "1"}).out
    assert "\x1b[" not in exo_in_process(tmp_path, "sample-judge", "pass", "--no-color", env=forced).out


@pytest.mark.usefixtures("sampled")
def test_plain_has_no_boxes_and_no_colour(tmp_path: Path) -> None:
    env = {"FORCE_COLOR": "1"}
    assert "╭" in exo_in_process(tmp_path, "sample-echo", "--help", env=env).out
    shown = exo_in_process(tmp_path, "sample-echo", "--help", "--plain", env=env)
    assert "╭" not in shown.out
    assert "\x1b[" not in shown.out


@pytest.mark.usefixtures("sampled")
def test_a_hostile_value_is_shown_as_data_by_the_generic_page_too(tmp_path: Path) -> None:
    ran = exo_in_process(tmp_path, "sample-echo", HOSTILE.replace("\n", " "), env={"FORCE_COLOR": "1"})
    assert "\x1b[31mred" not in ran.out
    assert "[bold]b[/bold]" in ran.out
