"""What is killed, of sessions beside others: one in its own worktree, one that looks on, one that ends a dead one."""
# ruff: noqa: D102 - what an overriding method does is said by Story

from pathlib import Path
from typing import Final

from exo_sidecar.base.override import override
from tests.support.kills import TICKET, Story, Working
from tests.support.process import Ran
from tests.support.repositories import git
from tests.support.silent import silence
from tests.support.wholeness import leases_held


class StartApart(Working):
    """`session-start --branch worktree`: after it the same command again; one worktree, one session."""

    name = "session-start-apart"
    operation = "session-start"
    kills_short = (1, 1)

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-start", "--ticket-id", TICKET, "--branch", "worktree")

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        found = self.again(*self.command()).data
        folder = Path(found["worktree"])
        assert git(folder, "status", "--porcelain", "--branch") == f"## exo/{TICKET}"
        assert leases_held(self.server, self.clone)[TICKET]["holder"]["session"] == found["session"]["id"]
        assert [each["path"] for each in self.ok("worktrees")["items"]] == [str(folder)]
        self.ok("session-finish", "--summary", "done", "--set-status", "todo", clone=folder)
        self.ok("worktree-remove", str(folder), "--delete-branch", "--yes")
        self.end()


class Audit(Working):
    """`session-audit`: one that began once, or not at all."""

    name = "session-audit"
    operation = "session-audit"
    kills_short = (1, 0)

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-audit", "--ticket-id", TICKET)

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        found = self.again(*self.command()).data
        assert [each["id"] for each in self.ok("session-scan")["items"]] == [found["session"]["id"]]
        assert self.ok("session-finish", "--summary", "seen")["mode"] == "audit"
        self.ok("sync")
        self.end()


class Cleanup(Working):
    """`session-cleanup`: after it the same command again; the session has ended, and its lease is given back."""

    name = "session-cleanup"
    operation = "session-cleanup"
    kills_short = (1, 1)

    @override
    def prepare(self) -> tuple[str, ...]:
        self.session = self.ok("session-start", "--ticket-id", TICKET)["session"]["id"]
        silence(self.shop, self.session, 60)
        return super().prepare()

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-cleanup", "--yes")

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        self.again(*self.command())
        self.ok("sync")
        whole = self.ok("session-scan", self.session)["session"]
        assert (whole["session"]["status"], self.ticket()["status"]) == ("finished", "todo")
        assert "no sign of life" in whole["evicted"]
        self.end()


BESIDE: Final[tuple[type[Story], ...]] = (StartApart, Audit, Cleanup)
