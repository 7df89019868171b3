"""What is killed, of sessions that pause and hand on: the work is in the checkout or in its ref, never nowhere."""
# ruff: noqa: D102 - what an overriding method does is said by Story

from typing import Final

from exo_sidecar.base.override import override
from tests.support.kills import TICKET, Story, Working
from tests.support.process import Ran
from tests.support.repositories import git, write_files
from tests.support.wholeness import leases_held

_TRACKED: Final = "README.md"
_NEW: Final = "notes/new.txt"


class _WithWork(Working):
    """A session with changed files: one staged and changed again, one that git does not know yet."""

    def begin(self) -> None:
        """Start, and change files."""
        self.session = self.ok("session-start", "--ticket-id", TICKET)["session"]["id"]
        self.work = {_TRACKED: f"round {self.number + 1}\n", _NEW: f"new {self.number + 1}\n"}
        write_files(self.clone, {_TRACKED: "staged\n"})
        git(self.clone, "add", _TRACKED)
        write_files(self.clone, self.work)

    def check_nothing_lost(self) -> None:
        """Assert that each changed file is in the checkout, or in the commit that the session's ref names."""
        ref = f"refs/exo/saved/{self.session}"
        is_saved = bool(git(self.clone, "for-each-ref", ref))
        for name, text in self.work.items():
            path = self.clone / name
            here = path.exists() and path.read_text() == text
            assert here or (is_saved and git(self.clone, "show", f"{ref}:{name}") + "\n" == text), name

    def check_back(self) -> None:
        """Assert that the checkout has all of the work, and that no ref holds it any more."""
        assert {name: (self.clone / name).read_text() for name in self.work} == self.work
        assert git(self.clone, "status", "--porcelain", "-uall") == f"MM {_TRACKED}\n?? {_NEW}"
        assert git(self.clone, "show", f":{_TRACKED}") == "staged"
        assert git(self.clone, "for-each-ref", "refs/exo/saved") == ""

    def clean_up(self) -> None:
        """End the session, and leave a clean checkout to the next story."""
        self.ok("session-finish", "--summary", "done", "--set-status", "todo")
        git(self.clone, "reset", "-q", "--hard")
        git(self.clone, "clean", "-qfd")
        self.end()


class Suspend(_WithWork):
    """`session-suspend --stash`: after it the same command again, then the work comes back."""

    name = "session-suspend"
    operation = "session-suspend"
    kills_short = (1, 0)

    @override
    def prepare(self) -> tuple[str, ...]:
        self.begin()
        return super().prepare()

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-suspend", "--reason", f"round {self.number}", "--stash")

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        self.check_nothing_lost()
        self.again(*self.command(), already=["SESSION_NOT_ACTIVE"])
        self.check_nothing_lost()
        assert git(self.clone, "status", "--porcelain", "-uall") == ""
        assert self.ticket()["status"] == "paused"
        self.ok("sync")
        assert leases_held(self.server, self.clone) == {}
        assert self.ok("session-resume", "--pop-stash")["session"]["id"] == self.session
        self.check_back()
        self.clean_up()


class Resume(_WithWork):
    """`session-resume --pop-stash`: after it the same command again."""

    name = "session-resume"
    operation = "session-resume"
    kills_short = (1, 0)

    @override
    def prepare(self) -> tuple[str, ...]:
        self.begin()
        self.ok("session-suspend", "--reason", "r", "--stash")
        return super().prepare()

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-resume", "--pop-stash")

    @override
    def settle(self, killed: Ran) -> None:
        assert killed.exit in {0, -9}
        self.check_nothing_lost()
        found = self.again(*self.command()).data
        assert found["session"]["id"] == self.session
        self.check_back()
        assert [*leases_held(self.server, self.clone)] == [TICKET]
        assert self.ticket()["status"] == "active"
        self.clean_up()


class Handoff(Working):
    """`session-handoff`: the one that it names takes it up, once, in another clone."""

    name = "session-handoff"
    operation = "session-handoff"
    kills_short = (1, 0)

    @override
    def prepare(self) -> tuple[str, ...]:
        self.session = self.ok("session-start", "--ticket-id", TICKET)["session"]["id"]
        return super().prepare()

    @override
    def command(self) -> tuple[str, ...]:
        return ("session-handoff", "--to", "agent:other", "--summary", f"round {self.number}")

    @override
    def settle(self, killed: Ran) -> None:
        ran = self.again(*self.command(), already=["SESSION_NOT_ACTIVE"])
        assert ran.exit == 0 or killed.exit in {0, -9}
        if ran.exit != 0:
            self.ok("sync")
        assert self.ticket()["status"] == "paused"
        other, actor = self.shop.clones[1], ("--actor", "agent:other")
        taken = self.ok("session-start", "--ticket-id", TICKET, *actor, clone=other)
        assert taken["handoff"]["content"]["summary"] == f"round {self.number}"
        assert taken["handoff"]["session"] == self.session
        self.ok("session-finish", "--summary", "done", "--set-status", "todo", *actor, clone=other)
        self.ok("sync")
        self.end()


SESSIONS: Final[tuple[type[Story], ...]] = (Suspend, Resume, Handoff)
