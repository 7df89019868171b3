"""Patterns of command rules: they find what a usual matcher finds, and never take for ever."""

import random
import re
import time

import pytest

from exo_sidecar.kernel import _regex

PATTERNS = (
    *("ab*c", "a(b|c)+d", "^a.*b$", r"\ba\b", "[a-c]{2}d?", r"\w+\s\w", "a?b?c?$", "[^ab]c", "(ab|a)(c|bcd)", r"\Bb"),
    *("(?:a|)(?:b|)c", "a{0}b", "a{2,}", "(a{1,2}b){2}", "[]a]b", "[a-]", r"[\d\s]a", r"\.", "a|^b|c$", "()", "(?i)AB"),
    *(r"\D\S\W", "x*", "a+?b", "(a|ab)(bc|c)?$", r"[^\w]", "{a}", "a}"),
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_finds_what_a_usual_matcher_finds(pattern: str) -> None:
    chance = random.Random(pattern)
    assert _regex.fault(pattern) == ""
    ours = _regex.compiled(pattern)
    usual = re.compile(pattern, re.DOTALL | re.ASCII)
    for _ in range(300):
        text = "".join(chance.choice("abcdABe .]-1{},2}\n") for _ in range(chance.randint(0, 9)))
        # The usual `$` takes the end of the last line, too; ours the end of the text alone.
        if not (text.endswith("\n") and "$" in pattern):
            assert _regex.search(ours, text) is (usual.search(text) is not None), text


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a", "a)", "[a", "[z-a]", "[a-\\d]", "*a", "a**", "a{2}{3}", "^*", r"\b+", "(?=a)", "(?!a)", "(?<n>a)"),
        *(
            r"(a)\1",
            r"\p",
            "a{101}",
            "a{3,2}",
            "a{,2}",
            "\\",
            "(" * 25 + ")" * 25,
            "a" * 201,
            "(((a{50}){50}){50})",
            "(?P<x>a)",
        ),
    ],
)
def test_what_is_not_taken_is_told(pattern: str) -> None:
    assert _regex.fault(pattern) != ""


def test_no_pattern_takes_for_ever() -> None:
    began = time.monotonic()
    for pattern in ("(a+)+$", "(a|a)*b", "(a?){50}a{50}b", "(.*.*.*)*x", "((a*)*)*b"):
        assert not _regex.search(_regex.compiled(pattern), "a" * 2000 + "!")
    assert time.monotonic() - began < 20
