"""No operation touches the application: before and after every one of them, gone well and refused, all is the same.

HEAD, index bytes, branches, tags, other refs, reflogs, hooks, stash, settings and files; tests/support/application.py
says what is compared and names the settings that exo may add. What an operation may change is in `MOVES`.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from exo_sidecar.operations.parameters import parameters
from exo_sidecar.operations.registry import Operation, every
from tests.support.application import KEYS, application, changed, refs
from tests.support.inprocess import exo_in_process
from tests.support.process import Ran
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_shop

JANE: Final = ("--actor", "human:jane")
BOT: Final = ("--actor", "agent:bot")
EVENT: Final = "EVENT"
"""Stands for the name of the event that made T3."""
AT_WORK: Final = (("session-start", "--ticket-id", "T1"),)
TAKEN: Final = ("lease-takeover", "--ticket-id", "T2", "--force", "--reason", "gone", "--yes", *JANE)
PRE_PUSH: Final = ("--agent", "git", "--event", "pre-push", "--input")

MOVES: Final[Mapping[str, str]] = {
    # The hooks that it is for.
    "hook-install": r"git hooks/(pre-push|prepare-commit-msg|commit-msg)",
    # The branch that is pushed, there and as git remembers it here.
    "push": r"(ref refs|git logs/refs)/(heads|remotes/origin)/work",
    # The worktree that it makes, and its branch.
    "worktree-create": r"(ref refs|git logs/refs)/heads/exo/TICKET-T1|git worktrees/\S+",
}
"""What of the application an operation changes because that is what it is for: names in `application`'s answer."""


class Case(NamedTuple):
    """An operation, as it goes well and as it is refused."""

    good: tuple[str, ...]
    bad: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    """Commands that come first."""


CASES: Final[Mapping[str, Case]] = {
    "audit": Case((), ("--clone", "nobody")),
    "check": Case(("T1", "--list"), ("nothing",)),
    "completion": Case(("bash",), ("tcsh",)),
    "demo": Case(("--dry-run",), ("--keep", "/")),
    "doctor": Case((), ("--nonsense",)),
    "gc-locks": Case(("--yes",), ("--remote", "nowhere", "--yes")),
    "hook": Case((*PRE_PUSH, ""), (*PRE_PUSH, "nonsense")),
    "hook-install": Case((), ("--repo", ".exo")),
    "init": Case((), ("--remote", "nowhere")),
    "intent-create": Case(("Why", "--brain-dump", "why"), ("Why", "--brain-dump", " ")),
    "lease-heartbeat": Case(("--force-push",), ("--ticket-id", "T2"), AT_WORK),
    "lease-release": Case((), ("--ticket-id", "T2"), AT_WORK),
    "lease-renew": Case((), ("--ticket-id", "T2"), AT_WORK),
    "lease-takeover": Case(TAKEN[1:], ("--ticket-id", "T2", "--yes")),
    "leases": Case((), ("--ticket-id", "nothing")),
    "leases-move": Case(
        ("--mode", "branch", "--yes", *JANE),
        ("--remote", "nowhere", "--yes", *JANE),
        (TAKEN, ("lease-release", "--ticket-id", "T2", *JANE)),
    ),
    "next": Case((), ("--ticket-id", "T2")),
    "push": Case((), ("--branch", "nowhere"), AT_WORK),
    "redact": Case((EVENT, "--reason", "a secret", "--yes", *JANE), (EVENT, "--reason", "x", "--yes", *BOT)),
    "resolve": Case((), ("T1", "--field", "title", "--take", "ours", *JANE)),
    "session-finish": Case(("--summary", "done"), ("--summary", "done", "--set-status", "blocked"), AT_WORK),
    "session-start": Case(("--ticket-id", "T1"), ("--ticket-id", "T2")),
    "sidecar-compact": Case(("--reason", "long", "--yes", *JANE), ("--reason", " ", "--yes", *JANE)),
    "sidecar-init": Case((), ("--remote", "nowhere")),
    "sidecar-pull": Case((), ("--remote", "nowhere")),
    "sidecar-push": Case((), ("--remote", "nowhere")),
    "sidecar-repair": Case((), ("--actor", "robot:x")),
    "status": Case(("--remote-check",), ("--actor", "robot:x")),
    "sync": Case((), ("--remote", "nowhere")),
    "ticket-create": Case(("A task", "--parent", "INTENT-1"), ("A task", "--parent", "nothing")),
    "ticket-edit": Case(("T1", "--note", "noted"), ("T1", "--parent", "T1")),
    "ticket-list": Case((), ("--limit", "0")),
    "ticket-move": Case(("T1", "blocked", "--reason", "waits"), ("T1", "nowhere")),
    "ticket-show": Case(("T1",), ("nothing",)),
    "trust": Case(JANE, BOT),
    "worktree-create": Case(("--ticket-id", "T1", "--path", "../apart"), ("--ticket-id", "nothing")),
}
"""Every operation that is not here is run with the least that it can do without, and whatever it answers will do."""

OPERATIONS: Final = sorted(every(), key=lambda each: each.name)
IDS: Final = [each.name for each in OPERATIONS]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a hub and a governed clone in the middle of work; another clone holds T2."""
    folder = tmp_path_factory.mktemp("stage")
    shop = a_shop(folder, clones=2, tickets=3)
    shop.ok(1, "session-start", "--ticket-id", "T2", "--actor", "agent:other")
    shop.ok(0, "sync")
    clone = shop.clones[0].rename(folder / "work")
    git(clone, "remote", "set-url", "origin", "../hub.git")
    git(clone, "switch", "-q", "-c", "work")
    commit_files(clone, {"done.txt": "done\n", ".gitignore": "*.log\n"})
    git(clone, "tag", "v1")
    git(clone, "tag", "-a", "v2", "-m", "annotated")
    git(clone, "notes", "add", "-m", "a note")
    git(clone, "update-ref", "refs/custom/ref", "HEAD")
    write_files(clone, {"README.md": "stashed\n"})
    git(clone, "stash", "-q")
    write_files(clone, {"README.md": "staged\n", "src/app.py": "both\n", "new.txt": "not tracked\n", "x.log": "log\n"})
    git(clone, "add", "README.md", "src/app.py")
    write_files(clone, {"src/app.py": "and not staged\n"})
    (clone / ".git" / "hooks" / "post-commit").write_text("#!/bin/sh\nexit 0\n")
    git(clone, "config", "alias.st", "status")
    git(clone, "config", "core.commentChar", ";")
    return folder


class Scene(NamedTuple):
    """A copy of the stage, and how to ask what the application is like."""

    clone: Path
    hub: Path
    side: Path

    def exo(self, *words: str) -> Ran:
        """Run a command in the clone."""
        filled = [self.event() if word == EVENT else word for word in words]
        return exo_in_process(self.clone, *filled, "--json")

    def event(self) -> str:
        """Return the name of the event that made T3."""
        line = git(self.clone / ".exo", "grep", "-h", '"subject":"TICKET-T3","type":"ticket.created"', "--", "ledger")
        event = json.loads(line)
        return f"{event['clone']}:{event['seq']}"

    def application(self) -> dict[str, str]:
        """Return everything of the application: in the clone, its linked worktree and the hub."""
        here = application(self.clone, self.side)
        return {**here, **{f"hub: {name}": value for name, value in application(self.hub).items()}}

    def refs(self) -> dict[str, str]:
        """Return all refs, exo's too: of the clone and of the hub."""
        there = {f"hub: {name}": value for name, value in refs(self.hub).items()}
        return {**refs(self.clone), **there}


@pytest.fixture
def scene(stage: Path, tmp_path: Path) -> Scene:
    """Return a copy of the stage with a linked worktree, in which a merge stands still."""
    folder = shutil.copytree(stage, tmp_path / "scene", symlinks=True)
    clone, side = folder / "work", folder / "side"
    git(clone, "worktree", "add", "-q", "-b", "side", str(side), "main")
    (clone / ".git" / "worktrees" / "side" / "MERGE_HEAD").write_text(git(clone, "rev-parse", "work") + "\n")
    return Scene(clone, folder / "hub.git", side)


def words_of(operation: Operation) -> Case:
    """Return how the operation is called."""
    known = CASES.get(operation.name)
    if known is not None:
        return known
    least: list[str] = []
    for each in parameters(operation):
        if each.required:
            least += ["T1"] if each.positional else [each.flag, "T1"]
    return Case(tuple(least), (*least, "--nonsense"))


def unexpected(operation: Operation, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what changed and may not."""
    allowed = re.compile(MOVES.get(operation.name, "(?!)"))
    return [name for name in changed(before, after) if not allowed.fullmatch(name.removeprefix("hub: "))]


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_the_application_is_as_it_was(operation: Operation, scene: Scene) -> None:
    case = words_of(operation)
    for words in case.before:
        assert scene.exo(*words).exit == 0
    before, known = scene.application(), scene.refs()
    refused = scene.exo(operation.name, *case.bad)
    assert refused.exit not in {0, 3}, refused.out
    assert changed(before, scene.application()) == []
    if operation.dry_runs:
        shown = scene.exo(operation.name, *case.good, *(() if "--dry-run" in case.good else ("--dry-run",)))
        assert shown.exit != 3, shown.out
        assert changed(before, scene.application()) == []
        assert changed(known, scene.refs()) == []
    done = scene.exo(operation.name, *case.good)
    assert done.exit == 0 or (operation.name not in CASES and done.exit != 3), done.out
    assert unexpected(operation, before, scene.application()) == []
    if operation.reads_only:
        assert changed(known, scene.refs()) == []


def test_what_may_be_moved_is_moved(scene: Scene) -> None:
    before = scene.application()
    for words in (*AT_WORK, ("push",), ("hook-install",)):
        assert scene.exo(*words).exit == 0
    moved = changed(before, scene.application())
    assert {"hub: ref refs/heads/work", "ref refs/remotes/origin/work", "git hooks/pre-push"} <= set(moved)


def test_what_init_adds_is_what_is_documented_and_it_keeps_what_is_there(tmp_path: Path) -> None:
    shop: Shop = a_shop(tmp_path, clones=2, tickets=1)
    fresh = tmp_path / "fresh"
    git(tmp_path, "clone", "-q", str(shop.hub), str(fresh))
    write_files(fresh / ".git", {"info/exclude": "mine"})
    git(fresh, "config", "transfer.fsckObjects", "false")
    before = application(fresh)
    config = git(fresh, "config", "--local", "--list").splitlines()
    assert exo_in_process(fresh, "init").exit == 0
    assert changed(before, application(fresh)) == []
    added = set(git(fresh, "config", "--local", "--list").splitlines()) - set(config)
    assert {line.partition("=")[0] for line in added} <= set(KEYS)
    assert len(added) == 3
    assert git(fresh, "config", "transfer.fsckObjects") == "false"
    assert (fresh / ".git" / "info" / "exclude").read_text() == "mine\n/.exo\n"


def test_every_case_is_of_an_operation_that_exists() -> None:
    assert CASES.keys() <= set(IDS)
    assert MOVES.keys() <= CASES.keys()
