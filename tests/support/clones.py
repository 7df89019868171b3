"""A hub and several clones of it: what most stories about working together need."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.process import Ran, exo
from tests.support.repositories import DEFAULT_FILES, a_clone, a_hub, git

BRANCH: Final = "exo-governance"


@dataclass(frozen=True)
class Fleet:
    """A bare hub and its clones; `fleet[0]` is the first clone's folder."""

    hub: Path
    clones: tuple[Path, ...]

    def __getitem__(self, number: int) -> Path:
        return self.clones[number]

    def exo(self, number: int, *args: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run `exo` as a process in one clone."""
        return exo(self.clones[number], *args, env=env)

    def git(self, number: int, *args: str) -> str:
        """Run C git in one clone."""
        return git(self.clones[number], *args)

    def sync_all(self, rounds: int = 2) -> None:
        """Sync every clone in turn; after two rounds everybody has everybody's events."""
        for _ in range(rounds):
            for clone in self.clones:
                ran = exo(clone, "sync")
                assert ran.exit == 0, ran.err

    def tips(self, branch: str = BRANCH) -> tuple[str, ...]:
        """Return the commit of `branch` in each clone."""
        return tuple(git(clone, "rev-parse", f"refs/heads/{branch}") for clone in self.clones)


def a_fleet(folder: Path, count: int = 2, files: Mapping[str, str] = DEFAULT_FILES) -> Fleet:
    """Make a hub in `folder` and `count` clones `clone0`, `clone1`, ... beside it; nothing is governed yet."""
    hub = a_hub(folder, files=files)
    return Fleet(hub, tuple(a_clone(hub, f"clone{number}") for number in range(count)))


def a_governed_fleet(folder: Path, count: int = 2) -> Fleet:
    """As `a_fleet`, governed by the first clone; the others mount the governance branch that they find."""
    fleet = a_fleet(folder, count)
    for number in range(count):
        ran = fleet.exo(number, "init")
        assert ran.exit == 0, ran.err
    return fleet
