"""A redaction and a compaction are there whole or not at all, whenever their process dies."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from exo_sidecar.model.event import Draft
from exo_sidecar.store import redaction
from exo_sidecar.sync import compaction
from tests.support import dying
from tests.support.repositories import git
from tests.support.stores import (
    BRANCH,
    Clone,
    a_governed_store,
    assert_sound,
    clone_id_of,
    closing,
    created,
    noted,
    opened,
)

T = "TICKET-001"
STEPS_MAX = 400
STRIDE = 5
Say = Callable[[str], None]


def test_a_redaction_that_is_killed_anywhere_has_happened_or_not(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created(T))
        deaths = 0
        for number in range(1, STEPS_MAX, STRIDE):
            word = f"secret-{number}-of-mine"
            one.write(noted(T, word))
            event = f"{clone_id_of(one)}:{len(one.events())}"
            fate = dying.forked(partial(redacts, one.closed(), event), die_at=number)
            one.write(noted(T, f"after {number}"))
            assert one.status() == "", f"not clean after death at {number}"
            is_gone = word not in held(one)
            assert is_gone == (word not in one.store.view().find_ticket(T).ticket.notes)
            assert is_gone or not fate.said, "it was acknowledged and has not happened"
            redact(one, event)
            assert word not in held(one)
            assert one.store.view().quarantined() == ()
            if not fate.killed:
                break
            deaths += 1
        assert deaths > 5
        assert_sound(one)


def test_a_compaction_that_is_killed_anywhere_has_happened_or_not(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created(T))
        deaths = 0
        for number in range(1, STEPS_MAX, 2):
            one.write(noted(T, f"before {number}"))
            events = one.events()
            fate = dying.forked(partial(compacts, one.closed()), die_at=number)
            one.write(noted(T, f"after {number}"))
            assert one.status() == "", f"not clean after death at {number}"
            assert len(one.events() - events) == 1
            assert events < one.events()
            commits = int(git(one.folder, "rev-list", "--count", BRANCH))
            assert commits == 2 or not fate.said, "it was acknowledged and has not happened"
            if not fate.killed:
                break
            deaths += 1
        assert deaths > 3
        assert_sound(one)


def redact(one: Clone, event: str) -> None:
    planned = redaction.planned(one.store.view().index.db, event, "leaked")
    if not planned.already:
        one.write(Draft(subject=planned.data.event, data=planned.data))


def redacts(folder: Path, event: str, say: Say) -> None:
    one = opened(folder)
    redact(one, event)
    say("done")


def compacts(folder: Path, say: Say) -> None:
    one = opened(folder)
    compaction.begin(one.store, one.stamp("sidecar-compact"), "too long")
    say("done")


def held(one: Clone) -> str:
    """Return the ledger as the branch has it and as the mount has it."""
    names = git(one.folder, "ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    files = "".join((one.mount / name).read_text() for name in names)
    return files + "".join(git(one.folder, "show", f"{BRANCH}:{name}") for name in names)
