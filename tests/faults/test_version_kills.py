"""A program that is older than the branch dies while it writes: its events are there or not, files are untouched."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from exo_sidecar.store import publish
from exo_sidecar.sync import compaction
from tests.support import dying
from tests.support.repositories import git
from tests.support.stores import Clone, a_company, assert_sound, closing, created, noted, opened, titled
from tests.support.versions import STAMP, as_next

STEPS_MAX = 200


def computed(one: Clone) -> list[str]:
    return [line for line in git(one.folder, "ls-tree", "-r", one.tip).splitlines() if "\tledger/" not in line]


def raised(clones: list[Clone]) -> None:
    """Let the first clone be the next program's, and all know what it made of the branch."""
    one, *others = clones
    with as_next():
        one.write(created("TICKET-001"), created("TICKET-002"))
        one.sync()
    for other in others:
        other.sync()


def test_an_older_program_that_is_killed_anywhere_leaves_the_files_and_a_whole_transaction_or_none(
    tmp_path: Path,
) -> None:
    with closing(a_company(tmp_path, 2)) as clones:
        raised(clones)
        one, two = clones
        before = computed(two)
        deaths = 0
        for number in range(1, STEPS_MAX, 5):
            known = two.events()
            if not dying.forked(partial(writing, two.closed(), number), die_at=number).killed:
                break
            deaths += 1
            two.write(noted("TICKET-001", f"after {number}"))
            assert len(two.events() - known) in {1, 3}
            assert computed(two) == before
            assert two.status() == ""
        assert deaths > 4
        assert_sound(two)
        two.sync()
        with as_next():
            one.sync()
            assert_sound(one)
        assert all(path.read_bytes().endswith(STAMP) for path in one.mount.glob("tickets/*/*.yaml"))


def test_a_newer_program_that_is_killed_while_it_computes_everything_is_made_up_for(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 1)) as (one,):
        one.write(created("TICKET-001"), created("TICKET-002"))
        deaths = 0
        for number in range(1, STEPS_MAX, 9):
            one.write(titled("TICKET-002", f"Older {number}"))
            with as_next():
                killed = dying.forked(partial(writing, one.closed(), number), die_at=number).killed
                one.write(noted("TICKET-001", f"after {number}"))
                shown = {path.stem: path.read_bytes() for path in one.mount.glob("tickets/*/*.yaml")}
                assert all(data.endswith(STAMP) for data in shown.values())
                assert f"Older {number}".encode() in shown["TICKET-002"]
                assert_sound(one)
                one.store.close()
            if not killed:
                break
            deaths += 1
        assert deaths > 4


def test_a_compaction_by_a_newer_program_does_not_pass_lagging_files_off_as_its_own(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as clones:
        raised(clones)
        one, _ = clones
        one = one.reopened()
        one.write(titled("TICKET-001", "Older here"))
        one.store.close()
        with as_next():
            compaction.begin(one.store, one.stamp(), "because")
            assert publish.recorded_render(one.store.governed) != 0
            one.write(noted("TICKET-002", "newer again"))
            (file,) = one.mount.glob("tickets/*/TICKET-001.yaml")
            assert "Older here" in file.read_text()
            one.store.close()


def writing(folder: Path, number: int, say: Callable[[str], None]) -> None:
    one = opened(folder)
    one.write(titled("TICKET-001", f"Child {number}"), noted("TICKET-002", f"child {number}"))
    say("written")
