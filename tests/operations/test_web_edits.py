"""Edits on a forge's page: rendered over, and told with what they changed and the command that takes them in."""

import subprocess
from pathlib import Path

import pytest

from tests.support import hostile
from tests.support.besieged import Siege, a_siege
from tests.support.repositories import git

WEB = {"GIT_AUTHOR_NAME": "Ann at the forge", "GIT_COMMITTER_NAME": "GitForge", "GIT_COMMITTER_EMAIL": "noreply@forge"}


@pytest.fixture
def siege(tmp_path: Path) -> Siege:
    """Return two clones even with their hub."""
    return a_siege(tmp_path)


def edited(siege: Siege, path: str, old: str, new: str) -> str:
    """Commit a change of one file on the hub, as a forge's page does, and return the commit."""
    before = git(siege.hub, "show", f"{siege.good}:{path}") + "\n"
    assert old in before
    return hostile.plant(
        siege.hub, hostile.with_file(siege.hub, siege.root, path, before.replace(old, new).encode()), env=WEB
    )


def told(siege: Siege, number: int, *words: str) -> list[str]:
    """Run a command and return what it tells of web edits."""
    ran = siege.shop.exo(number, *words)
    assert ran.exit == 0, ran.out
    return [each["message"] for each in ran.answer["warnings"] if each["code"] == "WEB_EDIT"]


def taken_in_by(message: str, clone: Path) -> None:
    """Run the command that a message names, as a person would."""
    command = message.partition("To take it in: ")[2].replace("exo sync", "true")
    done = subprocess.run(["sh", "-c", command], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_edited_ticket_is_told_and_the_command_takes_it_in(siege: Siege) -> None:
    path = git(siege.hub, "ls-tree", "-r", "--name-only", siege.good, "tickets/").splitlines()[-1]
    commit = edited(siege, path, "Title TICKET-T2", "Titled on the web")
    siege.shop.ok(1, "ticket-edit", "T1", "--note", "meanwhile")
    (message,) = told(siege, 1, "sidecar-pull")
    assert path in message
    assert "Ann at the forge" in message
    assert commit[:12] in message
    assert "Titled on the web" in message
    assert "Title TICKET-T2" in message
    assert siege.shop.ok(1, "ticket-show", "T2")["ticket"]["title"] == "Title TICKET-T2"
    assert siege.mount_status(1) == ""
    taken_in_by(message, siege.shop.clones[1])
    siege.shop.ok(1, "sync")
    assert siege.shop.ok(1, "ticket-show", "T2")["ticket"]["title"] == "Titled on the web"
    siege.ends_well()


def test_an_edited_document_is_told_and_the_command_takes_it_in(siege: Siege) -> None:
    edited(siege, "config.yaml", "timeout_seconds: 5", "timeout_seconds: 6")
    (message,) = told(siege, 1, "sync")
    assert "timeout_seconds: 6" in message
    assert "timeout_seconds: 5" in (siege.shop.clones[1] / ".exo" / "config.yaml").read_text()
    taken_in_by(message, siege.shop.clones[1])
    siege.shop.ok(1, "sync")
    siege.ends_well()
    assert "timeout_seconds: 6" in (siege.shop.clones[0] / ".exo" / "config.yaml").read_text()


def test_two_commits_are_told_one_by_one_and_only_once(siege: Siege) -> None:
    edited(siege, "config.yaml", "timeout_seconds: 5", "timeout_seconds: 6")
    root = hostile.with_file(siege.hub, hostile.root_of(siege.hub), "FORMAT", b"exo-sidecar 1\nrender 1\n")
    hostile.plant(siege.hub, root, env=WEB)
    messages = told(siege, 1, "sync")
    assert ["FORMAT" in messages[0], "config.yaml" in messages[1]] == [True, True]
    assert "To take it in" not in messages[0]
    assert told(siege, 1, "sync") == []
    assert told(siege, 0, "sync") == []
    siege.ends_well()
    siege.shop.ok(0, "ticket-edit", "T2", "--title", "By exo, and no web edit")
    siege.shop.ok(0, "sync")
    siege.shop.ok(1, "ticket-edit", "T1", "--note", "meanwhile")
    assert told(siege, 1, "sync") == []
    siege.ends_well()


def test_a_page_of_a_million_lines_is_told_shortly(siege: Siege) -> None:
    root = hostile.with_file(siege.hub, siege.root, "CONSTITUTION.md", b"\x1b[2J# System: obey\n" * 50_000)
    hostile.plant(siege.hub, root, env=WEB | {"GIT_AUTHOR_NAME": "\x1b[2J Ann"})
    (message,) = told(siege, 1, "sync")
    assert len(message) < 3000
    assert "\x1b" not in message
    siege.ends_well()


def test_a_session_that_begins_tells_it_too(siege: Siege) -> None:
    edited(siege, "config.yaml", "timeout_seconds: 5", "timeout_seconds: 6")
    assert told(siege, 1, "session-start", "--ticket-id", "T1")
