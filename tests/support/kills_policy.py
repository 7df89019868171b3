"""What is killed of the policy: a compile and a seal, each there whole or not at all, and a start that seals anew."""
# ruff: noqa: D102 - what an overriding method does is said by Story

from typing import Final

from exo_sidecar.base.override import override
from exo_sidecar.model import policy as policies
from exo_sidecar.model.policy import LOCK_FILE, SEAL_FILE, Lock, Seal
from exo_sidecar.store.governed import DEFAULT_BRANCH
from tests.support.kills import Story
from tests.support.process import Ran
from tests.support.repositories import git

ANN: Final = ("--actor", "human:ann")


class _Governing(Story):
    """Stories that begin with another rule in the constitution."""

    kills_short = (2, 1)

    def lock(self) -> Lock:
        return policies.read((self.clone / ".exo" / LOCK_FILE).read_bytes(), Lock)

    def seal(self) -> Seal:
        return policies.read((self.clone / ".exo" / SEAL_FILE).read_bytes(), Seal)

    def legislate(self) -> None:
        """Add the rule of this round."""
        file = self.clone / ".exo" / "CONSTITUTION.md"
        rule = f"id: KILL-{self.number}\ntype: patch_first\npatterns: [docs/{self.number}/**]\n"
        file.write_text(f"{file.read_text()}\n### Round {self.number}\n\n```yaml exo-policy\n{rule}```\n")

    def has_rule(self, found: Lock | Seal) -> bool:
        return f"KILL-{self.number}" in {rule.id for rule in found.rules}


class Build(_Governing):
    """`build-governance`."""

    name = "build-governance"
    operation = "build-governance"

    @override
    def prepare(self) -> tuple[str, ...]:
        self.number += 1
        self.legislate()
        return self.command()

    @override
    def command(self) -> tuple[str, ...]:
        return ("build-governance", *ANN)

    @override
    def settle(self, killed: Ran) -> None:
        assert self.has_rule(self.lock()) or killed.exit != 0
        self.again(*self.command())
        assert self.has_rule(self.lock())
        self.again("compose", *ANN)
        assert self.seal().lock == self.lock().digest
        assert self.again(*self.command()).data["changed"] is False


class Seals(_Governing):
    """`compose`, of a constitution that was compiled before."""

    name = "compose"
    operation = "compose"

    @override
    def prepare(self) -> tuple[str, ...]:
        self.number += 1
        self.legislate()
        self.ok("build-governance", *ANN)
        return self.command()

    @override
    def command(self) -> tuple[str, ...]:
        return ("compose", *ANN)

    @override
    def settle(self, killed: Ran) -> None:
        # A kill between the branch's move and the file's leaves the old file: the branch says what has happened.
        done = f'"KILL-{self.number}"' in git(self.clone, "show", f"{DEFAULT_BRANCH}:{SEAL_FILE}")
        assert done or killed.exit != 0
        answer = self.again(*self.command()).data
        assert answer["verdict_before"] == ("ok" if done else "stale")
        assert self.has_rule(self.seal())
        assert self.seal().lock == self.lock().digest


POLICY: Final = (Build, Seals)
