"""Many processes write in one clone at once, some read, and a person commits by hand: nothing is lost."""

import contextlib
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

from exo_sidecar.model.view import TicketFilter
from tests.support import dying
from tests.support.dying import Child
from tests.support.repositories import GitFailedError, git
from tests.support.stores import a_governed_store, assert_sound, closing, created, noted, opened

WRITERS = 8
TRANSACTIONS = 25
Say = Callable[[str], None]


def test_eight_writers_and_a_reader_at_once_lose_nothing(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-SHARED"))
        folder = one.closed()
        reader = dying.started(partial(read, folder))
        fates = [child.ended() for child in started_writers(folder)]
        seen = [int(word) for word in reader.killed().said]
        assert [len(fate.said) for fate in fates] == [TRANSACTIONS] * WRITERS
        assert seen == sorted(seen), "a reader went back in time"
        assert_everything_arrived(folder)
        assert_sound(one)


def test_commits_by_hand_between_parallel_writers_are_taken_in(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        one.write(created("TICKET-SHARED"), *(created(f"TICKET-H{number}") for number in range(5)))
        folder = one.closed()
        writers = started_writers(folder)
        committed = [number for number in range(5) if commit_by_hand(one.mount, number)]
        for child in writers:
            assert len(child.ended().said) == TRANSACTIONS
        one.absorb()
        assert committed
        for number in range(5):
            title = one.store.view().find_ticket(f"TICKET-H{number}").ticket.title
            assert title == f"By hand {number}"
        assert_everything_arrived(folder)
        assert_sound(one)


def started_writers(folder: Path) -> list[Child]:
    return [dying.started(partial(write, folder, number)) for number in range(WRITERS)]


def write(folder: Path, writer: int, say: Say) -> None:
    for number in range(TRANSACTIONS):
        one = opened(folder)
        one.write(created(f"TICKET-W{writer}N{number}"), noted("TICKET-SHARED", f"{writer}/{number}"))
        one.store.close()
        say(str(number))


def read(folder: Path, say: Say) -> None:
    for _ in itertools.count():
        one = opened(folder)
        view = one.store.view()
        rows = view.tickets(TicketFilter(), sort="id", after=None, limit=1000)
        say(str(len(rows)))
        one.store.close()


def commit_by_hand(mount: Path, number: int) -> bool:
    """Edit a ticket's file and commit it with plain git; False when somebody else held git's locks all the time."""
    (file,) = mount.glob(f"tickets/*/TICKET-H{number}.yaml")
    file.write_text(file.read_text().replace('title: "A task"', f'title: "By hand {number}"'))
    for _ in range(20):
        with contextlib.suppress(GitFailedError):
            git(mount, "commit", "-q", "-m", "by hand", "--", str(file.relative_to(mount)))
            return True
    return False


def assert_everything_arrived(folder: Path) -> None:
    with closing([opened(folder)]) as (one,):
        view = one.store.view()
        notes = set(view.find_ticket("TICKET-SHARED").ticket.notes)
        wanted = [(writer, number) for writer in range(WRITERS) for number in range(TRANSACTIONS)]
        assert notes == {f"{writer}/{number}" for writer, number in wanted}
        for writer, number in wanted:
            assert view.find_ticket(f"TICKET-W{writer}N{number}").id == f"TICKET-W{writer}N{number}"
        assert view.quarantined() == ()
        git(folder, "fsck", "--strict")
