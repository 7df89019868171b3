"""Parsing without typer: a command line that leaves nothing to explain is taken apart here, at a tenth of the cost.

Whatever is not plainly right (an unknown flag, a value that is missing or looks like a flag, something said twice, a
wish for help) is left to `cli.command`, whose words everybody sees. What both parse they parse alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exo_sidecar.cli import options
from exo_sidecar.cli.options import Option
from exo_sidecar.operations.parameters import Parameter, parameters
from exo_sidecar.operations.registry import Operation

_STDIN: Final = "-"


class Parsed(NamedTuple):
    """What a command line says."""

    values: Mapping[str, object]
    """The operation's own parameters that were given."""
    common: options.Given


class _Unclear(Exception):
    """The words are not plain enough to be parsed here."""


def attempt(operation: Operation, words: Sequence[str]) -> Parsed | None:
    """Return what `words` say; None when that is not plain. ValueInvalid for a common option's value."""
    own = parameters(operation)
    shared = {flag: option for option in options.options_of(operation) for flag in option.flags}
    try:
        values, common = _taken(own, shared, words)
    except _Unclear:
        return None
    if any(each.required and each.name not in values for each in own):
        return None
    return Parsed(values, options.of(common))


def value(parameter: Parameter, text: object) -> object:
    """Return a number as one where the parameter wants one; what is none is told by whoever checks the values."""
    if not isinstance(text, str) or parameter.sort not in {"integer", "number"}:
        return text
    try:
        return int(text) if parameter.sort == "integer" else float(text)
    except ValueError:
        return text


def _taken(
    own: Sequence[Parameter], shared: Mapping[str, Option], words: Sequence[str]
) -> tuple[dict[str, object], dict[str, object]]:
    named = {each.flag: each for each in own if not each.positional}
    places = iter([each for each in own if each.positional])
    found: dict[str, object] = {}
    several: dict[str, list[object]] = {each.name: [] for each in own if each.many}
    common: dict[str, object] = {}
    left = iter(words)
    for word in left:
        flag, equals, after = word.partition("=")
        given = after if equals else None
        if not word.startswith("-") or word == _STDIN:
            place = next(places, None)
            if place is None or place.many or not word:
                raise _Unclear
            found[place.name] = value(place, word)
        elif option := shared.get(flag):
            if option.name in common:
                raise _Unclear
            common[option.name] = _of(option.metavar is None, given, left)
        elif parameter := named.get(flag):
            said = value(parameter, _of(parameter.sort == "flag", given, left))
            if parameter.many:
                several[parameter.name].append(said)
            elif parameter.name in found:
                raise _Unclear
            else:
                found[parameter.name] = said
        else:
            raise _Unclear
    return found | {name: given for name, given in several.items() if given}, common


def _of(is_switch: bool, given: str | None, left: Iterator[str]) -> str | bool:  # noqa: FBT001 - what the flag is
    """Return what stands behind a flag, or that a switch was thrown."""
    if is_switch:
        if given is not None:
            raise _Unclear
        return True
    text = next(left, "") if given is None else given
    if not text or (given is None and text.startswith("-") and text != _STDIN):
        raise _Unclear
    return text
