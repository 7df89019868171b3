"""Wall clocks that are wrong by a year change nobody's order: the same work gives the same files."""

import random
from collections.abc import Sequence
from pathlib import Path

from exo_sidecar.git import graph
from exo_sidecar.git.oid import Oid
from tests.property.test_convergence import come_together, set_clocks
from tests.support import random_work
from tests.support.repositories import git
from tests.support.stores import BRANCH, Clone, a_company, closing, created, noted, titled

DATED = ("ledger", "sessions")
"""They show when things happened; everything else must not depend on it."""
STEPS = 70


def files(one: Clone) -> dict[str, str]:
    """Return the rendered files without a date in them, by path."""
    names = git(one.folder, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
    return {name: git(one.folder, "show", f"{BRANCH}:{name}") for name in names if not name.startswith(DATED)}


def worked(folder: Path, years: Sequence[int]) -> dict[str, str]:
    """Let three clones with clocks that are wrong by so many years do the same work, and return what came of it."""
    rng = random.Random(11)
    with closing(a_company(folder, 3)) as clones:
        set_clocks(clones, years)
        for step in random_work.random_steps(rng, 3, STEPS, exchange=0.2):
            random_work.do(clones, step)
        come_together(clones, 1, rng)
        return files(clones[0])


def test_the_same_work_under_wrong_clocks_gives_the_same_files(tmp_path: Path) -> None:
    right = worked(tmp_path / "right", (0, 0, 0))
    assert worked(tmp_path / "wrong", (1, -1, 0)) == right
    assert any(name.startswith("tickets/") for name in right)


def test_what_was_written_knowing_the_other_stands_however_old_it_says_it_is(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 2)) as clones:
        ahead, behind = clones
        set_clocks(clones, (1, -1))
        ahead.write(created("TICKET-1", "From next year"))
        ahead.sync()
        behind.sync()
        behind.write(titled("TICKET-1", "From last year"), noted("TICKET-1", "second"))
        behind.sync()
        ahead.sync()
        ahead.write(noted("TICKET-1", "third"))
        ahead.sync()
        behind.sync()
        for one in clones:
            record = one.store.view().find_ticket("TICKET-1")
            assert (record.ticket.title, list(record.ticket.notes)) == ("From last year", ["second", "third"])
            assert record.conflicts == {}


def test_commits_dated_before_their_parents_are_merged_and_found_as_ever(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 3)) as clones:
        set_clocks(clones, (1, -1, 0))
        tips: list[Oid] = []
        for number in range(4):
            for one in clones:
                one.write(created(f"TICKET-{number}{one.folder.name[-1]}"))
                tips.append(one.tip)
                one.sync()
        come_together(clones, 1, random.Random(5))
        lines = [line.split() for line in git(clones[0].folder, "log", "--format=%ct %H %P", BRANCH).splitlines()]
        dates = {commit: int(seconds) for seconds, commit, *_ in lines}
        older = [commit for _, commit, *parents in lines if any(dates[commit] < dates[each] for each in parents)]
        assert older, "no clock was wrong"
        objects = clones[0].store.governed.repository.objects
        assert all(graph.is_ancestor(objects, tip, clones[0].tip) for tip in tips)
        assert not graph.is_ancestor(objects, clones[0].tip, tips[0])
