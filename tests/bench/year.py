"""Growth by a year of work: fifty clones, five hundred operations a day, one commit each.

Days are simulated until the year or the time is over, in one process and by the store's own writer. Of a part of a
year, what is measured is carried on in proportion, and the table says so. A clone's day has two sessions of five
operations: the first of each names what came from the others since, as after a sync, so that the ledger has its true
size. Loose objects are packed every thirty days.
"""

import random
import time
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base.override import override
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.model import ids, instant
from exo_sidecar.model.event import (
    Data,
    Draft,
    Fields,
    LeaseAcquired,
    LeaseReleased,
    SessionFinished,
    SessionStarted,
    TicketCreated,
    TicketEdited,
    TicketNoted,
)
from exo_sidecar.model.ids import CloneId, TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import Finish
from exo_sidecar.operations.scribing import SCRIBE
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.index import in_memory
from exo_sidecar.store.refresh import rebuild
from exo_sidecar.store.store import Store
from tests.bench import timing
from tests.bench.grounds import governed
from tests.bench.growth import counted
from tests.bench.joining import without_waiting_for_the_disk
from tests.bench.timing import EXO, Group, Row, Used
from tests.support.inputs import FixedClock, seeded
from tests.support.repositories import git
from tests.support.stores import judge

CLONES: Final = 50
A_DAY: Final = 500
A_SESSION: Final = 5
DAYS: Final = 365
BOX_SECONDS: Final = 180.0
_PACK_DAYS: Final = 30
_RECENT: Final = 200
"""Tickets that people still come back to."""
_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_BRANCH: Final = "exo-governance"
_DAY_SECONDS: Final = 24 * 3600
_COMMIT: Final = "1" * 40


class Worked(NamedTuple):
    """What was simulated."""

    days: float
    operations: int
    seconds: float
    loose_most: int

    @property
    def is_whole(self) -> bool:
        """Whether it is the year itself, and nothing has to be carried on."""
        return self.days >= DAYS

    def a_year(self, amount: float, unit: str) -> str:
        """Return what `amount` is in a year; nothing when it was measured in a whole one."""
        return "" if self.is_whole else f"; in a year {amount * DAYS / self.days:,.0f} {unit}"


class _Store(Store):
    """A store that writes as whichever clone's turn it is."""

    turn = CloneId("0" * 16)

    @override
    def clone_id(self) -> CloneId:
        return self.turn


def measure(folder: Path, *, box_seconds: float = BOX_SECONDS) -> Group:
    """Work, pack, and measure what a new clone has to fetch and fold; infinite seconds are the whole year."""
    clone = governed(folder, 1)
    git(clone, "gc", "-q")
    before = counted(clone)
    with without_waiting_for_the_disk():
        worked = _work(clone, box_seconds)
    kept = (_on_disk(clone) - before["size-pack"]) / _KIB
    packing = timing.sample(1, lambda _: timing.started(("git", "gc", "-q"), clone))
    packed = (counted(clone)["size-pack"] - before["size-pack"]) / _KIB
    timing.started(("git", "push", "-q", "origin", _BRANCH), clone)
    cloning = timing.sample(1, lambda _: _fetched(clone))
    joined = _joined(clone)
    folding = timing.sample(1, lambda _: _folded(clone))
    tree = _tree_bytes(clone) / _MIB
    said = f"{worked.days:.1f} days of {CLONES} clones, {worked.operations:,} operations, {_events(clone):,} events"
    repack = f"git repack -d every {_PACK_DAYS} days: most loose objects at once, history on disk at the end"
    return Group(
        "Growth by a year",
        (
            Row(f"simulated: {said}", None, f"{worked.seconds:.0f} s{worked.a_year(worked.seconds, 's')}"),
            Row(repack, None, f"{worked.loose_most:,}, {kept:.1f} MiB{worked.a_year(kept, 'MiB')}"),
            Row("git gc", packing, f"history on disk after it: {packed:.1f} MiB{worked.a_year(packed, 'MiB')}"),
            Row("the tree: all files of the branch", None, f"in .exo: {tree:.1f} MiB{worked.a_year(tree, 'MiB')}"),
            Row("git fetch of the branch into an empty repository", cloning, _seconds(worked, cloning.least)),
            Row("exo init in a new clone: fetch, mount, fold", timing.of([joined.ms]), _joining(worked, joined)),
            Row("fold alone, in process: processor", folding, _seconds(worked, folding.least)),
        ),
    )


def _work(clone: Path, box_seconds: float) -> Worked:
    rng, clock, entropy = random.Random(2026), FixedClock(), seeded(1)
    writers = [ids.mint_clone(entropy) for _ in range(CLONES)]
    store = _Store(Repository(locate(clone)), entropy=entropy, absorb=judge, scribe=SCRIBE, progress=lambda _: None)
    epochs: dict[TicketId, int] = {}
    began, operations, loose = time.monotonic(), 0, 0
    while operations < DAYS * A_DAY and time.monotonic() - began < box_seconds:
        for turn in rng.sample(writers, CLONES):
            store.turn = turn
            for drafts in _session(rng, epochs):
                clock.advance(_DAY_SECONDS / A_DAY)
                stamp = Stamp(actor="human:jane", session=None, at=instant.of(clock()), operation="ticket-edit")
                store.transact(lambda _, drafts=drafts: Outcome(events=drafts), stamp)  # type: ignore[misc]
                operations += 1
        if operations % (_PACK_DAYS * A_DAY) == 0:
            loose = max(loose, counted(clone)["count"])
            timing.started(("git", "repack", "-d", "-q"), clone)
    store.close()
    return Worked(operations / A_DAY, operations, time.monotonic() - began, max(loose, counted(clone)["count"]))


def _on_disk(clone: Path) -> int:
    """Return the size of all objects, in KiB."""
    found = counted(clone)
    return found["size"] + found["size-pack"]


def _session(rng: random.Random, epochs: dict[TicketId, int]) -> list[tuple[Draft, ...]]:
    """Return the operations of one session: a new ticket now and then, start, a note, an edit, finish."""
    known = list(epochs)[-_RECENT:]
    if not known or rng.random() < 1 / 2:
        ticket = TicketId(ids.mint("TICKET", len(epochs), rng.randbytes))
        made = TicketCreated(fields=Fields(kind="task", title=_words(rng, 6), type="feature"))
        first = Draft(subject=ticket, data=made)
    else:
        ticket = rng.choice(known)
        first = Draft(subject=ticket, data=TicketNoted(text=_words(rng, 12)))
    epoch = epochs[ticket] = epochs.get(ticket, 0) + 1
    session = ids.mint_session(rng.randbytes)
    acquired = LeaseAcquired(ticket=ticket, epoch=epoch, session=session, commit=_COMMIT)
    started = SessionStarted(ticket=ticket, task=_words(rng, 8))
    end = SessionFinished(ticket=ticket, finish=Finish(summary=_words(rng, 40), ticket_status="review"))
    released = LeaseReleased(ticket=ticket, epoch=epoch, session=session)

    def held(subject: str, data: Data) -> Draft:
        return Draft(subject=subject, data=data, session=session, epoch=epoch)

    return [
        (first,),
        (held(ticket, acquired), held(session, started)),
        (held(ticket, TicketNoted(text=_words(rng, 20))),),
        (held(ticket, TicketEdited(fields=Fields(title=_words(rng, 6)))),),
        (held(session, end), held(ticket, released)),
    ]


def _words(rng: random.Random, count: int) -> str:
    """Return text that packs about as well as a person's."""
    letters = "etaoinshrdlu"
    return " ".join("".join(rng.choices(letters, k=rng.randint(2, 8))) for _ in range(count))


def _fetched(clone: Path) -> None:
    bare = clone.parent / "empty.git"
    timing.started(("git", "init", "-q", "--bare", str(bare)), clone)
    timing.started(("git", "fetch", "-q", f"file://{clone.parent / 'hub.git'}", f"{_BRANCH}:{_BRANCH}"), bare)


def _joined(clone: Path) -> Used:
    hub, fresh = clone.parent / "hub.git", clone.parent / "fresh"
    git(clone.parent, "clone", "-q", "--single-branch", "-b", "main", f"file://{hub}", str(fresh))
    return timing.used((*EXO, "init"), fresh)


def _joining(worked: Worked, joined: Used) -> str:
    busy = joined.processor_ms / 1000
    return f"{busy:.1f} s of processor, {joined.mib:.0f} MiB{worked.a_year(busy, 's of processor')}"


def _folded(clone: Path) -> float:
    repository = Repository(locate(clone))
    root = Oid(git(clone, "rev-parse", f"{_BRANCH}^{{tree}}"))
    began = time.process_time()
    index = in_memory()
    with index.transaction():
        rebuild(index, repository.objects, root, lambda _: None)
    took = (time.process_time() - began) * 1000
    index.close()
    repository.close()
    return took


def _events(clone: Path) -> int:
    lines = git(clone, "grep", "-c", "", _BRANCH, "--", "ledger").splitlines()
    return sum(int(line.rpartition(":")[2]) for line in lines)


def _tree_bytes(clone: Path) -> int:
    lines = git(clone, "ls-tree", "-r", "-l", _BRANCH).splitlines()
    return sum(int(line.split()[3]) for line in lines)


def _seconds(worked: Worked, milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s{worked.a_year(milliseconds / 1000, 's')}"
