"""What is no plain file, or cannot be read, where a document, a lock or a seal belongs: named, and never waited for."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.model.policy import CONSTITUTION, LOCK_FILE, SEAL_FILE
from tests.operations.test_doctor import section
from tests.support.policies import AGENT, ANN, begin, error_of, mount, policy_of
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine\n")


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


ODD: Final[dict[str, Callable[[Path], object]]] = {
    "folder": _folder,
    "pipe": os.mkfifo,
    "socket": _socket,
    "link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
}


def an_odd(shop: Shop, name: str, what: str) -> Path:
    """Put something else in the place of a file of the mount."""
    path = mount(shop) / name
    path.unlink()
    ODD[what](path)
    return path


def kept(shop: Shop) -> list[Path]:
    """Return what was put out of the way."""
    return list((mount(shop) / "cache" / "rejected").iterdir())


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("name", [LOCK_FILE, SEAL_FILE])
def test_what_stands_in_the_place_of_a_lock_or_seal_is_tampering(tmp_path: Path, name: str, what: str) -> None:
    shop = a_lone_shop(tmp_path)
    path = an_odd(shop, name, what)
    found = section(shop, "policy")
    assert found["verdict"] == "fail"
    assert f"a {what} is in its place" in found["findings"][0]["message"]
    assert "--accept-tampered" in found["findings"][0]["hint"]
    audited = shop.exo(0, "audit")
    assert (audited.exit, "POLICY_TAMPERED" in audited.out) == (7, True)
    assert shop.exo(0, "status").exit == 0
    for refused in (begin(shop), shop.exo(0, "compose", *ANN), shop.exo(0, "build-governance", *ANN)):
        assert error_of(refused)["code"] == "POLICY_TAMPERED"
    assert os.path.lexists(path)
    shop.ok(0, "compose", "--accept-tampered", "--reason", "looked at it", *ANN)
    assert policy_of(begin(shop))["verdict"] == "ok"
    assert [each.name.rpartition(".")[0] for each in kept(shop)] == [name]
    assert git(mount(shop), "status", "--porcelain") == ""


@pytest.mark.skipif(sys.platform == "darwin", reason="a link leads to a name in UTF-8 there")
@pytest.mark.parametrize("name", [SEAL_FILE, CONSTITUTION])
def test_where_a_link_leads_to_is_told_as_one_short_line_whatever_its_bytes(tmp_path: Path, name: str) -> None:
    shop = a_lone_shop(tmp_path)
    path = mount(shop) / name
    path.unlink()
    path.symlink_to(os.fsdecode(b"\xff\x1b[2J\n" + b"x" * 4000))
    for words in (("compose",), ("doctor",), ("ticket-edit", "T1", "--note", "x")):
        told = shop.exo(0, *words, *ANN)
        assert "INTERNAL" not in told.out + told.err
        assert "xxx" in told.out + told.err
        assert "x" * 100 not in told.out + told.err
    shop.ok(0, "validate")


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("name", [CONSTITUTION, "config.yaml", "features.yaml"])
def test_what_stands_in_the_place_of_a_document_is_named_and_nothing_is_compiled(
    tmp_path: Path, name: str, what: str
) -> None:
    shop = a_lone_shop(tmp_path)
    path = an_odd(shop, name, what)
    found = next(each for each in section(shop, "documents")["findings"] if each["file"] == name)
    assert (found["code"], found["severity"]) == ("FILE_UNREADABLE", "warning")
    assert f"a {what} is there" in found["message"]
    assert "exo sidecar-repair --render" in found["hint"]
    audited = shop.exo(0, "audit")
    assert (audited.exit, f"a {what} is there" in audited.out) == (0, True)
    assert shop.exo(0, "status").exit == 0
    error = shop.fails(0, "compose", *ANN)
    assert (error["code"], error["exit"], error["details"]["document"]) == ("SOURCE_INVALID", 2, name)
    began = begin(shop)
    assert policy_of(began)["verdict"] == "ok"
    assert "FILE_UNREADABLE" in [each["code"] for each in began.answer["warnings"]]
    assert os.path.lexists(path)
    shop.ok(0, "sidecar-repair", "--render")
    assert section(shop, "documents")["verdict"] == "pass"
    assert shop.ok(0, "compose", *ANN)["changed"] == []
    assert git(mount(shop), "status", "--porcelain") == ""
    assert len(kept(shop)) == 1


def test_a_ticket_that_is_a_folder_is_named_and_put_back(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    name = next((mount(shop) / "tickets").rglob("TICKET-T1.yaml")).relative_to(mount(shop)).as_posix()
    an_odd(shop, name, "folder")
    assert [each["code"] for each in section(shop, "files")["findings"]] == ["FILE_UNREADABLE"]
    shop.ok(0, "ticket-edit", "T1", "--note", "goes on")
    shop.ok(0, "sidecar-repair", "--render")
    assert "goes on" in (mount(shop) / name).read_text()
    assert section(shop, "files")["verdict"] == "pass"


UNREADABLE: Final = {
    "not UTF-8": b"\xff\xfe",
    "conflict markers": b"<<<<<<< ours\n",
    "an AWS access key": b"AKIAIOSFODNN7EXAMPLQ\n",
    "longer than": b"x\n" * 600_000,
}


@pytest.mark.parametrize("why", UNREADABLE)
def test_a_constitution_that_cannot_be_read_is_not_compiled_and_the_gate_says_so(tmp_path: Path, why: str) -> None:
    shop = a_lone_shop(tmp_path)
    path = mount(shop) / CONSTITUTION
    before = path.read_bytes()
    path.write_bytes(before + UNREADABLE[why])
    for words in (("build-governance",), ("build-governance", "--dry-run"), ("compose",)):
        for actor in (ANN, AGENT):
            error = shop.fails(0, *words, *actor)
            assert (error["code"], error["exit"]) == ("SOURCE_INVALID", 2)
            assert why in error["message"]
            assert "mend .exo/CONSTITUTION.md" in error["hint"]
    path.write_bytes(before)
    assert not shop.ok(0, "build-governance", *ANN)["changed"]
