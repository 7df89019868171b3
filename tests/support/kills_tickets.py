"""What is killed of tickets besides: a plan, tickets that are put away, a claim that is counted again, a learning."""
# ruff: noqa: D102 - what an overriding method does is said by Story

from typing import Final

from exo_sidecar.base.override import override
from tests.support.kills import Next, Story
from tests.support.process import Ran


class Plan(Story):
    """`plan`: all of its tickets, or none."""

    name = "plan"
    operation = "plan"
    kills_short = (2, 1)

    @override
    def command(self) -> tuple[str, ...]:
        lines = (f"### EPIC Epic {self.number}", f"* First {self.number}", f"* Second (after: First {self.number})")
        return ("plan", "\n".join((*lines, "")), "--parent", "INTENT-1")

    @override
    def settle(self, killed: Ran) -> None:
        there = self._made()
        assert there in (0, 3)
        assert there == 3 or killed.exit != 0, "it was acknowledged and is lost"
        if not there:
            self.again(*self.command())
        self.ok("ticket-edit", "TICKET-T3", "--note", f"round {self.number}")  # whatever writes next heals
        assert self._made() == 3

    def _made(self) -> int:
        """Return how many tickets of this round there are."""
        found = self.ok("ticket-list", "--limit", "1000", "--sort", "id")["items"]
        epic = {each["id"] for each in found if each["title"] == f"Epic {self.number}"}
        return len(epic) + sum(1 for each in found if each["parent"] in epic)


class Archive(Story):
    """`ticket-archive`: every ticket that was named, or none."""

    name = "ticket-archive"
    operation = "ticket-archive"
    kills_short = (2, 1)

    @override
    def prepare(self) -> tuple[str, ...]:
        command = super().prepare()
        for ticket in command[1:]:
            self.ok("ticket-create", "Put away", "--parent", "INTENT-1", "--id", ticket, "--status", "backlog")
        return command

    @override
    def command(self) -> tuple[str, ...]:
        return ("ticket-archive", f"TICKET-PUT-{self.number}A", f"TICKET-PUT-{self.number}B")

    @override
    def settle(self, killed: Ran) -> None:
        statuses = {self.ticket(ticket)["status"] for ticket in self.command()[1:]}
        assert statuses == {"archived"} or (statuses == {"backlog"} and killed.exit != 0)
        self.again(*self.command())
        assert {self.ticket(ticket)["status"] for ticket in self.command()[1:]} == {"archived"}


class NextInLane(Next):
    """`next` while lanes are counted: a place that a killed claim took is free for the next call."""

    name = "next-in-lane"
    kills_short = (2, 1)

    @override
    def prepare(self) -> tuple[str, ...]:
        if not self.number:
            config = self.clone / ".exo" / "config.yaml"
            lane = "{name: all, allowed_types: ['*'], count: 1}"
            config.write_text(config.read_text() + f"\nscheduler: {{enabled: true, lanes: [{lane}]}}\n")
            self.ok("ticket-edit", "TICKET-T3", "--note", "the settings are taken in")
        return super().prepare()


class Reflect(Story):
    """`reflect`: event and file, or neither; told once more it is counted once more."""

    name = "reflect"
    operation = "reflect"
    kills_short = (2, 1)

    @override
    def command(self) -> tuple[str, ...]:
        return ("reflect", "--pattern", f"Round {self.number}", "--insight", "look twice")

    @override
    def settle(self, killed: Ran) -> None:
        there = self._count()
        assert there in (0, 1)
        assert there == 1 or killed.exit != 0, "it was acknowledged and is lost"
        assert self.ok(*self.command())["reflection"]["count"] == there + 1
        assert f'"Round {self.number}"' in (self.clone / ".exo" / "LEARNINGS.md").read_text()

    def _count(self) -> int:
        """Return how often this round's pattern was recorded."""
        found = self.ok("reflections", "--limit", "1000")["items"]
        return sum(each["count"] for each in found if each["pattern"] == f"Round {self.number}")


TICKETS: Final = (Plan, Archive, NextInLane, Reflect)
