"""Copies of one clone that go on writing (a restored backup, a copied disk): all branches of the chain are kept."""

import json
import random
import shutil
from pathlib import Path

import pytest

from exo_sidecar.store import layout
from tests.property.test_convergence import come_together
from tests.support import random_work
from tests.support.inputs import seeded
from tests.support.repositories import git
from tests.support.stores import BRANCH, Clone, a_company, clone_id_of, closing, created, noted, opened


def a_twin(one: Clone, name: str, seed: int) -> Clone:
    """Return a copy of a clone that takes itself for the original."""
    one.store.close()
    twin = one.folder.with_name(name)
    shutil.copytree(one.folder, twin, symlinks=True)
    identity = twin / ".git" / "exo" / "clone"
    known = json.loads(identity.read_text())
    identity.write_text(json.dumps(known | {"inode": identity.stat().st_ino}))
    return opened(twin, entropy=seeded(seed))


def chains_of(one: Clone) -> set[str]:
    names = git(one.folder, "ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    return {segment.writer for name in names if (segment := layout.parse_segment(name)) is not None}


def test_twins_of_twins_keep_every_branch_and_take_new_ids(tmp_path: Path) -> None:
    company = a_company(tmp_path, 2)
    one, other = company
    one.write(created("TICKET-000"))
    one.sync()
    two = a_twin(one, "two", 10)
    one.write(noted("TICKET-000", "one"))
    two.write(noted("TICKET-000", "two"))
    three = a_twin(two, "three", 11)  # its chain parts from its own copy's, which parted from the first
    two.write(noted("TICKET-000", "two again"))
    three.write(noted("TICKET-000", "three"))
    before = clone_id_of(one)
    with closing([one, other, two, three]) as clones:
        assert {clone_id_of(clone) for clone in (one, two, three)} == {before}
        come_together(clones, 1, random.Random(3))
        assert len({clone_id_of(clone) for clone in (one, two, three)}) == 3
        assert len({chain for chain in chains_of(one) if layout.clone_of(chain) == before}) == 3
        record = one.store.view().find_ticket("TICKET-000")
        assert sorted(record.ticket.notes) == ["one", "three", "two", "two again"]
        assert one.store.view().quarantined() == ()
        for clone in (one, two, three):
            clone.write(noted("TICKET-000", f"after in {clone.folder.name}"))
        come_together(clones, 1, random.Random(4))
        assert len(chains_of(one)) == 5 if clone_id_of(one) == before else 6


@pytest.mark.parametrize("seed", range(4))
def test_twins_that_work_at_random_converge(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    company = list(a_company(tmp_path, 3))
    for step in random_work.random_steps(rng, 3, 15, exchange=0.3):
        random_work.do(company, step)
    company += [a_twin(company[rng.randrange(3)], f"twin{number}", number + 100) for number in range(2)]
    with closing(company) as clones:
        for step in random_work.random_steps(rng, 5, 40, exchange=0.2):
            random_work.do(clones, step)
        come_together(clones, 1, rng)
