"""Two clones and a hub to which anybody may push: what has to hold after every attack."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support import hostile
from tests.support.clones import BRANCH
from tests.support.process import Ran
from tests.support.repositories import git
from tests.support.working import Shop, a_shop

REFUSED = "SYNC_REFUSED"


class Siege(NamedTuple):
    """A shop of two clones, and the hub's last good tip."""

    shop: Shop
    hub: Path
    good: str

    @property
    def root(self) -> str:
        """The hub's good tree."""
        return hostile.root_of(self.hub, self.good)

    def sync(self, number: int = 1) -> Ran:
        """Sync one clone, which may be refused but must answer."""
        ran = self.shop.exo(number, "sync")
        assert ran.exit in {0, 7, 8}, ran.out + ran.err
        return ran

    def refused(self, number: int = 1) -> str:
        """Sync one clone, which must refuse and change nothing here, and return why."""
        before = (self.shop.tip(number), self.mount_status(number))
        error = self.shop.fails(number, "sync")
        assert (error["exit"], error["code"]) == (7, REFUSED), error
        assert (self.shop.tip(number), self.mount_status(number)) == before
        self.works_on(number)
        return str(error["message"])

    def left_out(self, number: int = 1) -> str:
        """Sync one clone, which must go through, and return its warnings: what was left out."""
        ran = self.shop.exo(number, "sync")
        assert ran.exit == 0, ran.out + ran.err
        self.works_on(number)
        return " ".join(each["message"] for each in ran.answer["warnings"])

    def works_on(self, number: int) -> None:
        """Assert that a clone answers, offers work and writes, and that nothing but the ledger's files is in it."""
        shop = self.shop
        assert shop.ok(number, "status")["initialized"] is True
        assert shop.ok(number, "next", "--dry-run", "--offline")["ticket"] is not None
        shop.ok(number, "ticket-edit", "T1", "--add-label", f"seen-{number}")
        shop.ok(number, "ticket-edit", "T1", "--remove-label", f"seen-{number}")
        assert self.mount_status(number) == ""
        mount = shop.clones[number] / ".exo"
        assert not [path for path in mount.rglob("*") if path.is_symlink()]
        listed = git(shop.clones[number], "ls-tree", "-r", "-z", "--name-only", BRANCH).split("\0")[:-1]
        here = {path.relative_to(mount).as_posix() for path in mount.rglob("*") if path.is_file()}
        assert here - {".git"} == {path for path in listed if not path.startswith("cache/")}

    def mount_status(self, number: int) -> str:
        """Return what C git finds changed in a clone's mount."""
        return git(self.shop.clones[number], "-C", ".exo", "status", "--porcelain")

    def ends_well(self) -> None:
        """Assert that both clones come together on a branch that is whole, as C git sees it too."""
        shop = self.shop
        for number in (0, 1, 0):
            shop.ok(number, "sync")
        assert shop.tip(0) == shop.tip(1) == git(self.hub, "rev-parse", BRANCH)
        listed = git(shop.clones[0], "ls-tree", "-r", BRANCH).splitlines()
        assert {line.split()[0] for line in listed} == {"100644"}
        for number in (0, 1):
            git(shop.clones[number], "fsck", "--connectivity-only", BRANCH)

    def put_right(self) -> None:
        """Let the hub show its last good tip again, as its owner would."""
        hostile.set_tip(self.hub, self.good)


def a_siege(folder: Path) -> Siege:
    """Make two clones with a ticket to work on, both even with the hub."""
    shop = a_shop(folder, clones=2)
    return besieged(shop)


def besieged(shop: Shop) -> Siege:
    """Return the siege of a shop whose clones are even with their hub now."""
    assert shop.hub is not None
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    return Siege(shop, shop.hub, git(shop.hub, "rev-parse", BRANCH))


def outside(folder: Path) -> set[str]:
    """Return every path below `folder` that is neither in a mount nor in a git directory."""
    return set(_paths(folder, folder))


def _paths(root: Path, folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.name in {".exo", ".git"} or path.suffix == ".git":
            continue
        yield path.relative_to(root).as_posix()
        if path.is_dir() and not path.is_symlink():
            yield from _paths(root, path)
