"""Addresses of remotes: four transports and no other, and nothing of an address becomes an option or a message."""

from pathlib import Path

import pytest

from exo_sidecar.git import remote as remotes
from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Address, Remote, RemoteUnknown, RemoteUnsupported
from exo_sidecar.git.repository import Repository
from tests.support.repositories import a_repository, git


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/srv/hub.git", Address("local", "/srv/hub.git")),
        ("/srv/a:b.git", Address("local", "/srv/a:b.git")),
        ("./a:b.git", Address("local", "./a:b.git")),
        ("file:///srv/hub%20one.git", Address("local", "/srv/hub one.git")),
        ("git://example.org:9999/hub.git", Address("git", "/hub.git", "example.org", 9999)),
        ("http://example.org/hub.git", Address("http", "/hub.git", "example.org")),
        ("https://jane:s%40crt@example.org/h", Address("https", "/h", "example.org", None, "jane", "s@crt")),
        ("ssh://git@example.org:2222/~/hub", Address("ssh", "/~/hub", "example.org", 2222, "git")),
        ("git@example.org:team/hub.git", Address("ssh", "team/hub.git", "example.org", None, "git")),
        ("[::1]:hub.git", Address("ssh", "hub.git", "::1")),
    ],
)
def test_an_address_is_taken_apart(url: str, expected: Address) -> None:
    assert remotes.parse(Remote("origin", url)) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-u",
        "--upload-pack=touch x",
        "ext::sh -c id",
        "fd::17",
        "ftp://example.org/hub",
        "javascript://x",
        "ssh://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id@example.org/x",
        "-oProxyCommand=id@example.org:hub",
        "git@-oProxyCommand=id:hub",
        "git@example.org:-hub",
        "ssh://example.org",
        "git://exa mple.org/x",
        "git://example.org\n/x",
        "https://example.org:99999999/x",
        "file://-x",
        "/srv/hub\0.git",
        "x" * 3000,
    ],
)
def test_any_other_transport_and_anything_like_an_option_is_refused(url: str) -> None:
    with pytest.raises(RemoteUnsupported) as caught:
        remotes.parse(Remote("origin", url))
    assert (caught.value.code, caught.value.exit_status) == ("REMOTE_UNSUPPORTED", 2)


def test_no_text_of_a_remote_shows_a_password() -> None:
    for remote in (
        Remote(None, "https://jane:secret@example.org/x"),
        Remote("origin", "https://jane:secret@example.org"),
    ):
        assert "secret" not in f"{remote} {remote!r} {remotes.without_secret(remote.url)}"
    assert str(Remote(None, "https://jane:secret@example.org/x")) == "https://example.org/x"


def test_a_named_remote_comes_from_the_settings_with_relative_paths_made_absolute(tmp_path: Path) -> None:
    top = a_repository(tmp_path)
    git(top, "remote", "add", "origin", "../hub.git")
    git(top, "remote", "add", "split", "https://example.org/x")
    git(top, "remote", "set-url", "--push", "split", "ssh://git@example.org/x")
    with Repository(locate(top)) as repository:
        assert remotes.named(repository, "origin") == Remote("origin", str(tmp_path / "hub.git"))
        assert remotes.named(repository, "split").for_push().url == "ssh://git@example.org/x"
        with pytest.raises(RemoteUnknown, match="nowhere"):
            remotes.named(repository, "nowhere")
