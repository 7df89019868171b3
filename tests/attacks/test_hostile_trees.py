"""Trees that no exo has written: only ledger lines enter, nothing is written outside of the mount, and work goes on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from exo_sidecar.git import tree as trees
from exo_sidecar.sync import verified
from tests.support import hostile
from tests.support.besieged import Siege, outside
from tests.support.hostile import FILE, FOLDER, LINK, NOWHERE, SUBMODULE, Line
from tests.support.inprocess import exo_in_process
from tests.support.repositories import git

EVIL = "e" * 16


class Place(NamedTuple):
    """An entry that is put into the tree, and the part of its name that has to be told."""

    path: Sequence[bytes]
    told: str
    mode: str = FILE


STRAYS = {
    "a file": Place([b"notes.txt"], "notes.txt"),
    "the folder above": Place([b"..", b"evil"], "../evil"),
    "a path through the folder above": Place([b"tickets/../../evil"], "tickets/../../evil"),
    "an absolute path": Place([b"/tmp/evil"], "/tmp/evil"),  # noqa: S108 - the attack
    "git's folder": Place([b".git", b"config"], ".git/config"),
    "git's folder in capitals": Place([b".GIT", b"config"], ".GIT/config"),
    "git's folder on old file systems": Place([b"git~1", b"config"], "git~1/config"),
    "git's folder with a character that some file systems drop": Place(["\u200c.git".encode(), b"config"], "config"),
    "git's folder inside of the tickets": Place([b"tickets", b".git", b"hooks", b"post-checkout"], "post-checkout"),
    "a name that differs in capitals": Place([b"Tickets", b"0a", b"TICKET-1.yaml"], "Tickets/0a"),
    "a file that differs in capitals": Place([b"format"], "format"),
    "a control character": Place([b"a\x01b"], "a"),
    "a line feed": Place([b"a\nwarning: all is well"], "a"),
    "a sequence that steers a terminal": Place([b"\x1b[2J\x1b[31mred"], "red"),
    "a turned direction": Place(["\u202egpj.exe".encode()], "gpj.exe"),
    "a backslash": Place([b"..\\..\\evil"], "evil"),
    "a name of a device": Place([b"CON"], "CON"),
    "a stream of another file": Place([b"FORMAT::$DATA"], "$DATA"),
    "a name like an option": Place([b"--upload-pack=evil"], "--upload-pack"),
    "bytes that are no text": Place([b"\xff\xfe"], "no event"),
    "a very long name": Place([b"x" * 5000], "x" * 100),
    "settings for filters": Place([b"tickets", b".gitattributes"], "tickets/.gitattributes"),
    "settings for submodules": Place([b".gitmodules"], ".gitmodules"),
    "a workflow of a forge": Place([b".github", b"workflows", b"x.yml"], ".github/workflows"),
    "a link": Place([b"tickets", b"zz"], "tickets/zz", LINK),
    "a link in the ledger": Place([b"ledger", b"ee"], "ledger/ee", LINK),
    "a link in the place of a segment": Place([b"ledger", b"ee", EVIL.encode(), b"000001.jsonl"], EVIL, LINK),
    "a link in the place of FORMAT": Place([b"FORMAT"], "FORMAT", LINK),
    "a link in the place of the settings": Place([b"config.yaml"], "config.yaml", LINK),
    "a submodule": Place([b"sub"], "sub", SUBMODULE),
    "a submodule in the ledger": Place([b"ledger", b"ee"], "ledger/ee", SUBMODULE),
    "a submodule in the place of a segment": Place([b"ledger", b"ee", EVIL.encode(), b"000001.jsonl"], EVIL, SUBMODULE),
    "a submodule in the place of FORMAT": Place([b"FORMAT"], "FORMAT", SUBMODULE),
    "a program": Place([b"run.sh"], "run.sh", "100755"),
    "a program in the place of a segment": Place([b"ledger", b"ee", EVIL.encode(), b"000001.jsonl"], EVIL, "100755"),
    "a mode of long ago": Place([b"old"], "old", "100664"),
    "a mode with a digit too many": Place([b"padded"], "padded", "0100644"),
    "a mode that git does not know": Place([b"odd"], "odd", "140000"),
}


def planted(siege: Siege, root: str, place: Place) -> str:
    """Return `root` with the entry in it."""
    target = NOWHERE if place.mode == SUBMODULE else hostile.blob(siege.hub, b"/etc/passwd")
    return hostile.grafted(siege.hub, root, place.path, place.mode, target)


@pytest.mark.parametrize("batch", range(4))
def test_entries_that_do_not_belong_are_left_out_and_named(siege: Siege, batch: int) -> None:
    places = {name: place for number, (name, place) in enumerate(STRAYS.items()) if number % 4 == batch}
    before = outside(siege.hub.parent)
    root = siege.root
    for place in places.values():
        root = planted(siege, root, place)
    hostile.plant(siege.hub, root)
    told = siege.left_out()
    assert {name for name, place in places.items() if place.told not in told} == set()
    page = siege.shop.clones[1]
    assert "\x1b" not in exo_in_process(page, "status").out
    assert outside(siege.hub.parent) == before
    siege.ends_well()


@pytest.mark.long
@pytest.mark.parametrize("name", STRAYS)
def test_an_entry_alone_that_does_not_belong_is_left_out_and_named(siege: Siege, name: str) -> None:
    hostile.plant(siege.hub, planted(siege, siege.root, STRAYS[name]))
    assert STRAYS[name].told in siege.left_out()
    siege.ends_well()


@pytest.mark.parametrize("path", [b".gitattributes", b".gitignore"])
def test_prescribed_files_are_computed_anew_whatever_they_say(siege: Siege, path: bytes, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    git(siege.shop.clones[1], "config", "filter.evil.clean", f"touch {ran}; cat")
    git(siege.shop.clones[1], "config", "filter.evil.smudge", f"touch {ran}; cat")
    text = b"* filter=evil merge=evil diff=evil\n" if path == b".gitattributes" else b"*\n"
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, [path], FILE, hostile.blob(siege.hub, text)))
    assert path.decode() in siege.left_out()
    assert (siege.shop.clones[1] / ".exo" / path.decode()).read_bytes() != text
    assert not ran.exists()
    siege.ends_well()


def of_existing_writer(siege: Siege) -> tuple[bytes, bytes]:
    """Return shard and name of a writer that both clones have verified."""
    (path, *_) = git(siege.hub, "ls-tree", "-r", "--name-only", siege.good, "ledger/").splitlines()
    _, shard, writer, _ = path.split("/")
    return shard.encode(), writer.encode()


@pytest.mark.parametrize(
    ("depth", "mode"),
    [
        (1, LINK),
        (4, LINK),
        pytest.param(2, SUBMODULE, marks=pytest.mark.long),
        pytest.param(3, LINK, marks=pytest.mark.long),
        pytest.param(4, "100755", marks=pytest.mark.long),
    ],
)
def test_a_verified_ledger_that_is_no_file_any_more_is_refused(siege: Siege, depth: int, mode: str) -> None:
    shard, writer = of_existing_writer(siege)
    path = [b"ledger", shard, writer, b"000001.jsonl"][:depth]
    target = NOWHERE if mode == SUBMODULE else hostile.blob(siege.hub, b"/dev/zero")
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, path, mode, target))
    assert writer.decode() in siege.refused()
    siege.put_right()
    siege.ends_well()


def nested(siege: Siege, levels: int) -> str:
    """Return a tree of so many folders inside of each other."""
    oid = hostile.blob(siege.hub, b"deep")
    mode = FILE
    for _ in range(levels):
        oid, mode = hostile.tree(siege.hub, [Line(mode, b"d", oid)]), FOLDER
    return oid


@pytest.mark.parametrize("top", [b"deep", b"ledger", b"tickets"])
def test_a_folder_without_end_is_left_out(siege: Siege, top: bytes) -> None:
    path = [top] if top == b"deep" else [top, b"dd"]
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, path, FOLDER, nested(siege, 300)))
    assert "d/d/d" in siege.left_out()
    siege.ends_well()


def test_a_branch_that_held_a_folder_without_end_goes_to_a_second_remote(siege: Siege, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "mirror.git")
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, [b"deep"], FOLDER, nested(siege, 1500)))
    siege.left_out()
    git(siege.shop.clones[1], "remote", "add", "mirror", str(tmp_path / "mirror.git"))
    assert siege.shop.ok(1, "sync", "--remote", "mirror")["pushed_events"] > 0
    git(siege.shop.clones[1], "remote", "remove", "mirror")
    siege.ends_well()


def a_bomb(siege: Siege, leaves: Sequence[Line]) -> str:
    """Return a tree of ten objects that stands for ten thousand million files or folders."""
    oid = hostile.tree(siege.hub, leaves)
    for _ in range(9):
        oid = hostile.tree(siege.hub, [Line(FOLDER, b"d%d" % number, oid) for number in range(10)])
    return oid


@pytest.mark.parametrize("filled", [True, False], ids=["files", "empty folders"])
def test_a_few_objects_that_stand_for_millions_are_left_out(
    siege: Siege, monkeypatch: pytest.MonkeyPatch, *, filled: bool
) -> None:
    monkeypatch.setattr(trees, "FOLDERS_MAX", 5000)
    leaves = [Line(FILE, b"leaf", hostile.blob(siege.hub, b"x"))] if filled else []
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, [b"bomb"], FOLDER, a_bomb(siege, leaves)))
    assert "bomb" in siege.left_out()
    siege.ends_well()


@pytest.mark.parametrize("filled", [True, False], ids=["files", "empty folders"])
def test_a_few_objects_that_stand_for_a_ledger_of_millions_are_refused(
    siege: Siege, monkeypatch: pytest.MonkeyPatch, *, filled: bool
) -> None:
    monkeypatch.setattr(trees, "FOLDERS_MAX", 5000)
    monkeypatch.setattr(verified, "LEDGER_FILES_MAX", 2000)
    leaves = [Line(FILE, b"leaf", hostile.blob(siege.hub, b"x"))] if filled else []
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, [b"ledger", b"bb"], FOLDER, a_bomb(siege, leaves)))
    assert "more than" in siege.refused()
    siege.put_right()
    siege.ends_well()


def test_a_folder_of_more_names_than_any_of_ours_is_left_out(siege: Siege, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "TREE_BYTES_MAX", 100_000)
    leaf = hostile.blob(siege.hub, b"x")
    many = hostile.tree(siege.hub, [Line(FILE, b"%06d" % number, leaf) for number in range(5000)])
    hostile.plant(siege.hub, hostile.grafted(siege.hub, siege.root, [b"many"], FOLDER, many))
    assert "larger than" in siege.left_out()
    siege.ends_well()


def doubled(lines: Sequence[Line]) -> list[Line]:
    return [*lines, Line(FILE, b"notes.txt", lines[0].oid), Line(FILE, b"notes.txt", lines[1].oid)]


def turned_round(lines: Sequence[Line]) -> list[Line]:
    return [Line(FILE, b"notes.txt", lines[0].oid), *reversed(lines)]


def two_settings(lines: Sequence[Line]) -> list[Line]:
    return [*lines, *(line._replace(oid=lines[0].oid) for line in lines if line.name == b"config.yaml")]


@pytest.mark.parametrize("change", [doubled, turned_round, two_settings])
def test_a_tree_whose_names_are_doubled_or_in_no_order_is_written_anew(
    siege: Siege, change: Callable[[Sequence[Line]], list[Line]]
) -> None:
    hostile.plant(siege.hub, hostile.tree(siege.hub, change(hostile.lines_of(siege.hub, siege.root))))
    siege.left_out()
    siege.ends_well()


def test_a_second_ledger_beside_the_first_does_not_count(siege: Siege) -> None:
    empty = hostile.tree(siege.hub, [])
    lines = hostile.lines_of(siege.hub, siege.root)
    hostile.plant(siege.hub, hostile.tree(siege.hub, [*lines, Line(FOLDER, b"ledger", empty)]))
    siege.left_out()
    siege.ends_well()


def test_a_second_ledger_before_the_first_is_one_that_lost_everything(siege: Siege) -> None:
    lines = hostile.lines_of(siege.hub, siege.root)
    hostile.plant(siege.hub, hostile.tree(siege.hub, [Line(FOLDER, b"ledger", hostile.tree(siege.hub, [])), *lines]))
    assert "lost or changed" in siege.refused()
    siege.put_right()
    siege.ends_well()


@pytest.mark.parametrize("kind", ["blob", "tag", "tree"])
def test_a_branch_that_names_no_commit_is_refused(siege: Siege, kind: str) -> None:
    hub = siege.hub
    target = {"blob": hostile.blob(hub, b"x"), "tree": siege.root}.get(kind) or git(
        hub, "mktag", stdin=f"object {siege.good}\ntype commit\ntag t\ntagger a <a@b> 0 +0000\n\nx\n"
    )
    (hub / "refs/heads/exo-governance").write_text(f"{target}\n")
    error = siege.shop.fails(1, "sync")
    assert error["code"] in {"SYNC_REFUSED", "REMOTE_UNREACHABLE"}, error
    siege.works_on(1)
    siege.put_right()
    siege.ends_well()


@pytest.mark.parametrize("seconds", ["9223372036854775806", pytest.param("253402300800", marks=pytest.mark.long)])
def test_a_commit_of_a_far_future_does_not_make_ours_one_that_git_refuses(siege: Siege, seconds: str) -> None:
    root = hostile.with_file(siege.hub, siege.root, "notes.txt", b"x")
    text = f"tree {root}\nparent {siege.good}\nauthor M <m@m> {seconds} +0000\ncommitter M <m@m> {seconds} +0000\n\nx\n"
    commit = git(siege.hub, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text)
    hostile.set_tip(siege.hub, commit)
    siege.left_out()
    merge = (
        git(siege.shop.clones[1], "rev-list", "--children", "--all", "--not", f"{commit}^").split(commit)[1].split()[0]
    )
    told = git(siege.shop.clones[1], "cat-file", "commit", merge)
    assert max(int(line.split()[-2]) for line in told.splitlines() if line.startswith("committer")) < 253_402_300_800
    siege.ends_well()
