"""Two parsers of one command line: what the direct one takes apart means the same to typer, and it takes most apart."""

import io
import random
import sys
from collections.abc import Iterator

import pytest

from exo_sidecar.cli import direct, options
from exo_sidecar.cli.command import parse
from exo_sidecar.cli.direct import Parsed
from exo_sidecar.cli.terminal import Streams
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.operations.parameters import Parameter, parameters
from exo_sidecar.operations.registry import Operation, every, find

ODD = ("--", "-x", "--unknown", "--unknown=1", "--help", "-h", "", "-", "-5", "--json=1", "a b", "é", "=", "--repo")
TEXTS = ("TICKET-1", "7", "2.5", "a=b", "two words", "-")


def _by_typer(operation: Operation, words: list[str]) -> Parsed | int:
    return parse(operation, words, Streams(sys.stdin, io.StringIO(), io.StringIO()), boxes=False)


def _said(rng: random.Random, parameter: Parameter) -> list[str]:
    if parameter.sort == "flag":
        return [parameter.flag]
    text = rng.choice((*parameter.choices, *TEXTS))
    if parameter.positional:
        return [text]
    return [f"{parameter.flag}={text}"] if rng.random() < 1 / 2 else [parameter.flag, text]


def _common(rng: random.Random, option: options.Option) -> list[str]:
    flag = rng.choice(option.flags)
    if option.metavar is None:
        return [flag]
    value = "json" if option.name == "format" else "x"
    return [f"{flag}={value}"] if flag.startswith("--") and rng.random() < 1 / 2 else [flag, value]


def _line(rng: random.Random, operation: Operation) -> list[str]:
    """Return words that are right: everything needed, some of the rest, common options among them."""
    own = [each for each in parameters(operation) if each.required or rng.random() < 1 / 3]
    given = [_said(rng, each) for each in own if not each.positional]
    given += [_said(rng, each) for each in own if each.many and not each.positional]
    given += [_common(rng, each) for each in options.options_of(operation) if rng.random() < 1 / 6]
    rng.shuffle(given)
    return [word for words in [*given, *(_said(rng, each) for each in own if each.positional)] for word in words]


def _lines(seed: int, spoilt: float) -> Iterator[tuple[Operation, list[str]]]:
    rng = random.Random(seed)
    for operation in every():
        for _ in range(3):
            words = _line(rng, operation)
            while words and rng.random() < spoilt:
                words[rng.randrange(len(words))] = rng.choice(ODD)
            yield operation, words


def test_a_right_line_of_any_operation_is_parsed_directly_and_as_by_typer() -> None:
    taken = 0
    for operation, words in _lines(1, spoilt=0):
        found = direct.attempt(operation, words)
        several = any(each.positional and each.many for each in parameters(operation))
        assert found is not None or several, (operation.name, words)
        if found is not None:
            taken += 1
            assert found == _by_typer(operation, words), (operation.name, words)
    assert taken > 100


def test_of_a_spoilt_line_what_is_parsed_directly_is_parsed_as_by_typer() -> None:
    left = 0
    for operation, words in _lines(2, spoilt=0.4):
        try:
            found = direct.attempt(operation, words)
        except ValueInvalid:
            continue  # typer's way ends in the same call
        left += found is None
        if found is not None:
            assert found == _by_typer(operation, words), (operation.name, words)
    assert left > 30


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--title",),
        ("--nobody",),
        ("one", "two", "three"),
        ("TITLE", "--kind", "--json"),
        ("TITLE", "--kind", "task", "--kind", "epic"),
        ("TITLE", "--json=yes"),
        ("TITLE", "--", "--json"),
        ("", "--json"),
        ("TITLE", "--parent="),
        (),
    ],
)
def test_a_line_that_leaves_something_to_explain_is_left_to_typer(words: tuple[str, ...]) -> None:
    assert direct.attempt(find("ticket-create"), words) is None
    assert direct.attempt(find("ticket-create"), ("TITLE", "--json")) is not None
