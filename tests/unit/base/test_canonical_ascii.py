"""Lines of ASCII are read by a shorter way, which takes and refuses just what the long one does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.base import canonical

TEXTS = st.text(st.characters(max_codepoint=127), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def both_ways(line: bytes) -> tuple[object, object]:
    """Return what each way says of a line: its value, or that it is refused."""
    found: list[object] = []
    for way in (canonical.loads, canonical._any):
        try:
            found.append([way(line)])
        except canonical.NotCanonicalError:
            found.append("refused")
    return found[0], found[1]


@given(VALUES, st.integers(0, 60), st.sampled_from(b'{}[]",:019.eE-tn\\u \n'), st.booleans())
def test_both_ways_agree_on_what_is_nearly_canonical(value: object, place: int, byte: int, spoiled: bool) -> None:  # noqa: FBT001 - drawn
    line = bytearray(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    if spoiled and place < len(line):
        line[place] = byte
    short, long = both_ways(bytes(line))
    assert short == long


@pytest.mark.parametrize("depth", [31, 32, 33, 34, 900])
@pytest.mark.parametrize("inner", [b"1", b"{}", b""])
def test_both_ways_agree_on_how_deep_is_too_deep(depth: int, inner: bytes) -> None:
    short, long = both_ways(b"[" * depth + inner + b"]" * depth)
    assert short == long
    assert (short == "refused") == (depth > canonical.DEPTH_MAX + (not inner))


NUMBERS = [b"1.0", b"1e5", b"NaN", b"-0", b"9" * 5000]
TEXT = [b'"\\u0041"', b'"\\ud800"', b'{"a":1,"a":1}', b'{"b":1,"a":1}', b"", b" 1"]


@pytest.mark.parametrize("line", [*NUMBERS, *TEXT])
def test_what_is_not_canonical_is_refused(line: bytes) -> None:
    assert both_ways(line) == ("refused", "refused")
