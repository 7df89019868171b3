"""Fetch and push over every transport that this machine can serve: one suite, C git on the other side."""

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from exo_sidecar.git.fetch import advertised, fetch
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import OK, Update, push
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from tests.support.leasing import a_daemon, has_daemon
from tests.support.repositories import a_hub, a_repository, commit_files, git
from tests.support.webserver import a_webserver, has_http_backend

MAIN = "refs/heads/main"
SSH = """#!/bin/sh
echo "$@" >>{log}
while [ "$1" != -- ]; do shift; done
shift 2
exec sh -c "$1"
"""
TRANSPORTS = ("path", "file", "daemon", "http", "ssh")


class Line(NamedTuple):
    """A hub, and a clone of nothing that is connected to it."""

    hub: Path
    top: Path
    repository: Repository
    remote: Remote


@pytest.fixture(params=TRANSPORTS)
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    """A hub with one commit, and an unrelated repository that reaches it."""
    hub, top = a_hub(tmp_path), a_repository(tmp_path, "top", {})
    with contextlib.ExitStack() as stack:
        match request.param:
            case "daemon":
                if not has_daemon():
                    pytest.skip("this git comes without its daemon")
                url = stack.enter_context(a_daemon(tmp_path)) + "/hub.git"
            case "http":
                if not has_http_backend():
                    pytest.skip("this git comes without http-backend")
                url = stack.enter_context(a_webserver(tmp_path))[0] + "/hub.git"
            case "ssh":
                url = f"ssh://git@localhost:2222{hub}"
                _ssh(tmp_path, top)
            case "file":
                url = f"file://{hub}"
            case _:
                url = str(hub)
        repository = stack.enter_context(Repository(locate(top)))
        yield Line(hub, top, repository, Remote("origin", url))


def _ssh(folder: Path, top: Path) -> Path:
    """Make `top` use a program as ssh that runs the command here; return its log."""
    script, log = folder / "ssh", folder / "ssh.log"
    script.write_text(SSH.format(log=log))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    git(top, "config", "core.sshCommand", str(script))
    return log


def test_refs_are_listed_by_prefix(line: Line) -> None:
    git(line.hub, "update-ref", "refs/exo/leases/X-1", "HEAD")
    tip = git(line.hub, "rev-parse", "HEAD")
    assert advertised(line.repository, line.remote, ["refs/exo/"]) == {"refs/exo/leases/X-1": tip}
    assert advertised(line.repository, line.remote, ["refs/heads/main", "refs/none/"]) == {MAIN: tip}


def test_a_fetch_brings_what_was_asked_for_and_writes_no_ref(line: Line) -> None:
    fetched = fetch(line.repository, line.remote, lambda refs: [refs[MAIN]], [MAIN])
    assert fetched.objects_received
    git(line.top, "update-ref", MAIN, fetched.refs[MAIN])
    git(line.top, "fsck", "--strict", "--connectivity-only")
    assert git(line.top, "show", "main:README.md") == "# Example"
    assert not (line.top / ".git" / "FETCH_HEAD").exists()
    assert not (line.top / ".git" / "shallow").exists()


def test_a_fetch_of_nothing_ends_after_the_refs(line: Line) -> None:
    fetched = fetch(line.repository, line.remote, lambda _refs: [], [MAIN])
    assert not fetched.objects_received
    assert list(fetched.refs) == [MAIN]


def test_a_large_fetch_lands_as_a_pack_and_a_small_one_after_it_is_incremental(line: Line) -> None:
    source = line.hub.parent / "hub.git.source"
    git(source, "remote", "add", "hub", str(line.hub))
    commit_files(source, {f"folder/{number}": f"{number}\n" for number in range(150)})
    git(source, "push", "-q", "hub", "main")
    first = fetch(line.repository, line.remote, lambda refs: [refs[MAIN]], [MAIN])
    git(line.top, "update-ref", MAIN, first.refs[MAIN])
    packs = list((line.top / ".git" / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 1
    tip = commit_files(source, {"folder/7": "seven\n"})
    git(source, "push", "-q", "hub", "main")
    fetch(line.repository, line.remote, lambda refs: [refs[MAIN]], [MAIN])
    assert line.repository.objects.contains(Oid(tip))
    assert list((line.top / ".git" / "objects" / "pack").glob("*.pack")) == packs
    git(line.top, "update-ref", MAIN, tip)
    git(line.top, "fsck", "--strict")
    assert len(list((line.top / ".git" / "objects").glob("??/*"))) == 4


def test_a_push_sends_what_the_server_lacks(line: Line) -> None:
    fetched = fetch(line.repository, line.remote, lambda refs: [refs[MAIN]], [MAIN])
    git(line.top, "update-ref", MAIN, fetched.refs[MAIN])
    git(line.top, "reset", "-q", "--hard")
    tip = Oid(commit_files(line.top, {"deep/er/new": "new\n", "README.md": "changed\n"}))
    pushed = push(line.repository, line.remote, lambda _refs: [Update(MAIN, tip)], atomic=True)
    assert (pushed.status, pushed.sent, pushed.atomic) == ({MAIN: OK}, True, True)
    assert git(line.hub, "rev-parse", MAIN) == tip
    git(line.hub, "fsck", "--strict")


def test_a_push_expects_the_value_that_it_was_shown(line: Line) -> None:
    tip = Oid(commit_files(line.top, {"new": "new\n"}))
    other = git(line.hub, "commit-tree", "-m", "other", "HEAD^{tree}")

    def decide(refs: dict[str, Oid]) -> list[Update]:
        assert MAIN in refs
        git(line.hub, "update-ref", MAIN, other)
        return [Update(MAIN, tip), Update("refs/heads/new", tip)]

    pushed = push(line.repository, line.remote, decide, atomic=True)
    assert pushed.status[MAIN].startswith("refused: ")
    assert pushed.status["refs/heads/new"].startswith("refused: ")
    assert git(line.hub, "rev-parse", MAIN) == other
    assert git(line.hub, "for-each-ref", "refs/heads/new") == ""


def test_a_ref_is_made_and_removed_and_deciding_nothing_sends_nothing(line: Line) -> None:
    tip = Oid(commit_files(line.top, {"new": "new\n"}))
    assert push(line.repository, line.remote, lambda _refs: [Update("refs/exo/x", tip)], atomic=False).sent
    nothing = push(line.repository, line.remote, lambda _refs: [], atomic=False)
    assert (nothing.sent, nothing.status, nothing.advertised["refs/exo/x"]) == (False, {}, tip)
    same = push(line.repository, line.remote, lambda _refs: [Update("refs/exo/x", tip)], atomic=False)
    assert (same.sent, same.status) == (False, {"refs/exo/x": OK})
    gone = push(line.repository, line.remote, lambda _refs: [Update("refs/exo/x", None)], atomic=False)
    assert gone.status == {"refs/exo/x": OK}
    assert git(line.hub, "for-each-ref", "refs/exo") == ""


def test_an_error_of_the_deciding_function_passes_unchanged_and_changes_nothing(line: Line) -> None:
    before = git(line.hub, "for-each-ref")

    def decide(_refs: dict[str, Oid]) -> list[Update]:
        message = "mine"
        raise KeyError(message)

    with pytest.raises(KeyError, match="mine"):
        push(line.repository, line.remote, decide, atomic=True)
    with pytest.raises(KeyError, match="mine"):
        fetch(line.repository, line.remote, lambda refs: [refs["mine"]], [MAIN])
    assert git(line.hub, "for-each-ref") == before
