"""A chain that only went on is united without reading it from its beginning, and with the very same outcome."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Kind, Object, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.store import layout, ledger, union
from tests.support.ledgers import Writer
from tests.support.stores import noted

T1 = "TICKET-T1"
LENGTH = 24
NOISE = [b"no event %d" % number for number in range(3)]


def a_chain(words: str) -> list[bytes]:
    """Return a chain of large events."""
    writer = Writer("c")
    for number, letter in enumerate(words):
        writer.write(noted(T1, f"{letter}{number}" + letter * 9000))
    return writer.lines


CHAIN = a_chain("a" * LENGTH)
CLONE = Writer("c").clone


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """Return an empty object store."""
    folder: Path = tmp_path_factory.mktemp("store")
    (folder / "objects").mkdir()
    return Objects(folder)


def planted(objects: Objects, segments: Sequence[bytes]) -> Oid | None:
    """Return a tree with these segments of the clone; None without one."""
    if not segments:
        return None
    paths = {layout.segment_path(CLONE, number): data for number, data in enumerate(segments, 1)}
    spliced = tree.splice(objects, None, {path: object_id("blob", data) for path, data in paths.items()})
    made: list[tuple[Kind, bytes]] = [("blob", data) for data in segments]
    objects.write([*made, *(("tree", each) for each in spliced.trees)], durable=False)
    return spliced.root


def in_pieces(lines: Sequence[bytes], size: int) -> list[bytes]:
    """Return lines cut as somebody without exo would."""
    return [b"".join(line + b"\n" for line in lines[at : at + size]) for at in range(0, len(lines), size)]


def the_long_way(objects: Objects, ours: Oid | None, theirs: Oid | None) -> dict[str, bytes | None]:
    """Return what unites both when every line is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(union, "_grown", lambda *_: None)
        return union.unite(objects, ours, theirs)


@settings(max_examples=60, deadline=None)
@given(
    ours=st.integers(0, LENGTH),
    theirs=st.integers(0, LENGTH),
    behind=st.integers(0, 3),
    pieces=st.none() | st.integers(1, 9),
    twin=st.booleans(),
)
def test_both_ways_change_the_same_segments(
    objects: Objects, ours: int, theirs: int, behind: int, pieces: int | None, *, twin: bool
) -> None:
    mine = planted(objects, ledger.cut(CHAIN[:ours]))
    other = [
        *(a_chain("a" * (theirs // 2) + "b" * (theirs - theirs // 2)) if twin else CHAIN[:theirs]),
        *NOISE[:behind],
    ]
    its = planted(objects, ledger.cut(other) if pieces is None else in_pieces(other, pieces))
    assert union.unite(objects, mine, its) == the_long_way(objects, mine, its)


def test_only_the_last_segments_are_read(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = a_chain("a" * LENGTH + "z")
    assert len(ledger.cut(CHAIN)) > 2, "the sample has several segments"
    mine, its = planted(objects, ledger.cut(CHAIN)), planted(objects, ledger.cut(longer))
    read: list[Oid] = []
    ask = objects.read

    def counted(oid: Oid) -> Object:
        read.append(oid)
        return ask(oid)

    monkeypatch.setattr(objects, "read", counted)
    changed = union.unite(objects, mine, its)
    assert sum(ask(oid).kind == "blob" for oid in read) <= 4
    assert [hashlib.sha256(data or b"").digest() for data in changed.values()] == [
        hashlib.sha256(ledger.cut(longer)[-1]).digest()
    ]
