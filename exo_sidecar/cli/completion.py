"""Candidates for a shell's completion: `exo _complete SHELL INDEX WORDS...`. Quick, silent, and never wrong loudly."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.cli import options, words
from exo_sidecar.cli.plain import clean
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.view import TicketFilter
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.parameters import Parameter, parameters
from exo_sidecar.operations.registry import Operation, every, find

_IDS_MAX: Final = 200
_LEAST: Final = 2
"""SHELL and INDEX."""


class Candidate(NamedTuple):
    """What a word may become, and what it means."""

    value: str
    text: str = ""


def complete(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Print the candidates for the word at an index, one per line in the shell's own form; always 0."""
    if len(argv) < _LEAST or not argv[1].isdigit():
        return 0
    shell, index, line = argv[0], int(argv[1]), list(argv[2:])
    current = line[index] if index < len(line) else ""
    for found in candidates(line[1:index], current, environ, Path.cwd()):
        sys.stdout.write(_spelled(shell, found) + "\n")
    return 0


def candidates(before: Sequence[str], current: str, environ: Mapping[str, str], cwd: Path) -> list[Candidate]:
    """Return what `current` may become after the words `before` (without the program's name)."""
    try:
        found = _candidates(before, current, environ, cwd)
        return [each for each in found if each.value.startswith(current) or each.value.startswith(current.upper())]
    except ExoError:
        return []


def _candidates(before: Sequence[str], current: str, environ: Mapping[str, str], cwd: Path) -> Iterator[Candidate]:
    _, given = options.split(before)
    if not given:
        yield from _first(current)
        return
    if given[0] in words.NOUNS and len(given) == 1:
        yield from (
            Candidate(each.name.removeprefix(f"{given[0]}-"), each.summary)
            for each in every()
            if each.name.startswith(f"{given[0]}-")
        )
        return
    name, rest = words.named(given)
    operation = find(name)
    place = _Place(operation, rest, environ, cwd)
    yield from _after(place, current)


class _Place(NamedTuple):
    operation: Operation
    words: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: Path


def _first(current: str) -> Iterator[Candidate]:
    if current.startswith("-"):
        yield from (Candidate(flag, each.help) for each in options.OPTIONS for flag in each.flags)
        return
    yield from (Candidate(each.name, each.summary) for each in sorted(every()))
    yield Candidate("mcp", "Serve the operations as tools")


def _after(place: _Place, current: str) -> Iterator[Candidate]:
    own = parameters(place.operation)
    by_flag = {each.flag: each for each in own if not each.positional}
    last = place.words[-1] if place.words else ""
    if last in by_flag and by_flag[last].sort != "flag":
        yield from _values(place, by_flag[last])
    elif last == "--format":
        yield from (Candidate("json"), Candidate("text"))
    elif last == "--session":
        yield from _sessions(place)
    elif current.startswith("-"):
        yield from (Candidate(each.flag, each.description) for each in by_flag.values())
        shared = options.options_of(place.operation)
        yield from (Candidate(flag, each.help) for each in shared for flag in each.flags if flag.startswith("--"))
    elif positional := _positional(place, own):
        yield from _values(place, positional)


def _positional(place: _Place, own: tuple[Parameter, ...]) -> Parameter | None:
    """Return the positional parameter that the next word fills."""
    takes_value = {each.flag for each in own if each.sort != "flag"}
    takes_value |= {flag for each in options.OPTIONS if each.metavar for flag in each.flags}
    number = 0
    previous = ""
    for word in place.words:
        number += not word.startswith("-") and previous not in takes_value
        previous = word
    wanted = [each for each in own if each.positional]
    if number < len(wanted):
        return wanted[number]
    return wanted[-1] if wanted and wanted[-1].many else None


def _values(place: _Place, parameter: Parameter) -> Iterator[Candidate]:
    if parameter.choices:
        yield from map(Candidate, parameter.choices)
    elif parameter.completes == "status":
        yield from (Candidate(str(status)) for status in Status)
    elif parameter.completes == "ticket":
        yield from _tickets(place)
    elif parameter.completes == "session":
        yield from _sessions(place)


def _tickets(place: _Place) -> Iterator[Candidate]:
    with _context(place) as ctx:
        rows = ctx.view().tickets(TicketFilter(), sort="id", after=None, limit=_IDS_MAX)
    yield from (Candidate(row.id, f"{row.status}: {row.title}") for row in rows)


def _sessions(place: _Place) -> Iterator[Candidate]:
    with _context(place) as ctx:
        found = ctx.view().sessions(limit=_IDS_MAX)
    yield from (Candidate(each.id, f"{each.status}: {each.ticket}, {each.actor}") for each in found)


def _context(place: _Place) -> Context:
    given, _ = options.take(place.words)
    return Context.open(given.folder(place.cwd), environ=place.environ, offline=True)


def _spelled(shell: str, found: Candidate) -> str:
    text = clean(found.text)
    match shell:
        case "bash":
            return found.value
        case "zsh":
            escaped = found.value.replace(":", "\\:")
            return f"{escaped}:{text}" if text else escaped
        case _:
            return f"{found.value}\t{text}" if text else found.value
