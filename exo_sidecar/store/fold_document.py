"""The fold of an authored document: texts united unit by unit (docs/format.md, "The fold"). Pure.

A unit is a top-level YAML key with its block, or a Markdown section. Units are scalar fields: changed on one side wins,
changed on both without knowing each other the later stands and the other is an open conflict that names its event.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.document import Document, Section, UnitVersion
from exo_sidecar.model.event import DocumentEdited
from exo_sidecar.store.entry import Entry, Knows
from exo_sidecar.store.scalars import Write, standing

_KEY: Final = re.compile(r"""(["']?)([A-Za-z0-9_][\w .-]*)\1\s*:(\s|$)""")
_HEADING: Final = re.compile(r"#{1,6}\s+(\S.*)")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
"""A line with its line feed; other separators that Python knows end no line of YAML or Markdown."""
_FENCE: Final = re.compile(r"\s{0,3}(```|~~~)")

_Units = dict[str, str]
_Writes = dict[str, list[Write[str | None]]]


def fold_document(name: str, entries: Sequence[Entry], knows: Knows) -> Document | None:
    """Return the document, None while nobody has written it."""
    writes: _Writes = {}
    order: _Units = {}
    for entry in entries:
        if not isinstance(entry.data, DocumentEdited):
            continue
        order = split(name, entry.data.text)
        _record(writes, order, entry, knows, entry.data.settles)
    if not writes:
        return None
    found = {unit: standing(written, knows) for unit, written in writes.items()}
    names = [*order, *(unit for unit in writes if unit not in order)]
    text = _joined([found[unit][0].value or "" for unit in names])
    return Document(
        name=name,
        text=text,
        digest=sha256_hex(text.encode()),
        conflicts=tuple(_section(unit, other, found[unit][0]) for unit in names for other in found[unit][1:]),
    )


def split(name: str, text: str) -> _Units:
    """Return the units of a text in order; joined together they are the text again."""
    starts = _markdown_starts(text) if name.endswith(".md") else _yaml_starts(text)
    units: _Units = {}
    current = ""
    for number, line in enumerate(_LINE.findall(text)):
        if number in starts:
            current = _unused(starts[number], units)
        units[current] = units.get(current, "") + line
    return units


def with_units(document: Document, texts: Mapping[str, str]) -> str:
    """Return the document's text with other texts of some units; an empty one goes away, a new one comes last."""
    units = split(document.name, document.text)
    return _joined([*{**units, **texts}.values()])


def _section(unit: str, other: Write[str | None], stands: Write[str | None]) -> Section:
    version = _version(other)
    return Section(
        name=unit,
        event=version.event,
        actor=version.actor,
        at=version.at,
        text=version.text,
        stands=_version(stands),
    )


def _version(write: Write[str | None]) -> UnitVersion:
    event = write.entry.event
    return UnitVersion(event=str(write.entry.name), actor=event.actor, at=event.at, text=write.value or "")


def _joined(units: Sequence[str]) -> str:
    """Return the units one after the other; one that ended its text without a line feed must not run into the next."""
    shown = [unit for unit in units if unit]
    return "".join(unit if unit.endswith("\n") else f"{unit}\n" for unit in shown[:-1]) + "".join(shown[-1:])


def _record(writes: _Writes, units: _Units, entry: Entry, knows: Knows, settled: Sequence[str]) -> None:
    """Add the units that the entry changed against what its writer saw, and those that it settled as they were."""
    for unit in dict.fromkeys((*units, *writes)):
        seen = [write for write in writes.get(unit, ()) if knows(entry.name, write.entry.name)]
        shown = standing(seen, knows)[0].value if seen else None
        if units.get(unit) != shown or (unit in settled and unit in writes):
            writes.setdefault(unit, []).append(Write(entry, units.get(unit)))


def _unused(name: str, units: _Units) -> str:
    number = 2
    candidate = name
    while candidate in units:
        candidate = f"{name} #{number}"
        number += 1
    return candidate


def _yaml_starts(text: str) -> dict[int, str]:
    """Return the line numbers at which a top-level key begins, its comment lines directly above included."""
    starts: dict[int, str] = {}
    comments: int | None = None
    for number, line in enumerate(_LINE.findall(text)):
        if line.startswith("#"):
            comments = number if comments is None else comments
            continue
        found = _KEY.match(line)
        if found is not None:
            starts[number if comments is None else comments] = found[2]
        comments = None
    return starts


def _markdown_starts(text: str) -> dict[int, str]:
    """Return the line numbers of headings outside of code fences."""
    starts: dict[int, str] = {}
    fenced = False
    for number, line in enumerate(_LINE.findall(text)):
        if _FENCE.match(line):
            fenced = not fenced
        found = None if fenced else _HEADING.match(line)
        if found is not None:
            starts[number] = found[1].strip()
    return starts
