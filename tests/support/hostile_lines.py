"""Ledgers of lines that are made to cost: noise, and events that name what never comes."""

import base64
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from exo_sidecar.base.digest import sha256_hex
from tests.support import hostile
from tests.support.ledgers import Writer, changed
from tests.support.stores import noted

SEGMENT_BYTES: Final = 4_000_000
"""What a segment holds here: just below the most that one may (docs/hostile-branches.md, "Limits")."""
_NOISE_BYTES: Final = 150
_ELSEWHERE: Final = "7" * 64


def text_of(lines: Sequence[bytes]) -> bytes:
    """Return lines as a segment."""
    return b"".join(line + b"\n" for line in lines)


def with_chain(hub: Path, root: str, writer: str, lines: Iterator[bytes]) -> str:
    """Return `root` with a writer's lines in it, in as many segments as they need."""
    segment: list[bytes] = []
    number = size = 0
    for line in lines:
        if size + len(line) >= SEGMENT_BYTES:
            number += 1
            root = hostile.with_file(hub, root, hostile.segment_of(writer, number), text_of(segment))
            segment, size = [], 0
        segment.append(line)
        size += len(line) + 1
    return hostile.with_file(hub, root, hostile.segment_of(writer, number + 1), text_of(segment))


def random_lines(size: int) -> Iterator[bytes]:
    """Yield lines of 200 letters, `size` bytes in all: the same in every run, and hardly any compression helps."""
    source = random.Random(size)
    length = 0
    while length < size:
        line = base64.b64encode(source.randbytes(_NOISE_BYTES))
        length += len(line) + 1
        yield line


def stray(name: str, ticket: str) -> bytes:
    """Return a writer's second event, which follows a first one that nobody has."""
    first = Writer("e").write(noted(ticket, "x")).lines[0]
    return changed(first, clone=name, seq=2, prev=_ELSEWHERE)


def ring(hub: Path, root: str, ticket: str, names: Sequence[str]) -> str:
    """Return `root` with writers whose first events each name a stray line of the next one's."""
    strays = [stray(name, ticket) for name in names]
    for place, name in enumerate(names):
        following = (place + 1) % len(names)
        first = _writer(name)
        first.write(noted(ticket, name), seen={names[following]: (2, sha256_hex(strays[following]))})
        root = hostile.with_file(hub, root, hostile.segment_of(name), text_of([*first.lines, strays[place]]))
    return root


def naming_strays(hub: Path, root: str, ticket: str, names: Sequence[str], events: int) -> str:
    """Return `root` with a stray line of each of `names`, and a writer whose events each name all of these."""
    strays = {name: stray(name, ticket) for name in names}
    for name, line in strays.items():
        root = hostile.with_file(hub, root, hostile.segment_of(name), text_of([line]))
    seen = {name: (2, sha256_hex(line)) for name, line in strays.items()}
    naming = _writer("naming" + "0" * 10)
    for number in range(events):
        naming.write(noted(ticket, f"note {number}"), seen=seen)
    return with_chain(hub, root, naming.clone, iter(naming.lines))


def _writer(name: str) -> Writer:
    writer = Writer("e")
    writer.clone = name
    return writer
