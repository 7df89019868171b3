"""What is killed: per command how to come to it, what must hold after the kill, and how the next call goes on.

Each story is told again and again in one clone: `prepare` leads to the command line, `settle` is what a user does next
(the same command again) and asserts what came of it, and leaves the clone ready for any other story.
"""
# ruff: noqa: D102 - what an overriding method does is said by Story

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from exo_sidecar.base.override import override
from tests.support.forked import Forks
from tests.support.process import Ran
from tests.support.wholeness import code_of, leases_held
from tests.support.working import Shop

TICKET: Final = "TICKET-T1"


class Story(ABC):
    """One command, told for the clone `shop.clones[0]`."""

    name: str
    operation: str
    kills_short: tuple[int, int] = (3, 2)
    """How often it is killed in a short run: before a step, and after a while."""

    def __init__(self, shop: Shop, server: Forks) -> None:
        self.shop = shop
        self.server = server
        self.clone: Path = shop.clones[0]
        self.number = 0

    def prepare(self) -> tuple[str, ...]:
        """Do what comes before, and return the command line to kill."""
        self.number += 1
        return self.command()

    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """Return the command line of this round."""

    @abstractmethod
    def settle(self, killed: Ran) -> None:
        """Go on as a user would, and assert that all of the command happened or nothing."""

    def ok(self, *args: str, clone: Path | None = None) -> Any:  # noqa: ANN401 - JSON
        """Run a command that must go well and return its data."""
        ran = self.server.run(clone or self.clone, *args, "--json")
        assert ran.exit == 0, (args, ran.out, ran.err)
        return ran.data

    def again(self, *args: str, already: Sequence[str] = ()) -> Ran:
        """Run the command again; it goes well, or says that it has happened already."""
        ran = self.server.run(self.clone, *args, "--json")
        assert ran.exit == 0 or code_of(ran.out) in already, (args, ran.out, ran.err)
        return ran

    def ticket(self, ticket: str = TICKET) -> Any:  # noqa: ANN401 - JSON
        """Return a ticket as `ticket-show` has it."""
        return self.ok("ticket-show", ticket)["ticket"]


class Create(Story):
    """`ticket-create`."""

    name = "ticket-create"
    operation = "ticket-create"

    @override
    def command(self) -> tuple[str, ...]:
        return ("ticket-create", f"Made {self.number}", "--parent", "INTENT-1", "--id", self._id, "--label", "made")

    @override
    def settle(self, killed: Ran) -> None:
        there = self.server.run(self.clone, "ticket-show", self._id, "--json")
        assert there.exit == 0 or killed.exit != 0, f"{self._id} was acknowledged and is lost"
        ran = self.again(*self.command(), already=["ID_TAKEN"])
        assert (ran.exit == 0) == (there.exit != 0)
        found = self.ticket(self._id)
        assert (found["title"], found["labels"], found["parent"]) == (f"Made {self.number}", ["made"], "INTENT-1")

    @property
    def _id(self) -> str:
        return f"TICKET-MADE-{self.number}"


class Edit(Story):
    """`ticket-edit`: two fields at once, both or none."""

    name = "ticket-edit"
    operation = "ticket-edit"

    @override
    def command(self) -> tuple[str, ...]:
        title, done = self._wanted(self.number)
        return ("ticket-edit", "TICKET-T2", "--title", title, "--success-condition", done)

    @override
    def settle(self, killed: Ran) -> None:
        found = self._found()
        old, new = self._wanted(self.number - 1), self._wanted(self.number)
        assert found == new or (found == old and killed.exit != 0), found
        self.again(*self.command(), already=["NOTHING_TO_CHANGE"])
        assert self._found() == self._wanted(self.number)

    def _wanted(self, number: int) -> tuple[str, str]:
        return (f"Title {number}", f"Done {number}") if number else ("Title TICKET-T2", "")

    def _found(self) -> tuple[str, str]:
        found = self.ticket("TICKET-T2")
        return found["title"], found["success_condition"]


class Move(Story):
    """`ticket-move`: there and back."""

    name = "ticket-move"
    operation = "ticket-move"

    @override
    def command(self) -> tuple[str, ...]:
        status = "blocked" if self.number % 2 else "todo"
        return ("ticket-move", "TICKET-T3", status, "--reason", f"round {self.number}")

    @override
    def settle(self, killed: Ran) -> None:
        wanted = self.command()[2]
        moved = self.ticket("TICKET-T3")["status"] == wanted
        assert moved or killed.exit != 0
        ran = self.again(*self.command(), already=["TRANSITION_INVALID"])
        assert (ran.exit != 0) == moved
        assert self.ticket("TICKET-T3")["status"] == wanted


class Working(Story):
    """Stories that hold a lease for a while: in the end nobody does."""

    def end(self) -> None:
        """Assert that the lease of no ticket is held, by nobody."""
        assert leases_held(self.server, self.clone) == {}
        if self.number % 4 == 0:
            # What others see is what we see: everything that the lease rests on went along.
            self.ok("sync")
            self.ok("sync", clone=self.shop.clones[1])
            assert self.ticket_of_others()["status"] == self.ticket()["status"]

    def ticket_of_others(self) -> Any:  # noqa: ANN401 - JSON
        """Return the ticket as another clone has it."""
        return self.ok("ticket-show", TICKET, clone=self.shop.clones[1])["ticket"]


class Next(Working):
    """`next`: a reservation that is whole, or none."""

    name = "next"
    operation = "next"

    @override
    def command(self) -> tuple[str, ...]:
        return ("next",)

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        found = self.again("next").data
        assert killed.data is None or found["session_id"] == killed.data["session_id"]
        held = leases_held(self.server, self.clone)
        assert [*held] == [found["ticket_id"]]
        assert held[found["ticket_id"]]["holder"]["session"] == found["session_id"]
        assert self.ticket(found["ticket_id"])["status"] == "active"
        self.ok("lease-release", "--ticket-id", found["ticket_id"])
        self.end()


class Start(Working):
    """`session-start`: lease, session and status, or nothing."""

    name = "session-start"
    operation = "session-start"

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-start", "--ticket-id", TICKET, "--task", f"round {self.number}")

    @override
    def settle(self, killed: Ran) -> None:
        found = self.again(*self.command()).data
        assert killed.exit != 0 or killed.data is None or found["session"]["id"] == killed.data["session"]["id"]
        held = leases_held(self.server, self.clone)
        assert [*held] == [TICKET]
        assert held[TICKET]["holder"]["session"] == found["session"]["id"]
        sessions = self.ok("ticket-show", TICKET)["sessions"]
        assert [each["id"] for each in sessions if each["status"] == "active"] == [found["session"]["id"]]
        self.ok("session-finish", "--summary", "done", "--set-status", "todo")
        self.end()


class Finish(Working):
    """`session-finish`: after it the same command again, else what its message says."""

    name = "session-finish"
    operation = "session-finish"

    @override
    def prepare(self) -> tuple[str, ...]:
        self.session = self.ok("session-start", "--ticket-id", TICKET)["session"]["id"]
        return super().prepare()

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-finish", "--summary", f"round {self.number}", "--set-status", "todo")

    @override
    def settle(self, killed: Ran) -> None:
        finished = self._finish()["status"] == "finished"
        assert finished or killed.exit != 0
        ran = self.again(*self.command(), already=["SESSION_NOT_ACTIVE"])
        assert (ran.exit == 0) == (not finished)
        assert self._finish()["summary"] == f"round {self.number}"
        assert self.ticket()["status"] == "todo"
        if ran.exit != 0:
            # It ended here, and perhaps the authority has not heard of it: the next sync tells it.
            self.ok("sync")
        self.end()

    def _finish(self) -> Any:  # noqa: ANN401 - JSON
        sessions = self.ok("ticket-show", TICKET)["sessions"]
        return next(each for each in sessions if each["id"] == self.session)


class Release(Working):
    """`lease-release` of a reservation."""

    name = "lease-release"
    operation = "lease-release"

    @override
    def prepare(self) -> tuple[str, ...]:
        self.reserved = self.ok("next", "--ticket-id", TICKET)["session_id"]
        return super().prepare()

    @override
    def command(self) -> tuple[str, ...]:
        return ("lease-release", "--ticket-id", TICKET)

    @override
    def settle(self, killed: Ran) -> None:
        ran = self.again(*self.command(), already=["LEASE_NOT_HELD"])
        assert ran.exit != 0 or killed.exit != 0
        if ran.exit != 0:
            self.ok("sync")
        assert self.ticket()["status"] == "todo"
        self.end()


class Sync(Story):
    """`sync`, with something new on both sides."""

    name = "sync"
    operation = "merge"

    @override
    def prepare(self) -> tuple[str, ...]:
        other = self.shop.clones[1]
        self.number += 1
        self.ok("ticket-create", "Theirs", "--parent", "INTENT-1", "--id", f"TICKET-X{self.number}", clone=other)
        self.ok("sync", clone=other)
        self.ok("ticket-create", "Ours", "--parent", "INTENT-1", "--id", f"TICKET-Y{self.number}")
        return self.command()

    @override
    def command(self) -> tuple[str, ...]:
        return ("sync",)

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        self.again("sync")
        self.ok("sync", clone=self.shop.clones[1])
        for clone in self.shop.clones[:2]:
            self.ok("ticket-show", f"TICKET-X{self.number}", clone=clone)
            self.ok("ticket-show", f"TICKET-Y{self.number}", clone=clone)
        assert self.shop.tip(0) == self.shop.tip(1)


STORIES: Final[tuple[type[Story], ...]] = (Create, Edit, Move, Next, Start, Finish, Release, Sync)
