"""Who we are to an HTTP server: the helpers of the clone are asked, once, and what they say is sent as git sends it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.git.fetch import advertised
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import OK, Update, push
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import RemoteDenied
from tests.support.repositories import a_hub, a_repository, git
from tests.support.servers import kinds
from tests.support.webserver import a_webserver, has_http_backend

pytestmark = pytest.mark.skipif(not has_http_backend(), reason="this git comes without http-backend")


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """An ordinary repository, in which the tests do not stand; a hub lies beside it."""
    a_hub(tmp_path)
    with Repository(locate(a_repository(tmp_path, "top"))) as opened:
        yield opened


def _helped(tmp_path: Path, password: str, *, key: str = "credential.helper", user: str = "jane") -> Path:
    """Give the repository a helper that writes down what it is asked."""
    script, asked = tmp_path / "helper", tmp_path / "asked"
    answer = f"username={user}\\npassword={password}\\n"
    script.write_text(f'#!/bin/sh\n[ "$1" = get ] && cat >>{asked} && printf "{answer}"\n')
    script.chmod(0o755)
    git(tmp_path / "top", "config", key, str(script))
    return asked


def test_a_helper_that_only_the_clone_knows_is_asked_wherever_the_process_stands(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    _helped(tmp_path, "s3cret")
    with a_webserver(tmp_path, "s3cret") as (url, _):
        assert "refs/heads/main" in advertised(repository, Remote("origin", f"{url}/hub.git"), ["refs/"])


def test_a_helper_that_does_not_know_the_password_leaves_the_door_closed(
    repository: Repository, tmp_path: Path
) -> None:
    _helped(tmp_path, "wr0ng")
    with a_webserver(tmp_path, "s3cret") as (url, requests):
        with pytest.raises(RemoteDenied) as caught:
            push(repository, Remote("origin", f"{url}/hub.git"), lambda _refs: [], atomic=True)
        assert "wr0ng" not in caught.value.message + caught.value.hint
        assert {line.split()[-1] for line in requests} == {"401"}


def test_a_name_in_the_address_is_told_to_the_helper_who_knows_its_password(
    repository: Repository, tmp_path: Path
) -> None:
    asked = _helped(tmp_path, "s3cret")
    with a_webserver(tmp_path, "s3cret") as (url, _):
        remote = Remote("origin", url.replace("://", "://jane@") + "/hub.git")
        assert "refs/heads/main" in advertised(repository, remote, ["refs/"])
    assert "username=jane" in asked.read_text().splitlines()


def test_a_helper_may_be_set_for_one_path_alone(repository: Repository, tmp_path: Path) -> None:
    with a_webserver(tmp_path, "s3cret") as (url, _):
        _helped(tmp_path, "s3cret", key=f"credential.{url}/hub.git.helper")
        assert advertised(repository, Remote("origin", f"{url}/hub.git"), ["refs/heads/"])
        with pytest.raises(RemoteDenied):
            advertised(repository, Remote("origin", f"{url}/other.git"), ["refs/heads/"])


def test_a_password_in_any_script_is_sent_as_git_sends_it(repository: Repository, tmp_path: Path) -> None:
    _helped(tmp_path, "пароль€")
    with a_webserver(tmp_path, "пароль€") as (url, _):
        assert advertised(repository, Remote("origin", f"{url}/hub.git"), ["refs/heads/"])


def test_only_the_first_request_of_a_push_is_refused(repository: Repository, tmp_path: Path) -> None:
    _helped(tmp_path, "s3cret")
    tip = repository.refs.read("refs/heads/main")
    with a_webserver(tmp_path, "s3cret") as (url, requests):
        pushed = push(repository, Remote("origin", f"{url}/hub.git"), lambda _: [Update("refs/x/y", tip)], atomic=True)
        assert pushed.status == {"refs/x/y": OK}
        assert [(line.split()[0], line.split()[-1]) for line in requests] == [
            ("GET", "401"),
            ("GET", "200"),
            ("POST", "200"),
        ]


def test_a_push_too_large_to_be_sent_twice_is_let_in(repository: Repository, tmp_path: Path) -> None:
    """Its body is made while it is sent: were that refused, nothing would be left for the second try."""
    kinds.need("nginx")
    (tmp_path / "top" / "large").write_bytes(os.urandom(3 << 20))
    git(tmp_path / "top", "add", "large")
    git(tmp_path / "top", "commit", "-q", "-m", "large")
    tip = Oid(git(tmp_path / "top", "rev-parse", "HEAD"))
    with kinds.a_server("nginx", tmp_path) as server:
        server.equip(tmp_path / "top")
        pushed = push(repository, Remote("origin", server.url()), lambda _: [Update("refs/x/y", tip)], atomic=True)
        assert pushed.status == {"refs/x/y": OK}
    assert git(tmp_path / "hub.git", "cat-file", "-s", "refs/x/y:large") == str(3 << 20)
