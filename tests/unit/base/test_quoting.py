"""Foreign text keeps its words and loses its power."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.base import quoting


def test_lines_become_one_and_what_is_too_long_is_cut_visibly() -> None:
    assert quoting.one_line("a\n\n  b\tc ", 100) == "a b c"
    assert quoting.one_line("abcdef", 4) == "abc…"
    assert quoting.one_line("abcd", 4) == "abcd"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\u202eb", "\u2066x\u2069", "\x00", "\u200b", "\ufeffx"])
def test_characters_that_steer_are_gone(text: str) -> None:
    assert all(character.isprintable() for character in quoting.one_line(text, 100))


def test_headings_fences_and_tags_are_neutralised() -> None:
    assert quoting.one_line("## Title\n> quote\n```sh\n<b>", 100) == "Title quote '''sh \u2039b\u203a"
    assert quoting.markdown("# Title\n- item\nplain <b>") == "\\# Title\n\\- item\nplain &lt;b&gt;"


@given(st.text(max_size=300), st.integers(min_value=1, max_value=50))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = quoting.one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert not set("<>`") & set(line)


@given(st.text(max_size=300))
def test_a_page_gets_no_structure_from_a_text(text: str) -> None:
    for line in quoting.markdown(text).splitlines():
        assert line.lstrip()[:1] not in set("#>=-*+|~") or line.startswith("\\")
        assert "<" not in line
