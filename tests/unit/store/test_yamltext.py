"""YAML that people wrote is read with limits, and never turns into anything but plain values."""

import pytest

from exo_sidecar.store import yamltext
from exo_sidecar.store.yamltext import YamlError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: 1", {"a": 1}),
        ("a: 0x1f", {"a": 31}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1.5", {"a": 1.5}),
        ("a: yes\nb: off", {"a": True, "b": False}),
        ("a: ~\nb:", {"a": None, "b": None}),
        ("a: 2026-01-02", {"a": "2026-01-02"}),
        ("a: 2026-01-02T03:04:05Z", {"a": "2026-01-02T03:04:05Z"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("on: [push]", {"on": ["push"]}),
        ("1: one", {"1": "one"}),
    ],
)
def test_plain_values_are_read_and_dates_stay_text(text: str, value: object) -> None:
    assert yamltext.load(text) == value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1\n", 3, "expected"),
        ("a: 1\na: 2\n", 2, "twice"),
        ("a: &x 1\nb: *x\n", 1, "aliases"),
        ("a: &x [*x]\n", 1, "alias"),
        ("a:\n  ? [1]\n  : 2\n", 2, "key"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "tag"),
        ("a: !!binary aGVsbG8=\n", 1, "tag"),
        ("a: 1\n--- \nb: 2\n", 2, "document"),
        ("a: 1\nb: \x01\n", 2, "unacceptable"),
        ("a: '" + "x" * yamltext.BYTES_MAX + "'", 1, "longer"),
        ("[" * 30 + "]" * 30, 1, "deep"),
        ("[" * 100_000, 1, "deep"),
        ("{a: " * 50_000, 1, "deep"),
        ("- " * 100_000, 1, "deep"),
    ],
    ids=range(14),
)
def test_what_is_refused_names_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlError, match=words) as refused:
        yamltext.load(text)
    assert refused.value.line == line or words == "alias"


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(YamlError, match="aliases"):
        yamltext.load("\n".join(lines))
