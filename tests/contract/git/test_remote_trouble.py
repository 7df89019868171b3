"""What goes wrong with a remote is named in our words, within the time limit, and without a secret."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.git import cgit
from exo_sidecar.git.fetch import advertised, fetch
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import OK, UNKNOWN, Update, push
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import RemoteDenied, RemoteUnreachable, RepositoryUnsupported, TimedOut
from tests.support.repositories import a_clone, a_hub, a_repository, commit_files, git
from tests.support.webserver import a_webserver, has_http_backend

LIMIT_SECONDS = 0.4
PATIENCE_SECONDS = 5.0
"""Far above the limit, for a busy machine; far below the minute that the silent server would take."""
SILENT = "#!/bin/sh\nexec sleep 60\n"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """An ordinary repository."""
    with Repository(locate(a_repository(tmp_path, "top"))) as opened:
        yield opened


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("scheme", ["git", "http", "ssh"])
def test_a_server_that_never_answers_is_given_up_within_the_limit(
    repository: Repository, tmp_path: Path, scheme: str
) -> None:
    git(tmp_path / "top", "config", "core.sshCommand", str(_script(tmp_path / "ssh", SILENT)))
    with socket.create_server(("127.0.0.1", 0)) as silent, _within(PATIENCE_SECONDS):
        remote = Remote("origin", f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/hub.git")
        with pytest.raises(TimedOut, match=r"origin did not answer within 0\.4 s") as caught:
            advertised(repository, remote, ["refs/"], timeout_seconds=LIMIT_SECONDS)
        assert (caught.value.code, caught.value.exit_status) == ("TIMEOUT", 8)
        with pytest.raises(TimedOut):
            push(repository, remote, lambda _refs: [], atomic=True, timeout_seconds=LIMIT_SECONDS)


def test_a_hub_on_this_machine_that_hangs_is_killed_and_the_outcome_called_unknown(
    repository: Repository, tmp_path: Path
) -> None:
    hub = a_hub(tmp_path)
    _script(hub / "hooks" / "pre-receive", SILENT)
    tip = repository.refs.read("refs/heads/main")
    with _within(PATIENCE_SECONDS):
        pushed = push(
            repository,
            Remote("origin", str(hub)),
            lambda _refs: [Update("refs/heads/new", tip)],
            atomic=True,
            timeout_seconds=LIMIT_SECONDS,
        )
    assert (pushed.sent, pushed.status) == (True, {"refs/heads/new": UNKNOWN})
    assert isinstance(pushed.trouble, TimedOut)


def test_a_server_that_keeps_talking_is_not_silent(repository: Repository, tmp_path: Path) -> None:
    """Many short pauses make a long answer, and only one long pause makes a silent server."""
    hub = a_hub(tmp_path)
    talk = "for i in 1 2 3 4 5 6; do echo still here >&2; sleep 0.2; done"
    _script(hub / "hooks" / "pre-receive", f"#!/bin/sh\n{talk}\n")
    tip = repository.refs.read("refs/heads/main")
    pushed = push(
        repository,
        Remote("origin", str(hub)),
        lambda _refs: [Update("refs/heads/new", tip)],
        atomic=True,
        timeout_seconds=0.8,
    )
    assert pushed.status == {"refs/heads/new": OK}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/nowhere/hub.git", "does not appear to be a git repository"),
        ("git://127.0.0.1:1/hub.git", "refused"),
        ("http://jane:secret@127.0.0.1:1/hub.git", "refused"),
    ],
)
def test_a_remote_that_is_not_there_is_unreachable(repository: Repository, url: str, words: str) -> None:
    with pytest.raises(RemoteUnreachable) as caught:
        advertised(repository, Remote("origin", url), ["refs/"], timeout_seconds=PATIENCE_SECONDS)
    assert (caught.value.code, caught.value.exit_status) == ("REMOTE_UNREACHABLE", 8)
    assert "origin" in caught.value.message
    assert words in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-x\r\n", b"zzzz", b"0009x\n\x00\x01\x02", b"000eERR nope\n"])
def test_a_server_that_does_not_speak_git_is_unreachable(repository: Repository, tmp_path: Path, reply: bytes) -> None:
    (tmp_path / "reply").write_bytes(reply)
    git(
        tmp_path / "top",
        "config",
        "core.sshCommand",
        str(_script(tmp_path / "ssh", f"#!/bin/sh\ncat {tmp_path}/reply\n")),
    )
    remote = Remote("origin", "ssh://localhost/hub.git")
    with pytest.raises(RemoteUnreachable):
        advertised(repository, remote, ["refs/"])
    with pytest.raises(RemoteUnreachable):
        push(repository, remote, lambda _refs: [Update("refs/x/y", None)], atomic=True)


def test_what_ssh_says_is_quoted_without_control_characters(repository: Repository, tmp_path: Path) -> None:
    text = "#!/bin/sh\nprintf 'git@x: Permission denied (publickey).\\033[2J\\n' >&2\nexit 255\n"
    git(tmp_path / "top", "config", "core.sshCommand", str(_script(tmp_path / "ssh", text)))
    with pytest.raises(RemoteDenied, match="Permission denied") as caught:
        advertised(repository, Remote("origin", "ssh://localhost/hub.git"), ["refs/"])
    assert "\033" not in caught.value.message


def test_ssh_is_told_never_to_ask_and_gets_no_option_from_the_address(repository: Repository, tmp_path: Path) -> None:
    log = tmp_path / "words"
    git(
        tmp_path / "top",
        "config",
        "core.sshCommand",
        str(_script(tmp_path / "ssh", f'#!/bin/sh\nprintf "%s\\n" "$@" >{log}\n')),
    )
    with pytest.raises(RemoteUnreachable):
        advertised(repository, Remote("origin", "ssh://git@localhost:22/it's"), ["refs/"])
    words = log.read_text().splitlines()
    assert words[-3:] == ["--", "git@localhost", r"git-upload-pack '/it'\''s'"]
    assert "BatchMode=yes" in words
    assert any(word.startswith("ConnectTimeout=") for word in words)


def test_a_shallow_remote_is_refused_and_leaves_no_trace(repository: Repository, tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    clone = a_clone(hub)
    commit_files(clone, {"x": "x"})
    git(clone, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", "--bare", "--depth=1", f"file://{hub}", str(tmp_path / "shallow.git"))
    remote = Remote("origin", str(tmp_path / "shallow.git"))
    with pytest.raises(RepositoryUnsupported, match="shallow"):
        fetch(repository, remote, lambda refs: list(refs.values()), ["refs/heads/"])
    assert not (tmp_path / "top" / ".git" / "shallow").exists()


def test_a_shallow_clone_fetches_and_pushes(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    clone = a_clone(hub)
    for number in range(3):
        commit_files(clone, {"x": str(number)})
    git(clone, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{hub}", str(tmp_path / "shallow"))
    theirs = commit_files(clone, {"y": "y"})
    git(clone, "push", "-q", "origin", "main")
    with Repository(locate(tmp_path / "shallow")) as shallow:
        remote = Remote("origin", str(hub))
        fetch(shallow, remote, lambda refs: [refs["refs/heads/main"]], ["refs/heads/main"])
        git(tmp_path / "shallow", "merge", "-q", theirs)
        tip = Oid(commit_files(tmp_path / "shallow", {"z": "z"}))
        pushed = push(shallow, remote, lambda _refs: [Update("refs/heads/main", tip)], atomic=False)
        assert pushed.status == {"refs/heads/main": OK}
    git(hub, "fsck", "--strict")
    git(tmp_path / "shallow", "fsck", "--strict")


@pytest.mark.skipif(not has_http_backend(), reason="this git comes without http-backend")
def test_a_password_comes_from_the_credential_helper_once_and_is_never_shown(
    repository: Repository, tmp_path: Path
) -> None:
    a_hub(tmp_path)
    asked = tmp_path / "asked"
    helper = f'#!/bin/sh\necho "$1" >>{asked}\ntest "$1" = get && printf "username=jane\\npassword=s3cret\\n"\n'
    with a_webserver(tmp_path, "s3cret") as (url, requests):
        remote = Remote("origin", f"{url}/hub.git")
        with pytest.raises(RemoteDenied) as caught:
            advertised(repository, remote, ["refs/"])
        assert (caught.value.code, caught.value.exit_status) == ("REMOTE_DENIED", 8)
        git(tmp_path / "top", "config", "--global", "credential.helper", str(_script(tmp_path / "helper", helper)))
        try:
            tip = repository.refs.read("refs/heads/main")
            pushed = push(repository, remote, lambda _refs: [Update("refs/heads/new", tip)], atomic=True)
        finally:
            git(tmp_path / "top", "config", "--global", "--unset", "credential.helper")
        assert pushed.status == {"refs/heads/new": OK}
        assert asked.read_text().split() == ["get"]
        with pytest.raises(RemoteDenied) as denied:
            advertised(repository, Remote("origin", url.replace("://", "://jane:wrong@") + "/hub.git"), ["refs/"])
        assert "wrong" not in denied.value.message
        assert len(requests) < 12


def test_children_get_no_variable_that_speaks_of_another_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = a_repository(tmp_path, "one")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", "x")
    assert cgit.run(["rev-parse", "--git-dir"], cwd=top).stdout.strip() == b".git"
    assert not {"GIT_DIR", "GIT_INDEX_FILE"} & cgit.environment().keys()


def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with _within(PATIENCE_SECONDS), pytest.raises(TimedOut, match="took longer"):
        cgit.run(["-c", "alias.nap=!sleep 60", "nap"], cwd=tmp_path, timeout_seconds=LIMIT_SECONDS)


def test_the_version_of_git_is_known_and_maintenance_can_be_started(tmp_path: Path) -> None:
    version = cgit.version()
    assert version is not None
    assert version >= (2, 20)
    assert cgit.maintenance_detached(a_repository(tmp_path, "one") / ".git")
