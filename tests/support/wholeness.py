"""Whether a governed clone is whole: what every test asserts after a fault, whatever the fault was."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.clones import BRANCH
from tests.support.forked import Forks
from tests.support.repositories import git


class Left(NamedTuple):
    """What a killed process left behind: in the middle of what it was."""

    transaction: bool
    """A commit was about to be put on the branch, or was there and not finished."""
    lease: bool
    """A lease's new value was sent or about to be."""
    claim: bool
    """It was asking for a lease, or had just got one."""


def left_in(clone: Path) -> Left:
    """Return what is left in a clone, before anybody heals it."""
    folder = clone / ".git" / "exo"
    claiming = any(b'"claiming"' in path.read_bytes() for path in (folder / "sessions").glob("SES-*.json"))
    return Left((folder / "pending").exists(), any((folder / "intents").glob("*.json")), claiming)


def check_whole(clone: Path) -> None:
    """Assert that nothing is half-way: clean for git, sound for fsck, no lock and no temporary file."""
    changed, unsound = git(clone / ".exo", "status", "--porcelain"), git(clone, "fsck", "--strict", "--no-dangling")
    assert (changed, unsound) == ("", ""), changed + unsound
    left, trash = left_in(clone), litter(clone / ".git")
    assert (left, trash) == (Left(transaction=False, lease=False, claim=False), []), (left, trash)


def litter(folder: Path) -> list[str]:
    """Return the locks below a git directory that are held by being there, and proofs of locks.

    The kernel's locks (below `exo/`) stay; hidden temporary files, those of objects and of turns block nobody.
    """
    found: list[str] = []
    for path in (*folder.rglob("*.lock"), *folder.rglob("*.tmp")):
        relative = path.relative_to(folder)
        of_the_kernel = relative.parts[0] == "exo" and path.suffix == ".lock"
        of_a_turn = relative.parts[:2] == ("exo", "turns")
        if not (of_the_kernel or of_a_turn or path.name.startswith(".") or relative.parts[0] == "objects"):
            found.append(str(relative))
    return sorted(found)


def check_audit(server: Forks, clone: Path) -> None:
    """Assert that the records verify."""
    ran = server.run(clone, "audit", "--json")
    assert ran.exit == 0, ran.out + ran.err


def ledger(clone: Path) -> frozenset[str]:
    """Return every ledger line at the branch tip, with the file it stands in: what may never get lost."""
    text = git(clone, "grep", "-h", "--full-name", "-e", "^", BRANCH, "--", "ledger") if _has_ledger(clone) else ""
    return frozenset(text.splitlines())


def operations(clone: Path, since: str) -> list[str]:
    """Return the subjects of the commits on the branch after `since`, merges aside, the oldest first."""
    text = git(clone, "log", "--no-merges", "--reverse", "--format=%s", f"{since}..{BRANCH}")
    return text.splitlines()


def tip(clone: Path) -> str:
    """Return the commit of the governance branch."""
    return git(clone, "rev-parse", BRANCH)


def leases_held(server: Forks, clone: Path) -> dict[str, Any]:
    """Return the leases that are held, by ticket, as the authority shows them."""
    ran = server.run(clone, "leases", "--json")
    assert ran.exit == 0, ran.out + ran.err
    return {item["ticket"]: item for item in ran.data["items"] if item["state"] == "held"}


def code_of(out: str) -> str:
    """Return the code of the error on a command's stdout."""
    return str(json.loads(out)["error"]["code"])


def lost(before: Iterable[str], after: Iterable[str]) -> set[str]:
    """Return what was there and is not any more."""
    return set(before) - set(after)


def _has_ledger(clone: Path) -> bool:
    return bool(git(clone, "ls-tree", "--name-only", BRANCH, "ledger"))
