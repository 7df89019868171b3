"""The fold is a function of the set of events: in whatever portions and order lines arrive, the index ends the same."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from exo_sidecar.git.objects import Objects
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.event import TYPES
from exo_sidecar.store import canon, codec, layout, ledger, refresh, rendering
from exo_sidecar.store.index import Index, in_memory
from tests.support import random_work
from tests.support.ledgers import Writer
from tests.support.random_step import Step
from tests.support.stores import Clone, a_company, closing, created, dump, ledger_lines, noted

PORTIONS = 6
ORDERS = 6
STEPS = 110
FIRST = ("create", "provisional", "acquire")
"""What others need before they write anything."""


def chains(clones: Sequence[Clone]) -> dict[str, list[bytes]]:
    """Return the longest version of each writer's chain that any clone has."""
    found: dict[str, list[bytes]] = {}
    for one in clones:
        own: dict[str, list[bytes]] = {}
        for writer, line in ledger_lines(one):
            own.setdefault(writer, []).append(line)
        for writer, lines in own.items():
            found[writer] = max(found.get(writer, []), lines, key=len)
    return found


def tree_of(objects: Objects, lines: Mapping[str, Sequence[bytes]]) -> Oid | None:
    """Store a tree that holds nothing but these chains."""
    files: dict[str, bytes | None] = {}
    for writer, own in lines.items():
        for number, data in enumerate(ledger.cut(own), 1):
            files[layout.segment_path(writer, number)] = data
    return canon.store_tree(objects, None, files)


def arrived(objects: Objects, portions: Sequence[Mapping[str, Sequence[bytes]]]) -> Index:
    """Return an index that was brought to one tree after the other."""
    index = in_memory()
    for lines in portions:
        with index.transaction():
            refresh.to_tree(index, objects, tree_of(objects, lines), lambda _: None)
    return index


def in_portions(rng: random.Random, lines: Mapping[str, Sequence[bytes]]) -> list[dict[str, Sequence[bytes]]]:
    """Return growing beginnings of the chains, each chain cut at random; the last is all of them."""
    cuts = {writer: sorted(rng.randint(0, len(own)) for _ in range(PORTIONS)) for writer, own in lines.items()}
    growing = [
        {writer: own[: cuts[writer][number]] for writer, own in lines.items() if cuts[writer][number]}
        for number in range(PORTIONS)
    ]
    return [*growing, dict(lines)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))])
def test_the_order_of_arrival_does_not_change_what_is_folded_or_rendered(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with closing(a_company(tmp_path, 4)) as clones:
        for step in random_work.random_steps(rng, 4, STEPS, exchange=0.1):
            if step.verb != "redact":  # a redacted line is taken only from who tells of the redaction, too
                random_work.do(clones, step)
        lines = chains(clones)
        objects = clones[0].store.governed.repository.objects
        at_once = arrived(objects, [lines])
        wanted, files = dump(at_once), rendering.everything(at_once)
        for _ in range(ORDERS):
            index = arrived(objects, in_portions(rng, lines))
            found = dump(index)
            assert {table for table in wanted if found[table] != wanted[table]} == set()
            assert rendering.everything(index) == files


def test_a_fork_that_came_before_what_it_follows_counts_once_that_has_come(tmp_path: Path) -> None:
    trunk = Writer("a").write(created("TICKET-1"))
    fork = trunk.copy().write(noted("TICKET-1", "of the copy")).write(noted("TICKET-1", "again")).lines[1:]
    trunk.write(noted("TICKET-1", "of the first"))
    name = f"{trunk.clone}-{codec.digest_of(fork[0])[:8]}"
    lines = {trunk.clone: trunk.lines, name: fork}
    with closing(a_company(tmp_path, 1)) as clones:
        objects = clones[0].store.governed.repository.objects
        at_once = arrived(objects, [lines])
        later = arrived(objects, [{name: fork}, {name: fork, trunk.clone: trunk.lines[:1]}, lines])
        assert at_once.db.execute("SELECT seq, broken FROM writers").fetchall() == [(2, None), (3, None)]
        assert dump(later) == dump(at_once)
        assert rendering.everything(later) == rendering.everything(at_once)


def test_random_work_writes_events_of_every_type(tmp_path: Path) -> None:
    verbs = (*FIRST, *(verb for verb in random_work.WORK if verb not in FIRST))
    with closing(a_company(tmp_path, 1)) as clones:
        for verb in verbs:
            for value in (6, 7):
                random_work.do(clones, Step(0, verb, 1, value))
        written = {codec.trusted(line).type for _, line in ledger_lines(clones[0])}
    assert set(TYPES) - written == set()
