"""Names and addresses that want to be options or commands, from the branch and from people: nothing of them runs."""

import json
from pathlib import Path

import pytest

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.event_authority import AuthorityMoved
from exo_sidecar.store import codec
from tests.support import hostile
from tests.support.besieged import Siege, a_siege, besieged
from tests.support.ledgers import Writer
from tests.support.repositories import git

NAMES = [
    "--upload-pack=touch ran",
    "-oProxyCommand=touch ran",
    "ext::sh -c touch% ran",
    "file:///../hub.git",
    "..",
    "origin;touch ran",
]


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Siege:
    """Return two clones that every attack of this module is made on, one after the other."""
    return a_siege(tmp_path_factory.mktemp("siege"))


def nothing_ran(folder: Path) -> bool:
    """Whether no attack left its mark."""
    return not list(folder.rglob("ran"))


def test_remotes_that_settings_of_the_branch_name_are_ones_that_this_clone_knows_or_none(tmp_path: Path) -> None:
    siege = a_siege(tmp_path)
    text = f"sync:\n  remotes: {json.dumps(NAMES)}\nleases:\n  remote: {json.dumps(NAMES[0])}\n"
    evil = Writer("e")
    evil.write(Draft(subject="config.yaml", data=DocumentEdited(base=NO_DIGEST, text=text)))
    root = hostile.with_file(siege.hub, siege.root, hostile.segment_of(evil.clone), evil.lines[0] + b"\n")
    hostile.plant(siege.hub, root)
    siege.shop.ok(1, "sync")
    ran = siege.shop.exo(1, "sync")
    assert ran.exit in {0, 8}
    siege.works_on(1)
    assert siege.shop.ok(1, "sync", "--remote", "origin")["remote"] == "origin"
    assert nothing_ran(tmp_path)


def test_an_authority_whose_remote_is_no_name_does_not_count(siege: Siege) -> None:
    siege = besieged(siege.shop)
    chains = siege.shop.ok(1, "audit")["chains"]
    seen = {each["clone"]: (each["events"], each["head"]) for each in chains}
    root = siege.root
    for number, name in enumerate(NAMES):
        evil = Writer("e")
        evil.clone = f"auth{number:012}"
        moved = AuthorityMoved(id="b" * 32, previous="a" * 32, floor=1, remote=name)
        line = codec.encode(evil.event(Draft(subject="authority", data=moved), seen=seen))
        root = hostile.with_file(siege.hub, root, hostile.segment_of(evil.clone), line + b"\n")
    hostile.plant(siege.hub, root)
    quarantined = {each["event"]: each["reason"] for each in siege.shop.ok(1, "sync")["quarantined"]}
    for number in range(len(NAMES)):
        assert "no name of a remote" in quarantined[f"auth{number:012}:1"]
    siege.works_on(1)
    siege.ends_well()
    assert nothing_ran(siege.hub.parent)


def test_an_authority_at_a_remote_that_this_clone_has_not_is_said_and_stops_no_note(tmp_path: Path) -> None:
    siege = a_siege(tmp_path)
    chains = siege.shop.ok(1, "audit")["chains"]
    evil = Writer("e")
    moved = AuthorityMoved(id="b" * 32, previous="a" * 32, floor=1, remote="elsewhere")
    seen = {each["clone"]: (each["events"], each["head"]) for each in chains}
    line = codec.encode(evil.event(Draft(subject="authority", data=moved), seen=seen))
    root = hostile.with_file(siege.hub, siege.root, hostile.segment_of(evil.clone), line + b"\n")
    hostile.plant(siege.hub, root)
    siege.shop.ok(1, "sync")
    for words in (
        ("sync",),
        ("next",),
        ("leases",),
        ("session-start", "--ticket-id", "T1"),
        ("status", "--remote-check"),
    ):
        ran = siege.shop.exo(1, *words)
        assert ran.exit in {0, 4, 7, 8}, (words, ran.out)
    siege.shop.ok(1, "ticket-edit", "T1", "--note", "goes on")
    assert siege.shop.ok(1, "sync", "--remote", "origin")["remote"] == "origin"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *(("sync", name) for name in [*NAMES, "-x", "a\nb", "\x1b[2J", "a" * 5000]),
        ("sidecar-pull", NAMES[0]),
        ("sidecar-push", NAMES[0]),
    ],
)
def test_a_remote_that_a_call_names_is_one_that_this_clone_knows(siege: Siege, command: str, name: str) -> None:
    error = siege.shop.fails(1, command, f"--remote={name}")
    assert error["code"] in {"NO_REMOTE", "REMOTE_UNKNOWN", "USAGE"}
    assert nothing_ran(siege.hub.parent)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% ran",
        "fd::17",
        "-oProxyCommand=touch ran",
        "--upload-pack=touch ran",
        "ssh://-oProxyCommand=touch%20ran/x",
        "ssh://a@-oProxyCommand=x/x",
        "-oProxyCommand=x:y",
        "ftp://127.0.0.1/x",
        "file://--upload-pack=x",
    ],
)
def test_an_address_is_of_a_transport_that_is_allowed_and_no_option(siege: Siege, url: str) -> None:
    git(siege.shop.clones[1], "remote", "add", "other", str(siege.hub))
    git(siege.shop.clones[1], "config", "remote.other.url", url)
    error = siege.shop.fails(1, "sync", "--remote", "other")
    git(siege.shop.clones[1], "remote", "remove", "other")
    assert error["code"] in {"REMOTE_UNSUPPORTED", "REMOTE_UNREACHABLE"}, error
    assert nothing_ran(siege.hub.parent)


def test_settings_that_lie_on_the_branch_are_not_gits(siege: Siege) -> None:
    """A file named like git's own settings, in the tree, in the mount, anywhere: exo asks the clone's own alone."""
    siege = besieged(siege.shop)
    mark = siege.hub.parent / "ran"
    text = f'[core]\n\tsshCommand = touch {mark}\n[remote "origin"]\n\turl = ext::touch {mark}\n'
    root = siege.root
    for path in (".git/config", "config", ".gitconfig", ".exo/config"):
        root = hostile.with_file(siege.hub, root, path, text.encode())
    hostile.plant(siege.hub, root)
    siege.left_out()
    siege.ends_well()
    assert not mark.exists()


@pytest.mark.parametrize("branch", ["--force", "-D", "a..b", "a b", "a\nb", "@{-1}", "refs/heads/../x", "x.lock", ".x"])
def test_a_branch_that_is_no_name_is_refused_before_anything_is_done(siege: Siege, branch: str) -> None:
    error = siege.shop.fails(1, "sidecar-init", f"--branch={branch}")
    assert error["code"] in {"VALUE_INVALID", "USAGE"}, error
