"""The rule blocks of a constitution, read out of its Markdown with their lines (docs/guides/constitution.md).

A rule is a fenced block with the info string `yaml exo-policy`; a block may hold a list of them. A text that is one
YAML list of mappings is nothing but rules.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from exo_sidecar.base.canonical import Json
from exo_sidecar.model.policy import RuleFault, RuleSource
from exo_sidecar.store import yamllines, yamltext
from exo_sidecar.store.yamltext import Yaml

_OPEN: Final = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*([^`]*?)[ \t]*\Z")
_RULE: Final = ("yaml", "exo-policy")
BLOCKS_MAX: Final = 1000


class Rules(NamedTuple):
    """What was read."""

    sources: tuple[RuleSource, ...]
    faults: tuple[RuleFault, ...]


class _Block(NamedTuple):
    """The text of one block, and the line before its first."""

    text: str
    above: int


def read(text: str) -> Rules:
    """Return the rules of a constitution, and every block that cannot be read."""
    sources: list[RuleSource] = []
    faults: list[RuleFault] = []
    blocks = [_Block(text, 0)] if _is_list(text) else list(_blocks(text, faults))
    for block in blocks[:BLOCKS_MAX]:
        try:
            sources += _rules(block)
        except yamltext.YamlError as error:
            faults.append(RuleFault(line=block.above + error.line, rule="", message=str(error)))
    if len(blocks) > BLOCKS_MAX:
        faults.append(RuleFault(line=blocks[BLOCKS_MAX].above, rule="", message=f"more than {BLOCKS_MAX} blocks"))
    return Rules(tuple(sources), tuple(faults))


def _is_list(text: str) -> bool:
    """Whether the whole text is a YAML list of mappings; a Markdown list is one of texts."""
    if not re.match(r"(?:\s*(?:#[^\n]*)?\n)*\s*(?:-\s|\[)", text):
        return False
    try:
        found = yamltext.load(text)
    except yamltext.YamlError:
        return bool(re.match(r"(?:\s*(?:#[^\n]*)?\n)*\s*-\s+(?:id|type)\s*:", text))
    return isinstance(found, list) and bool(found) and all(isinstance(each, dict) for each in found)


def _blocks(text: str, faults: list[RuleFault]) -> Iterator[_Block]:
    lines = text.split("\n")
    fence: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines):
        found = _OPEN.match(line.rstrip("\r"))
        if fence is None:
            fence, start = (found, number + 1) if found else (None, 0)
        elif found and found[2].startswith(fence[2]) and not found[3]:
            if _is_rule(fence):
                yield _Block("".join(f"{each}\n" for each in lines[start:number]), start)
            fence = None
    if fence is not None and _is_rule(fence):
        faults.append(RuleFault(line=start, rule="", message="the block is not closed"))


def _is_rule(fence: re.Match[str]) -> bool:
    return tuple(fence[3].lower().split()) == _RULE


def _rules(block: _Block) -> Iterator[RuleSource]:
    value = yamltext.load(block.text)
    places = yamllines.places(block.text)
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield _source(each, block, places, (str(number),))
    else:
        yield _source(value, block, places, ())


def _source(value: Yaml, block: _Block, places: dict[tuple[str, ...], int], path: tuple[str, ...]) -> RuleSource:
    first = min((line for place, line in places.items() if place[: len(path)] == path), default=1)
    lines = {place[-1]: block.above + line for place, line in places.items() if place[:-1] == path}
    return RuleSource(line=block.above + first, value=_json(value), lines=lines)


def _json(value: Yaml) -> Json:
    """Return the value as JSON has it; a fraction, which no rule takes, is shown as it was written."""
    match value:
        case float():
            return str(value)
        case list():
            return [_json(each) for each in value]
        case dict():
            return {name: _json(each) for name, each in value.items()}
        case _:
            return value
