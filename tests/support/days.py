"""A short working day in one checkout: what every shape of repository has to allow, and has to leave alone."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.mark import ParameterSet

from exo_sidecar.git.locate import locate, mount_of
from tests.support.application import application, changed
from tests.support.inprocess import exo_in_process
from tests.support.repositories import git

ACTOR: Final = ("--actor", "agent:ada", "--json")
NOTHING: Final[Mapping[str, str]] = {}


def ok(place: Path, *words: str, env: Mapping[str, str] = NOTHING) -> Any:  # noqa: ANN401 - JSON
    """Run a command that must go well and return its data."""
    ran = exo_in_process(place, *words, *ACTOR, env=env)
    assert ran.exit == 0, f"{words}: {ran.out}{ran.err}"
    return ran.data


def refused(place: Path, *words: str, env: Mapping[str, str] = NOTHING) -> Any:  # noqa: ANN401 - JSON
    """Run a command that must be refused and return its error, with the exit status in it."""
    ran = exo_in_process(place, *words, *ACTOR, env=env)
    assert ran.exit != 0, ran.out
    return {**ran.answer["error"], "exit": ran.exit}


def a_day(place: Path, *others: Path, env: Mapping[str, str] = NOTHING) -> str:
    """Govern, plan, claim, work, bring together, finish and verify in `place`; return the ticket that was done.

    `others` are further worktrees. The application is as it was at the end, and the mount is clean.
    """
    before = application(place, *others)
    ok(place, "init", env=env)
    ticket = a_morning(place, env=env)
    an_evening(place, env=env)
    assert changed(before, application(place, *others)) == []
    return ticket


def a_morning(place: Path, *, env: Mapping[str, str] = NOTHING) -> str:
    """Plan a ticket, claim it and begin; return it."""
    intent = ok(place, "intent-create", "Why", "--brain-dump", "why", env=env)["id"]
    ticket = str(ok(place, "ticket-create", "A task", "--parent", intent, "--priority", "1", env=env)["id"])
    ok(place, "next", "--ticket-id", ticket, env=env)
    started = ok(place, "session-start", env=env)
    assert started["ticket"]["id"] == ticket
    return ticket


def an_evening(place: Path, *, env: Mapping[str, str] = NOTHING) -> None:
    """Look, bring together, finish and verify."""
    ok(place, "status", env=env)
    if git(place, "remote"):
        ok(place, "sync", env=env)
    ok(place, "session-finish", "--summary", "what was done", env=env)
    assert ok(place, "audit", env=env)["verdict"] == "pass"
    assert_clean(place)


def assert_clean(place: Path) -> None:
    """The mount is as the branch has it, and git finds nothing wrong."""
    mount = mount_of(locate(place).common)
    assert mount is not None
    assert git(mount, "--no-optional-locks", "status", "--porcelain") == ""
    assert "error" not in git(place, "fsck", "--no-dangling")


def a_word(place: Path) -> None:
    """Write something that is no session's, and look whether all is well: the least that shows that exo goes on."""
    ok(place, "ticket-edit", "TICKET-001", "--note", "noted")
    assert ok(place, "status")["initialized"] is True
    assert_clean(place)


def a_second_day(place: Path, *, env: Mapping[str, str] = NOTHING) -> str:
    """Do another ticket in a clone that is governed already; return it."""
    ticket = a_morning(place, env=env)
    an_evening(place, env=env)
    return ticket


def hinted(hint: str) -> list[str]:
    """Return the words of the git command that a hint names, up to the semicolon."""
    return shlex.split(hint.partition("git ")[2].partition(";")[0])


def rows(table: Mapping[str, Any], *quick: str) -> list[ParameterSet]:
    """Return the rows of a table as parameters of a test; all but the quick ones are for the long run."""
    return [pytest.param(row, id=name, marks=() if name in quick else pytest.mark.long) for name, row in table.items()]
