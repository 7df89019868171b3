"""Branches of a chain: twins are kept, and a line that was changed after it was written gives way to the original."""

import pytest

from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.store.chains import Lines, branches

CLONE = "0123456789abcdef"


def line(seq: int, prev: str, what: str = "x") -> bytes:
    """Return an event's line."""
    return (
        f'{{"actor":"human:ann","at":"2026-01-02T03:04:05Z","clone":"{CLONE}","data":{{"text":"{what}"}},'
        f'"policy":null,"prev":"{prev}","seq":{seq},"session":null,"subject":"TICKET-1","type":"ticket.noted","v":1}}'
    ).encode()


def chain(*words: str, after: Lines = []) -> Lines:  # noqa: B006 - only read
    """Return a chain of one event per word."""
    lines = list(after)
    for word in words:
        lines.append(line(len(lines) + 1, sha256_hex(lines[-1]) if lines else NO_DIGEST, word))
    return lines


WHOLE = chain("a", "b", "c", "d", "e")


def forged(lines: Lines, number: int, word: str) -> Lines:
    """Return the chain with the text of one event changed, as somebody with an editor would."""
    changed = lines[number - 1].replace(b'{"text":"' + "abcde"[number - 1].encode(), b'{"text":"' + word.encode())
    assert changed != lines[number - 1]
    return [*lines[: number - 1], changed, *lines[number:]]


def test_the_sample_is_a_chain() -> None:
    assert branches(CLONE, [(CLONE, WHOLE)]) == {CLONE: WHOLE}


@pytest.mark.parametrize("word", ["1", "2", "3", "4", "5", "6"])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_changed_line_gives_way_to_the_original_from_either_side(number: int, word: str) -> None:
    bad = forged(WHOLE, number, word)
    assert branches(CLONE, [(CLONE, WHOLE), (CLONE, bad)]) == {CLONE: WHOLE}
    assert branches(CLONE, [(CLONE, bad), (CLONE, WHOLE)]) == {CLONE: WHOLE}


def test_several_changed_lines_give_way_and_what_stands_behind_is_kept() -> None:
    longer = chain("f", after=WHOLE)
    bad = forged(forged(longer, 2, "x"), 4, "y")
    assert branches(CLONE, [(CLONE, WHOLE), (CLONE, bad)]) == {CLONE: longer}


def test_without_the_original_everything_is_kept_as_it_is() -> None:
    bad = forged(WHOLE, 3, "x")
    assert branches(CLONE, [(CLONE, bad)]) == {CLONE: bad}


def test_a_twin_that_went_on_differently_is_no_forgery() -> None:
    twin = chain("other", "more", after=WHOLE[:3])
    found = branches(CLONE, [(CLONE, WHOLE), (CLONE, twin)])
    assert {each for lines in found.values() for each in lines} == {*WHOLE, *twin}
    assert len(found) == 2
