"""Hostile branches that are made to cost: what the first sync with each takes, and the one after it.

The hub keeps what was pushed in a pack, without deltas. From loose objects its own git would look for deltas among
them first, which takes it several times as long as all that exo does; what it takes now is told apart.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench import grounds, timing
from tests.bench.joining import without_waiting_for_the_disk
from tests.bench.timing import EXO, Budget, Ended, Group, Row
from tests.support import hostile, hostile_lines
from tests.support.repositories import git

SECONDS_MAX: Final = 5.0
MIB_MAX: Final = 300.0
REFUSED: Final = "SYNC_REFUSED"
_TICKETS: Final = 100
_MANY: Final = 1000
_MEGABYTE: Final = 1_000_000
_CHAINS_NAMED: Final = 100
"""A sync names this many broken chains, however many there are."""
_UNCOMPARED: Final = ("-c", "pack.window=0", "-c", "core.compression=1")
_PACKING: Final = "echo exo-governance | git pack-objects --revs --stdout -q >/dev/null"
_NOISY: Final = "noise" + "0" * 11


class Attack(NamedTuple):
    """What somebody pushes; `plant` gets the hub and its good tree and returns the tree that is pushed."""

    what: str
    plant: Callable[[Path, str], str]
    verdict: str
    """The error's code, empty when the branch is taken in."""
    named: int
    """Lines that are named as left out, at least."""


def measure(folder: Path) -> Group:
    """Let a clone of 100 tickets meet each branch, in a hub of its own."""
    folder.mkdir()
    rows = [row for number, attack in enumerate(_attacks()) for row in _rows(attack, folder / str(number))]
    return Group("Hostile branches", tuple(rows))


def _attacks() -> tuple[Attack, ...]:
    names = [f"name{number:012}" for number in range(_MANY)]
    ticket = grounds.ticket(0)
    return (
        Attack("200 MB of random lines in one chain", _noise(200), REFUSED, 0),
        Attack("12 MB of them, within the limit", _noise(12), "", 12 * _MEGABYTE // 201),
        Attack(
            "a ring of 1,000 writers, each waiting for the next",
            lambda hub, root: hostile_lines.ring(hub, root, ticket, names),
            "",
            _CHAINS_NAMED,
        ),
        Attack(
            "1,000 events that each name 1,000 lines which never count, 90 MB",
            lambda hub, root: hostile_lines.naming_strays(hub, root, ticket, names, _MANY),
            "",
            _CHAINS_NAMED,
        ),
    )


def _noise(megabytes: int) -> Callable[[Path, str], str]:
    def plant(hub: Path, root: str) -> str:
        return hostile_lines.with_chain(hub, root, _NOISY, hostile_lines.random_lines(megabytes * _MEGABYTE))

    return plant


def _rows(attack: Attack, folder: Path) -> tuple[Row, Row]:
    with without_waiting_for_the_disk():
        clone = grounds.governed(folder, _TICKETS)
        timing.started((*EXO, "sync"), clone)
        hub = folder / "hub.git"
        hostile.plant(hub, attack.plant(hub, hostile.root_of(hub)))
        git(hub, *_UNCOMPARED, "repack", "-a", "-d", "-q")
    packing = timing.weighed(("sh", "-c", _PACKING), hub).used
    first, second = (timing.weighed((*EXO, "sync", "--json"), clone) for _ in range(2))
    told = _outcome(attack, first)
    seconds = first.used.processor_ms / 1000
    budgets = (
        Budget(f"<= {SECONDS_MAX:.0f} s of processor", seconds, SECONDS_MAX),
        Budget(f"<= {MIB_MAX:.0f} MiB", first.used.mib, MIB_MAX),
    )
    return (
        Row(
            f"exo sync, {_TICKETS} tickets here; fetched: {attack.what}",
            timing.of([first.used.ms]),
            f"{_took(first)}; the hub's packing alone {packing.processor_ms / 1000:.1f} s; {told}",
            budgets,
        ),
        Row("the next sync", timing.of([second.used.ms]), f"{_took(second)}; exit {second.exit}"),
    )


def _took(ended: Ended) -> str:
    return f"{ended.used.processor_ms / 1000:.1f} s of processor, {ended.used.mib:.0f} MiB"


def _outcome(attack: Attack, ended: Ended) -> str:
    """Return how the sync ended; a branch that was met otherwise than it should be is nothing to measure."""
    answer = json.loads(ended.out)
    verdict = "" if ended.exit == 0 else answer["error"]["code"]
    assert verdict == attack.verdict, f"{attack.what}: {ended.out[:500]}"
    if verdict:
        return f"{verdict}, exit {ended.exit}"
    named = sum(each["count"] for each in answer["data"]["quarantined"])
    assert named >= attack.named, f"{attack.what}: {named} lines named"
    return f"taken in, {named:,} lines named as left out, exit {ended.exit}"
