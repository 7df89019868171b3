"""Clones with tickets to work on, and the command line called in process: what stories about sessions start from."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.clones import BRANCH, Fleet, a_fleet
from tests.support.inprocess import exo_in_process
from tests.support.process import Ran
from tests.support.repositories import a_repository, commit_files, git


@dataclass(frozen=True)
class Shop:
    """Governed clones of one hub; `tickets` in dispatch order, all below one intent."""

    clones: tuple[Path, ...]
    hub: Path | None
    tickets: tuple[str, ...]

    def exo(self, number: int, *args: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run one command in one clone and return what it left behind."""
        return exo_in_process(self.clones[number], *args, "--json", env=env)

    def ok(self, number: int, *args: str, env: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Run a command that must go well and return its data."""
        ran = self.exo(number, *args, env=env)
        assert ran.exit == 0, ran.out + ran.err
        return ran.data

    def fails(self, number: int, *args: str, env: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Run a command that must be refused and return its error, with the exit status in `exit`."""
        ran = self.exo(number, *args, env=env)
        assert ran.exit != 0, ran.out
        return json.loads(ran.out)["error"] | {"exit": ran.exit}

    def tip(self, number: int = 0) -> str:
        """Return the commit of the governance branch in one clone."""
        return git(self.clones[number], "rev-parse", f"refs/heads/{BRANCH}")

    def commits(self, number: int = 0) -> int:
        """Return how many commits the governance branch has."""
        return int(git(self.clones[number], "rev-list", "--count", BRANCH))

    def status(self, number: int, ticket: str) -> str:
        """Return a ticket's status as one clone knows it."""
        return str(self.ok(number, "ticket-show", ticket)["ticket"]["status"])

    def let_an_actor_hold(self, leases: int) -> None:
        """Set `leases.per_actor`, and have every clone accept it."""
        config = self.clones[0] / ".exo" / "config.yaml"
        config.write_text(config.read_text().replace("per_actor: 8", f"per_actor: {leases}"))
        for number in range(len(self.clones)):
            self.ok(number, "sync")
            self.ok(number, "trust", "--actor", "human:ann")

    @property
    def server(self) -> Path:
        """The hub, in a shop that has one."""
        assert self.hub is not None
        return self.hub

    def lose_hub(self) -> Path:
        """Move the hub away, so that nobody reaches it, and return where it is."""
        away = self.server.with_name("away.git")
        shutil.move(self.server, away)
        return away


def a_shop(folder: Path, clones: int = 1, tickets: int = 2) -> Shop:
    """Make a hub, governed clones of it, and tasks T1, T2 ... that every clone knows."""
    fleet: Fleet = a_fleet(folder, clones)
    return _stocked(fleet.clones, fleet.hub, tickets)


def a_pushing_shop(folder: Path, tickets: int) -> Shop:
    """Make two clones; in the first a session works on TICKET-T1, with one commit on a branch of that name."""
    shop = a_shop(folder, clones=2, tickets=tickets)
    git(shop.clones[0], "switch", "-q", "-c", "exo/TICKET-T1")
    shop.ok(0, "session-start", "--ticket-id", "TICKET-T1")
    commit_files(shop.clones[0], {"work.txt": "one\n"}, "work")
    return shop


def a_push(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run C git's plain push as a person would."""
    return subprocess.run(["git", "push", *words], cwd=clone, capture_output=True, text=True, check=False)


def a_lone_shop(folder: Path, tickets: int = 2) -> Shop:
    """Make one governed repository without a remote."""
    return _stocked((a_repository(folder),), None, tickets)


def _stocked(clones: tuple[Path, ...], hub: Path | None, tickets: int) -> Shop:
    names = tuple(f"TICKET-T{number}" for number in range(1, tickets + 1))
    shop = Shop(clones, hub, names)
    shop.ok(0, "init")
    shop.ok(0, "ticket-move", "TICKET-001", "cancelled", "--reason", "not part of the story")
    shop.ok(0, "intent-create", "Intent", "--brain-dump", "why", "--id", "INTENT-1")
    for name in names:
        shop.ok(0, "ticket-create", f"Title {name}", "--parent", "INTENT-1", "--id", name)
    if hub is not None:
        shop.ok(0, "sync")
    for number in range(1, len(clones)):
        shop.ok(number, "init")
    return shop
